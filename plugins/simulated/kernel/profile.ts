import { type ExecutableFunction, layOutFunctions, makeElf } from "./executable.ts";
import type { BtfPrototype } from "./dynamic/btf.ts";
import type { ProbedFile } from "./dynamic/host.ts";
import type { EventField } from "./event_field.ts";

/** A parameter of a function. */
export interface Parameter {
  /** Name, for captures by name; absent where it is not known. */
  readonly name?: string;
  /** `u8` to `u64`, `s8` to `s64`, `string` or `ustring`. */
  readonly type: string;
}

/** A function of the kernel, as a host profile tells of it. */
export interface KernelFunction {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  readonly module?: string;
  readonly parameters: readonly Parameter[];
  /** Type of the return value; absent for void. */
  readonly returns?: string;
  /** Whether ftrace has a hook in it; false for notrace functions. */
  readonly traceable: boolean;
  /** Whether it is on the kprobes blacklist. */
  readonly blacklisted: boolean;
  /** Whether it starts with ENDBR64, or with the nop that the kernel puts in its place. */
  readonly endbr?: boolean;
}

/** A name of `/proc/kallsyms` that is no function to be probed. */
export interface OtherSymbol {
  readonly name: string;
  /** The letter of kallsyms, such as `d`. */
  readonly type: string;
  readonly module?: string;
  readonly address: bigint;
  /** Bytes up to the next symbol; 0 unless told. */
  readonly size?: number;
}

/** What lies at an address: a function, or else another symbol. */
export type FoundSymbol =
  | { readonly kind: "function"; readonly symbol: KernelFunction }
  | { readonly kind: "other"; readonly symbol: OtherSymbol };

export interface Tracepoint {
  readonly system: string;
  readonly name: string;
  readonly fields: readonly EventField[];
  readonly printFmt: string;
  /** Its event id where it is known, as for a profile. */
  readonly id?: number;
}

export interface UserFunction extends ExecutableFunction {
  readonly parameters: readonly Parameter[];
  readonly returns?: string;
}

/** An executable or library of the host. */
export interface Executable {
  readonly path: string;
  readonly functions: readonly UserFunction[];
}

/** What a host profile is made from. */
export interface ProfileFacts {
  readonly functions: readonly KernelFunction[];
  readonly symbols: readonly OtherSymbol[];
  readonly modules: readonly string[];
  readonly tracepoints: readonly Tracepoint[];
  readonly executables: readonly Executable[];
  /** Types of the kernel's code; absent where only parameters are known. */
  readonly types?: KernelTypes;
  /** Other files of the host, by path; only what they are is known. */
  readonly files?: Readonly<Record<string, ProbedFile>>;
}

/** What BTF tells of a kernel. */
export interface KernelTypes {
  prototype(name: string): BtfPrototype | undefined;
  /** See `DynamicHost.characterTypeIds`. */
  readonly characterTypeIds: ReadonlySet<number>;
  /** `offsetof(struct dentry, d_name.name)` and `offsetof(struct file, f_path.dentry)`, bytes. */
  readonly dentryNameOffset: number;
  readonly fileDentryOffset: number;
}

/** The facts about a host that the simulated kernel cannot know by itself. */
export class HostProfile {
  readonly modules: readonly string[];
  readonly tracepoints: readonly Tracepoint[];
  readonly executables: readonly Executable[];
  readonly functions: readonly KernelFunction[];
  readonly #symbols: readonly OtherSymbol[];
  readonly types: KernelTypes | undefined;
  readonly otherFiles: Readonly<Record<string, ProbedFile>>;
  readonly #byName = new Map<string, KernelFunction[]>();
  readonly #symbolsByName = new Map<string, OtherSymbol[]>();
  /** By address, for look-ups; made when the first is asked for. */
  #sorted: readonly FoundSymbol[] | undefined;

  constructor(facts: ProfileFacts) {
    this.functions = facts.functions;
    this.#symbols = facts.symbols;
    this.modules = facts.modules;
    this.tracepoints = facts.tracepoints;
    this.executables = facts.executables;
    this.types = facts.types;
    this.otherFiles = facts.files ?? {};
    for (const entry of facts.functions) addTo(this.#byName, entry.name, entry);
    for (const symbol of facts.symbols) addTo(this.#symbolsByName, symbol.name, symbol);
  }

  /** Kernel functions called `name`. */
  functionsNamed(name: string): readonly KernelFunction[] {
    return this.#byName.get(name) ?? [];
  }

  /** Other symbols called `name`. */
  symbolsNamed(name: string): readonly OtherSymbol[] {
    return this.#symbolsByName.get(name) ?? [];
  }

  /**
   * The symbol that holds `address`; of several that start there, the first
   * (`get_symbol_pos`, kernel/kallsyms.c).
   */
  symbolAt(address: bigint): FoundSymbol | undefined {
    const sorted = this.#sorted ??= sortByAddress(this.functions, this.#symbols);
    let low = firstFrom(sorted, address + 1n) - 1;
    if (low < 0) return undefined;
    low = firstFrom(sorted, sorted[low].symbol.address);
    const found = sorted[low];
    return address < found.symbol.address + BigInt(found.symbol.size ?? 0) ? found : undefined;
  }

  /** The function that holds `address`. */
  functionAt(address: bigint): KernelFunction | undefined {
    const found = this.symbolAt(address);
    return found?.kind === "function" ? found.symbol : undefined;
  }

  executable(path: string): Executable | undefined {
    return this.executables.find((executable) => executable.path === path);
  }

  /** Text of `/proc/kallsyms`. */
  kallsyms(): string {
    const lines = [
      ...this.functions.map(({ name, address, module }) => ({ name, address, module, type: "t" })),
      ...this.#symbols,
    ].sort((a, b) =>
      Number(a.module !== undefined) - Number(b.module !== undefined) ||
      (a.address < b.address ? -1 : a.address > b.address ? 1 : 0)
    );
    return lines.map(({ address, type, name, module }) =>
      `${address.toString(16).padStart(16, "0")} ${type} ${name}${
        module === undefined ? "" : `\t[${module}]`
      }\n`
    ).join("");
  }

  /** The files of the host: its executables, as ELF. */
  files(arch: string): [string, Uint8Array][] {
    return this.executables.map(({ path, functions }) => [path, makeElf(functions, arch)]);
  }
}

/** Functions before other symbols of the same address. */
function sortByAddress(
  functions: readonly KernelFunction[],
  symbols: readonly OtherSymbol[],
): FoundSymbol[] {
  const found: FoundSymbol[] = [
    ...functions.map((symbol) => ({ kind: "function", symbol }) as const),
    ...symbols.map((symbol) => ({ kind: "other", symbol }) as const),
  ];
  return found.sort(({ symbol: a }, { symbol: b }) =>
    a.address < b.address ? -1 : a.address > b.address ? 1 : 0
  );
}

/** Index of the first symbol at `address` or behind it. */
function firstFrom(sorted: readonly FoundSymbol[], address: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle].symbol.address < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addTo<T>(map: Map<string, T[]>, name: string, entry: T): void {
  const others = map.get(name);
  if (others === undefined) map.set(name, [entry]);
  else others.push(entry);
}

/** Where the text of a simulated kernel starts, and how far functions are apart. */
const KERNEL_TEXT = 0xffff_ffff_8100_0000n;
const DEFAULT_SIZE = 0x100;

/** Gives functions that come without an address one, in the order they are declared. */
export function placeFunctions(
  functions: readonly (Omit<KernelFunction, "address" | "size"> & { readonly size?: number })[],
): KernelFunction[] {
  let next = KERNEL_TEXT;
  return functions.map((entry) => {
    const size = entry.size ?? DEFAULT_SIZE;
    const placed = { ...entry, size, address: next };
    next += BigInt(Math.ceil(size / 16) * 16 + 16);
    return placed;
  });
}

/** Gives the functions of an executable offsets, one after the other, where none is told. */
export function placeUserFunctions(
  functions: readonly {
    readonly name: string;
    readonly offset?: number;
    readonly size?: number;
    readonly parameters: readonly Parameter[];
    readonly returns?: string;
  }[],
): UserFunction[] {
  const laidOut = layOutFunctions(functions.map(({ name }) => name));
  return functions.map((entry, index) => ({
    ...entry,
    offset: entry.offset ?? laidOut[index].offset,
    size: entry.size ?? laidOut[index].size,
  }));
}
