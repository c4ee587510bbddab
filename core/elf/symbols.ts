import {
  type Elf,
  ElfError,
  type Section,
  sectionBytes,
  sectionPieces,
  SHT_DYNSYM,
  SHT_GNU_VERSYM,
  SHT_STRTAB,
  SHT_SYMTAB,
  stringAt,
} from "./elf.ts";

/** A function in a symbol table. */
export interface FunctionSymbol {
  /** As the linker has it, C++ and Rust names mangled; without a version (`@@GLIBC_2.14`). */
  readonly name: string;
  /** `indirect` functions choose their code when the program starts (STT_GNU_IFUNC). */
  readonly kind: "function" | "indirect";
  readonly binding: "local" | "global";
  /** Whether the code is in another file. */
  readonly imported: boolean;
  /** Whether it is of an old version that programs get only if they were linked to it. */
  readonly hidden: boolean;
  /** Virtual address, not an offset into the file. */
  readonly address: bigint;
  /** Bytes of code; 0 if the file does not say. */
  readonly size: bigint;
}

const SYMBOL_SIZE = 24n;
const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
const STB_LOCAL = 0;
const SHN_UNDEF = 0;

const AT_SIGN = 0x40;

/** In `.gnu.version`: not the default version. */
const VERSYM_HIDDEN = 0x8000;

/** A big program with debug symbols has some 100 MB of names; C++ names can have some kilobytes. */
const MAX_NAMES = 256 * 1024 * 1024;
const MAX_NAME = 65536;

/**
 * Names may share bytes in the table, but not without end: a table made so that reading it takes
 * forever is refused.
 */
const SHARED_BYTES = 16;

const encoder = new TextEncoder();

/**
 * The functions of `.symtab` and `.dynsym`, in that order; what is in both comes twice.
 *
 * @param name only those of this name, which is much faster than to look at all
 * @throws {ElfError} if a table is damaged.
 */
export function* functionSymbols(elf: Elf, name?: string): Generator<FunctionSymbol> {
  const wanted = name === undefined ? undefined : encoder.encode(name);
  for (const type of [SHT_SYMTAB, SHT_DYNSYM]) {
    for (const [index, section] of elf.sections.entries()) {
      if (section.type === type) yield* tableSymbols(elf, section, index, wanted);
    }
  }
}

/** Whether the file has a symbol table for its own functions, not only for its exports. */
export function hasSymbolTable(elf: Elf): boolean {
  return elf.sections.some(({ type }) => type === SHT_SYMTAB);
}

function* tableSymbols(
  elf: Elf,
  table: Section,
  index: number,
  wanted: Uint8Array | undefined,
): Generator<FunctionSymbol> {
  const strings = elf.sections[table.link];
  if (strings?.type !== SHT_STRTAB) throw new ElfError(`Table "${table.name}" has no names`);
  if (table.entrySize !== SYMBOL_SIZE || table.size % SYMBOL_SIZE !== 0n) {
    throw new ElfError(`Table "${table.name}" is damaged`);
  }
  const names = sectionBytes(elf.read, strings, MAX_NAMES);
  const versions = table.type === SHT_DYNSYM ? readVersions(elf, index) : undefined;
  let budget = names.length * SHARED_BYTES + MAX_NAME;
  let entry = 0;
  for (const piece of sectionPieces(elf.read, table)) {
    for (let at = 0; at < piece.byteLength; at += Number(SYMBOL_SIZE), entry++) {
      const info = piece.getUint8(at + 4);
      const type = info & 0xf;
      const imported = piece.getUint16(at + 6, true) === SHN_UNDEF;
      const named = type === STT_FUNC || type === STT_GNU_IFUNC ||
        type === STT_NOTYPE && imported;
      const nameAt = piece.getUint32(at, true);
      if (!named || nameAt === 0) continue;
      if (wanted !== undefined && !isNamed(names, nameAt, wanted)) continue;

      const written = stringAt(names, nameAt, MAX_NAME);
      budget -= written.length + 1;
      if (budget < 0) throw new ElfError(`The names of table "${table.name}" are damaged`);
      const version = written.indexOf("@");
      yield {
        name: version < 0 ? written : written.slice(0, version),
        kind: type === STT_GNU_IFUNC ? "indirect" : "function",
        binding: info >> 4 === STB_LOCAL ? "local" : "global",
        imported,
        hidden: version < 0
          ? ((versions?.[entry] ?? 0) & VERSYM_HIDDEN) !== 0
          : written[version + 1] !== "@",
        address: piece.getBigUint64(at + 8, true),
        size: piece.getBigUint64(at + 16, true),
      };
    }
  }
}

/** Whether the name at `offset` is `wanted`, with or without a version. */
function isNamed(names: Uint8Array, offset: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (names[offset + index] !== wanted[index]) return false;
  }
  const after = names[offset + wanted.length];
  return after === 0 || after === AT_SIGN;
}

/** The versions of the symbols of table `index`; undefined if they have none. */
function readVersions(elf: Elf, index: number): Uint16Array | undefined {
  const section = elf.sections.find(({ type, link }) => type === SHT_GNU_VERSYM && link === index);
  if (section === undefined) return undefined;
  const bytes = sectionBytes(elf.read, section, MAX_NAMES);
  return Uint16Array.from(
    { length: bytes.length >> 1 },
    (_, entry) => bytes[2 * entry] | bytes[2 * entry + 1] << 8,
  );
}
