/**
 * ELF executables and libraries, read piece by piece: header, segments, sections.
 *
 * Every number in the file is held against what is there before it is used, so that a damaged or
 * hostile file ends in an {@link ElfError}. The layout is that of elf(5) and <elf.h>.
 * @module
 */

import type { Arch } from "../probe/registers.ts";

/** Reads at most `length` bytes at `offset` of a file; fewer only at its end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** A file that is not an ELF file that can be used, or does not have what was asked for. */
export class ElfError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "ElfError";
    this.hint = hint;
  }
}

/** A part of the file that the kernel maps or reads when it starts the program (`Elf64_Phdr`). */
export interface Segment {
  /** Such as {@link PT_LOAD}. */
  readonly type: number;
  /** Bits such as {@link PF_X}. */
  readonly flags: number;
  readonly offset: bigint;
  readonly address: bigint;
  /** Bytes in the file. */
  readonly fileSize: bigint;
  readonly align: bigint;
}

/** A named part of the file (`Elf64_Shdr`). */
export interface Section {
  readonly name: string;
  /** Such as {@link SHT_SYMTAB}. */
  readonly type: number;
  readonly address: bigint;
  readonly offset: bigint;
  /** Bytes; in the file, unless the type is {@link SHT_NOBITS}. */
  readonly size: bigint;
  /** Index of a section that belongs to it. */
  readonly link: number;
  readonly align: bigint;
  /** Bytes of one entry, for tables. */
  readonly entrySize: bigint;
}

/** An open ELF file. It can be used as long as `read` can. */
export interface Elf {
  readonly read: ReadAt;
  /** `executable` has fixed addresses (ET_EXEC); `shared` is position independent (ET_DYN). */
  readonly type: "executable" | "shared";
  /** Absent for a machine that sonde knows nothing of. */
  readonly arch?: Arch;
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
}

export const PT_LOAD = 1;
export const PT_NOTE = 4;
export const PF_X = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHT_GNU_VERSYM = 0x6fffffff;

const HEADER_SIZE = 64;
const SEGMENT_SIZE = 56;
const SECTION_SIZE = 64;

/** Stands in `e_phnum` and `e_shstrndx` for "see the first section". */
const PN_XNUM = 0xffff;
const SHN_XINDEX = 0xffff;

/** Linked files have tens of sections and segments, at most some thousands. */
const MAX_TABLE = 65535;

/** Section names of linked files take some hundred bytes. */
const MAX_SECTION_NAMES = 4 * 1024 * 1024;
const MAX_SECTION_NAME = 256;

const FILE_TYPES: Record<number, string> = {
  1: "an object file that is not linked",
  4: "a core dump",
};

const decoder = new TextDecoder();

/**
 * Reads header, segments and sections.
 *
 * @throws {ElfError} if it is not a 64-bit little-endian executable or library, or is damaged.
 */
export function readElf(read: ReadAt): Elf {
  const ident = read(0, HEADER_SIZE);
  if (ident.length < 4 || ident[0] !== 0x7f || decoder.decode(ident.subarray(1, 4)) !== "ELF") {
    const script = ident[0] === 0x23 && ident[1] === 0x21;
    throw script
      ? new ElfError("It is a script, not an ELF file", "Name the interpreter instead")
      : new ElfError("It is not an ELF file");
  }
  if (ident[4] === 1) throw new ElfError("It is a 32-bit ELF file; sonde reads 64-bit ones");
  if (ident[5] === 2) throw new ElfError("It is a big-endian ELF file; sonde reads little-endian");
  if (ident[4] !== 2 || ident[5] !== 1) throw new ElfError("The ELF header is damaged");

  const header = readExactly(read, 0n, HEADER_SIZE, "ELF header");
  const fileType = header.getUint16(16, true);
  if (fileType !== 2 && fileType !== 3) {
    const what = FILE_TYPES[fileType] ?? `of ELF type ${fileType}`;
    throw new ElfError(`It is ${what}, not an executable or a library`);
  }
  const first = readFirstSection(read, header);
  return {
    read,
    type: fileType === 2 ? "executable" : "shared",
    ...archOf(header.getUint16(18, true)),
    segments: readSegments(read, header, first),
    sections: readSections(read, header, first),
  };
}

/** Exactly `length` bytes at `offset`. @throws {ElfError} if the file ends before. */
export function readExactly(read: ReadAt, offset: bigint, length: number, what: string): DataView {
  const bytes = offset <= BigInt(Number.MAX_SAFE_INTEGER)
    ? read(Number(offset), length)
    : new Uint8Array(0);
  if (bytes.length < length) {
    throw new ElfError(`The file ends before its ${what} (${length} bytes at offset ${offset})`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/** Bytes read at a time. A multiple of the size of a symbol (24), a version (2) and a word. */
const PIECE = 24 * 65536;

/**
 * The content of a section in pieces of whole entries, so that a size that is not true costs no
 * more than the file is long.
 */
export function* sectionPieces(read: ReadAt, section: Section): Generator<DataView> {
  if (section.type === SHT_NOBITS) return;
  for (let done = 0n; done < section.size;) {
    const rest = section.size - done;
    const length = rest < PIECE ? Number(rest) : PIECE;
    yield readExactly(read, section.offset + done, length, `section "${section.name}"`);
    done += BigInt(length);
  }
}

/** The content of a section that has at most `most` bytes. @throws {ElfError} if it has more. */
export function sectionBytes(read: ReadAt, section: Section, most: number): Uint8Array {
  if (section.type === SHT_NOBITS) return new Uint8Array(0);
  if (section.size > BigInt(most)) {
    throw new ElfError(`Section "${section.name}" has ${section.size} bytes, more than ${most}`);
  }
  const pieces = [...sectionPieces(read, section)];
  const whole = new Uint8Array(Number(section.size));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of pieces) {
    whole.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return whole;
}

/** The text that ends with a NUL at `offset` of `bytes`; of at most `most` bytes. */
export function stringAt(bytes: Uint8Array, offset: number, most: number): string {
  const end = bytes.subarray(offset, offset + most).indexOf(0);
  return decoder.decode(bytes.subarray(offset, end < 0 ? offset + most : offset + end));
}

function archOf(machine: number): { arch?: Arch } {
  if (machine === 62) return { arch: "x86-64" };
  if (machine === 183) return { arch: "arm64" };
  return {};
}

interface SectionHeader {
  readonly name: number;
  readonly type: number;
  readonly address: bigint;
  readonly offset: bigint;
  readonly size: bigint;
  readonly link: number;
  readonly info: number;
  readonly align: bigint;
  readonly entrySize: bigint;
}

/** The first section, which holds counts that do not fit the header; absent without sections. */
function readFirstSection(read: ReadAt, header: DataView): SectionHeader | undefined {
  const offset = header.getBigUint64(40, true);
  if (offset === 0n) return undefined;
  if (header.getUint16(58, true) !== SECTION_SIZE) {
    throw new ElfError("The section table is damaged");
  }
  return sectionHeader(readExactly(read, offset, SECTION_SIZE, "section table"), 0);
}

function readSegments(
  read: ReadAt,
  header: DataView,
  first: SectionHeader | undefined,
): Segment[] {
  const offset = header.getBigUint64(32, true);
  const written = header.getUint16(56, true);
  const count = written === PN_XNUM && first !== undefined ? first.info : written;
  if (count === 0) return [];
  if (count > MAX_TABLE || header.getUint16(54, true) !== SEGMENT_SIZE) {
    throw new ElfError("The segment table is damaged");
  }
  const table = readExactly(read, offset, count * SEGMENT_SIZE, "segment table");
  return Array.from({ length: count }, (_, index) => {
    const at = index * SEGMENT_SIZE;
    return {
      type: table.getUint32(at, true),
      flags: table.getUint32(at + 4, true),
      offset: table.getBigUint64(at + 8, true),
      address: table.getBigUint64(at + 16, true),
      fileSize: table.getBigUint64(at + 32, true),
      align: table.getBigUint64(at + 48, true),
    };
  });
}

function readSections(
  read: ReadAt,
  header: DataView,
  first: SectionHeader | undefined,
): Section[] {
  if (first === undefined) return [];
  const written = header.getUint16(60, true);
  const count = written === 0 ? first.size : BigInt(written);
  if (count > BigInt(MAX_TABLE)) throw new ElfError(`The section table has ${count} entries`);
  const offset = header.getBigUint64(40, true);
  const table = readExactly(read, offset, Number(count) * SECTION_SIZE, "section table");
  const headers = Array.from(
    { length: Number(count) },
    (_, index) => sectionHeader(table, index * SECTION_SIZE),
  );
  const index = header.getUint16(62, true);
  const names = headers[index === SHN_XINDEX ? first.link : index];
  const text = names === undefined || names.type !== SHT_STRTAB
    ? new Uint8Array(0)
    : sectionBytes(read, { ...names, name: ".shstrtab" }, MAX_SECTION_NAMES);
  return headers.map(({ name, info: _, ...section }) => ({
    ...section,
    name: stringAt(text, name, MAX_SECTION_NAME),
  }));
}

function sectionHeader(table: DataView, at: number): SectionHeader {
  return {
    name: table.getUint32(at, true),
    type: table.getUint32(at + 4, true),
    address: table.getBigUint64(at + 16, true),
    offset: table.getBigUint64(at + 24, true),
    size: table.getBigUint64(at + 32, true),
    link: table.getUint32(at + 40, true),
    info: table.getUint32(at + 44, true),
    align: table.getBigUint64(at + 48, true),
    entrySize: table.getBigUint64(at + 56, true),
  };
}
