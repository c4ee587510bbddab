/** A function of the running kernel. */
export interface KernelSymbol {
  readonly name: string;
  /** 0 where the kernel hides addresses (`kernel.kptr_restrict`). */
  readonly address: bigint;
  readonly module?: string;
}

/** Suffixes that compilers give to changed copies of a function. */
const VARIANT = /\.(isra|constprop|part|cold|llvm)\b/;

/** The functions of `/proc/kallsyms`: lines `address type name[\t[module]]`. */
export class Kallsyms {
  readonly #byName = new Map<string, KernelSymbol[]>();

  constructor(text: string) {
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const end = newline === -1 ? text.length : newline;
      this.#add(text.slice(start, end));
      start = end + 1;
    }
  }

  #add(line: string): void {
    const space = line.indexOf(" ");
    const type = line[space + 1];
    if (space === -1 || type === undefined || !"tTwW".includes(type)) return;
    const tab = line.indexOf("\t");
    const name = line.slice(space + 3, tab === -1 ? line.length : tab);
    const address = BigInt(`0x${line.slice(0, space)}`);
    const module = tab === -1 ? undefined : line.slice(tab + 2, line.indexOf("]", tab));
    const symbol = module === undefined ? { name, address } : { name, address, module };
    const others = this.#byName.get(name);
    if (others === undefined) this.#byName.set(name, [symbol]);
    else others.push(symbol);
  }

  /** Number of distinct names. */
  get size(): number {
    return this.#byName.size;
  }

  names(): IterableIterator<string> {
    return this.#byName.keys();
  }

  /** Functions called `name`, of `module` only if one is given. */
  find(name: string, module?: string): readonly KernelSymbol[] {
    const found = this.#byName.get(name) ?? [];
    return module === undefined ? found : found.filter((symbol) => symbol.module === module);
  }

  /** Names of copies of `name` that the compiler made, such as `name.isra.0`. */
  variants(name: string): string[] {
    const prefix = `${name}.`;
    return [...this.#byName.keys()].filter((other) =>
      other.startsWith(prefix) && VARIANT.test(other.slice(name.length))
    );
  }
}
