import { nearest } from "../text/nearest.ts";
import { type Elf, ElfError, PF_X, PT_LOAD } from "./elf.ts";
import { type FunctionSymbol, functionSymbols, hasSymbolTable } from "./symbols.ts";

/** Where a function is. */
export interface FunctionPlace {
  /** As in the symbol table. */
  readonly name: string;
  /** What a uprobe takes: bytes from the start of the file. */
  readonly fileOffset: bigint;
  /** Virtual address, as `nm` and `objdump` show it. */
  readonly address: bigint;
  /** Bytes of code; 0 if the file does not say. */
  readonly size: bigint;
}

/** Names that are told when there is none of the one asked for. */
const MOST_HINTS = 5;

/**
 * Where function `symbol` is in the file. Of several versions the default one is meant, with or
 * without its version (`memcpy`, `memcpy@@GLIBC_2.14`).
 *
 * @param debug the separate debug file of `elf`, for names that a stripped file does not have
 * @throws {ElfError} if there is none, or its code is not one place in this file; with a hint.
 */
export function resolveFunction(elf: Elf, symbol: string, debug?: Elf): FunctionPlace {
  const wanted = symbol.replace(/@@.*$/, "");
  if (wanted.includes("@")) {
    throw new ElfError(
      `"${symbol}" is an old version of a function`,
      "Leave the version out for the default one, or give the offset in the file",
    );
  }
  const files = debug === undefined ? [elf] : [elf, debug];
  const found = files.flatMap((file) => [...functionSymbols(file, wanted)]);
  const here = preferred(found.filter(({ imported }) => !imported));
  if (here.length === 0) throw missing(files, wanted, found.length > 0);

  const code = here.filter(({ kind }) => kind === "function");
  if (code.length === 0) throw indirect(files, wanted);
  if (code.length > 1) {
    const addresses = code.map(({ address }) => `0x${address.toString(16)}`).join(", ");
    throw new ElfError(
      `${code.length} functions are called "${wanted}", at ${addresses}`,
      "Give the offset in the file of the one that is meant",
    );
  }
  const [{ name, address, size }] = code;
  return { name, address, size, fileOffset: fileOffsetOf(elf, address) };
}

/**
 * The offset in the file of the code at virtual address `address`.
 *
 * @throws {ElfError} if that is not code that the file holds.
 */
export function fileOffsetOf(elf: Elf, address: bigint): bigint {
  const segment = elf.segments.find((candidate) =>
    candidate.type === PT_LOAD && (candidate.flags & PF_X) !== 0 &&
    address >= candidate.address && address < candidate.address + candidate.fileSize
  );
  if (segment === undefined) {
    throw new ElfError(`Address 0x${address.toString(16)} is not in executable code of the file`);
  }
  return address - segment.address + segment.offset;
}

/** One symbol for each address; only default versions and global names if there are such. */
function preferred(symbols: readonly FunctionSymbol[]): FunctionSymbol[] {
  const current = symbols.filter(({ hidden }) => !hidden);
  const candidates = current.length > 0 ? current : symbols;
  const global = candidates.filter(({ binding }) => binding === "global");
  const chosen = global.length > 0 ? global : candidates;
  return [...new Map(chosen.map((symbol) => [symbol.address, symbol])).values()];
}

function missing(files: readonly Elf[], wanted: string, imported: boolean): ElfError {
  if (imported) {
    return new ElfError(
      `Function "${wanted}" is imported: its code is in another library`,
      "Put the probe on the library that has it (ldd shows which are loaded)",
    );
  }
  const names = definedNames(files);
  const similar = [...new Set([...mangledNames(wanted, names), ...nearest(wanted, names)])];
  const hint = similar.length > 0
    ? `Similar names: ${similar.slice(0, MOST_HINTS).join(", ")}`
    : files.some(hasSymbolTable)
    ? undefined
    : "The file is stripped: it names only the functions that it exports. Give an offset instead";
  return new ElfError(`There is no function "${wanted}"`, hint);
}

function indirect(files: readonly Elf[], wanted: string): ElfError {
  const variants = [...definedNames(files)].filter((name) =>
    name.replace(/^_+/, "").startsWith(`${wanted}_`)
  );
  return new ElfError(
    `Function "${wanted}" is indirect (IFUNC): the program chooses its code when it starts`,
    variants.length > 0
      ? `Probe what it chooses from: ${variants.slice(0, MOST_HINTS).join(", ")}`
      : "Give the offset in the file of the code that it chooses",
  );
}

function definedNames(files: readonly Elf[]): Set<string> {
  const names = new Set<string>();
  for (const file of files) {
    for (const { name, imported, kind } of functionSymbols(file)) {
      if (!imported && kind === "function") names.add(name);
    }
  }
  return names;
}

/**
 * The mangled names that hold the source name `wanted`, such as `_ZN3App4readEi` for `App::read`.
 * Both C++ (Itanium ABI) and Rust write each part of a name after its length.
 */
function mangledNames(wanted: string, names: Iterable<string>): string[] {
  const source = wanted.replace(/[(<].*$/, "");
  const parts = source.split("::").filter((part) => part !== "");
  if (parts.length === 0) return [];
  const piece = parts.map((part) => `${part.length}${part}`).join("");
  return [...names].filter((name) => /^_[ZR]/.test(name) && name.includes(piece)).slice(
    0,
    MOST_HINTS,
  );
}
