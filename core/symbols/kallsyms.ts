/** A function of the running kernel. */
export interface KernelSymbol {
  readonly name: string;
  /** 0 where the kernel hides addresses (`kernel.kptr_restrict`). */
  readonly address: bigint;
  readonly module?: string;
}

/** Suffixes that compilers give to changed copies of a function. */
const VARIANT = /^\.(isra|constprop|part|cold|llvm)\b/;

/** Look-ups after which an index of all names costs less than searching the text again. */
const FEW_LOOK_UPS = 16;

/**
 * The functions of `/proc/kallsyms`: lines `address type name[\t[module]]`. A kernel has some
 * 200,000 symbols, of which few are asked for: they are looked up in the text as it is.
 */
export class Kallsyms {
  readonly #text: string;
  #lookUps = 0;
  #index: Map<string, number[]> | undefined;

  constructor(text: string) {
    // With a line end in front of every line, a look-up need not tell the first one apart.
    this.#text = `\n${text}${text === "" || text.endsWith("\n") ? "" : "\n"}`;
  }

  /** Whether there are no symbols, as for a user who may not see them. */
  get empty(): boolean {
    return this.#text.trim() === "";
  }

  /** Functions called `name`, of `module` only if one is given. */
  find(name: string, module?: string): KernelSymbol[] {
    const places = ++this.#lookUps > FEW_LOOK_UPS ? this.#indexed(name) : this.#searched(name);
    return places.flatMap((space) => {
      const symbol = this.#functionAt(space);
      const wanted = symbol !== undefined && (module === undefined || symbol.module === module);
      return wanted ? [symbol] : [];
    });
  }

  /** Where the spaces in front of `name` are, by a search through the text. */
  #searched(name: string): number[] {
    const places: number[] = [];
    const wanted = ` ${name}`;
    for (let at = this.#text.indexOf(wanted); at !== -1; at = this.#text.indexOf(wanted, at + 1)) {
      const after = this.#text[at + wanted.length];
      if (after === "\n" || after === "\t") places.push(at);
    }
    return places;
  }

  /** The same by an index of all names. */
  #indexed(name: string): readonly number[] {
    this.#index ??= this.#makeIndex();
    return this.#index.get(name) ?? [];
  }

  #makeIndex(): Map<string, number[]> {
    const index = new Map<string, number[]>();
    for (const space of this.#spaces()) {
      const symbol = this.#functionAt(space);
      if (symbol === undefined) continue;
      const places = index.get(symbol.name);
      if (places === undefined) index.set(symbol.name, [space]);
      else places.push(space);
    }
    return index;
  }

  /** Names of copies of `name` that the compiler made, such as `name.isra.0`. */
  variants(name: string): string[] {
    const found = new Set<string>();
    const wanted = ` ${name}.`;
    for (let at = this.#text.indexOf(wanted); at !== -1; at = this.#text.indexOf(wanted, at + 1)) {
      const symbol = this.#functionAt(at);
      if (symbol !== undefined && VARIANT.test(symbol.name.slice(name.length))) {
        found.add(symbol.name);
      }
    }
    return [...found];
  }

  /** The names of all functions. */
  *names(): Generator<string> {
    for (const space of this.#spaces()) {
      const symbol = this.#functionAt(space);
      if (symbol !== undefined) yield symbol.name;
    }
  }

  /** Where the space in front of the name is, in every line. */
  *#spaces(): Generator<number> {
    for (let at = 0; at < this.#text.length - 1; at = this.#text.indexOf("\n", at + 1)) {
      const space = this.#text.indexOf(" ", at + 1);
      if (space === -1) return;
      yield space + 2;
    }
  }

  /** The function whose name follows the space at `space`; undefined if the symbol is none. */
  #functionAt(space: number): KernelSymbol | undefined {
    const type = this.#text[space - 1];
    if (!"tTwW".includes(type) || this.#text[space - 2] !== " ") return undefined;
    const start = this.#text.lastIndexOf("\n", space) + 1;
    const [name, owner] = this.#text.slice(space + 1, this.#text.indexOf("\n", space)).split("\t");
    const address = BigInt(`0x${this.#text.slice(start, space - 2)}`);
    return owner === undefined ? { name, address } : { name, address, module: owner.slice(1, -1) };
  }
}
