import { type Arch, isRegister } from "../probe/registers.ts";

/** An argument of a USDT probe. */
export type UsdtArg =
  | {
    /** As the compiler wrote it, such as `-4@-20(%rbp)`. */
    readonly written: string;
    /** The same as a fetch argument of a uprobe: `-20(%bp):s32`. */
    readonly fetch: string;
  }
  | {
    readonly written: string;
    /** Why the kernel cannot fetch it. */
    readonly unsupported: string;
  };

/**
 * The arguments of a USDT probe, each `size@operand` with a negative size for signed numbers and
 * the operand in the assembler's syntax (SystemTap's `sys/sdt.h`).
 */
export function parseUsdtArgs(text: string, arch: Arch | undefined): UsdtArg[] {
  // Operands of arm64 have blanks, so arguments are told apart by their sizes.
  return text.split(/\s+(?=-?[0-9]+f?@)/).filter((part) => part.trim() !== "").map((part) => {
    const written = part.trim();
    const match = /^(-?)([1248])(f?)@(.+)$/.exec(written);
    if (match === null) return { written, unsupported: "it has no size that the kernel knows" };
    if (match[3] === "f") return { written, unsupported: "it is a floating-point number" };
    if (arch === undefined) return { written, unsupported: "the registers are not known" };
    const type = `${match[1] === "-" ? "s" : "u"}${Number(match[2]) * 8}`;
    const found = arch === "arm64" ? arm64Operand(match[4], type) : x86Operand(match[4], type);
    return found === undefined
      ? { written, unsupported: `the kernel cannot fetch ${match[4]}` }
      : { written, fetch: found };
  });
}

function x86Operand(operand: string, type: string): string | undefined {
  const constant = /^\$(-?(?:0x[0-9a-f]+|[0-9]+))$/i.exec(operand);
  if (constant !== null) return `\\${constant[1]}:${type}`;

  const high = /^%([abcd])h$/.exec(operand);
  if (high !== null && type === "u8") return `%${high[1]}x:b8@8/16`;

  const register = /^%([a-z0-9]+)$/.exec(operand);
  if (register !== null) return registerFetch(x86Register(register[1]), type);

  const memory = /^(-?(?:0x[0-9a-f]+|[0-9]+)?)\(%([a-z0-9]+)\)$/i.exec(operand);
  return memory === null ? undefined : memoryFetch(memory[1], x86Register(memory[2]), type);
}

function arm64Operand(operand: string, type: string): string | undefined {
  const constant = /^#?(-?(?:0x[0-9a-f]+|[0-9]+))$/i.exec(operand);
  if (constant !== null) return `\\${constant[1]}:${type}`;

  const register = /^([xw][0-9]+|sp)$/.exec(operand);
  if (register !== null) return registerFetch(arm64Register(register[1]), type);

  const memory = /^\[([a-z0-9]+)(?:, *#?(-?(?:0x[0-9a-f]+|[0-9]+)))?\]$/i.exec(operand);
  return memory === null ? undefined : memoryFetch(memory[2] ?? "", arm64Register(memory[1]), type);
}

function registerFetch(register: string | undefined, type: string): string | undefined {
  return register === undefined ? undefined : `%${register}:${type}`;
}

function memoryFetch(
  offset: string,
  register: string | undefined,
  type: string,
): string | undefined {
  if (register === undefined) return undefined;
  const signed = offset.startsWith("-") ? offset : `+${offset === "" ? "0" : offset}`;
  return `${signed}(%${register}):${type}`;
}

/** The kernel's name of a register of any width: `rdi`, `edi`, `di` and `dil` are all `di`. */
function x86Register(name: string): string | undefined {
  const wide = /^r([0-9]+)[dwb]?$/.exec(name);
  const kernel = wide !== null
    ? `r${wide[1]}`
    : name.replace(/^[re]/, "").replace(/^([abcd])l$/, "$1x").replace(/^([a-z]{2})l$/, "$1");
  return isRegister(kernel, "x86-64") ? kernel : undefined;
}

/** `w3` is the lower half of `x3`. */
function arm64Register(name: string): string | undefined {
  const kernel = name.replace(/^w/, "x");
  return isRegister(kernel, "arm64") ? kernel : undefined;
}
