import { nearest } from "../text/nearest.ts";

/** Architectures whose registers and calling convention are known. */
export type Arch = "x86-64" | "arm64";

/**
 * Register names as the kernel takes them after `%` (`regoffset_table` in
 * arch/x86/kernel/ptrace.c and arch/arm64/kernel/ptrace.c).
 */
const REGISTERS: Record<Arch, readonly string[]> = {
  "x86-64": "r15 r14 r13 r12 r11 r10 r9 r8 bx cx dx si di bp ax orig_ax ip cs flags sp ss".split(
    " ",
  ),
  arm64: [...Array.from({ length: 31 }, (_, n) => `x${n}`), "lr", "sp", "pc", "pstate"],
};

/** Registers that hold the integer arguments of a function, in order (System V ABI, AAPCS64). */
const ARGUMENT_REGISTERS: Record<Arch, readonly string[]> = {
  "x86-64": ["di", "si", "dx", "cx", "r8", "r9"],
  arm64: ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
};

/** The architecture that `uname -m` calls `machine`, or undefined if it is not known here. */
export function archOf(machine: string): Arch | undefined {
  if (machine === "x86_64") return "x86-64";
  if (machine === "aarch64") return "arm64";
  return undefined;
}

/** How many arguments of a function are in registers: 6 on x86-64, 8 on arm64. */
export function argumentRegisterCount(arch: Arch): number {
  return ARGUMENT_REGISTERS[arch].length;
}

/** The register of argument `n`, counted from 1, without `%`; undefined if it has none. */
export function argumentRegister(n: number, arch: Arch): string | undefined {
  return ARGUMENT_REGISTERS[arch][n - 1];
}

/**
 * Where an argument that has no register is when the function is entered, as a fetch argument.
 * On x86-64 the return address lies before the first of them.
 */
export function stackArgument(n: number, arch: Arch): string {
  return `$stack${n - argumentRegisterCount(arch) - (arch === "arm64" ? 1 : 0)}`;
}

/** Whether the kernel knows register `name`; on any architecture if `arch` is not given. */
export function isRegister(name: string, arch?: Arch): boolean {
  if (arch !== undefined) return REGISTERS[arch].includes(name);
  return Object.values(REGISTERS).some((names) => names.includes(name));
}

/** The register that somebody who wrote `name` may have meant, without `%`. */
export function similarRegister(name: string, arch: Arch = "x86-64"): string | undefined {
  const plain = name.toLowerCase();
  const candidates = arch === "arm64"
    ? [plain, plain.replace(/^w/, "x"), { fp: "x29", cpsr: "pstate" }[plain]]
    : [plain, plain.slice(1), plain.replace(/[dwb]$/, ""), plain.replace(/^([abcd])[lh]$/, "$1x")];
  return candidates.find((candidate) => candidate !== undefined && isRegister(candidate, arch)) ??
    nearest(plain, REGISTERS[arch], 1)[0];
}
