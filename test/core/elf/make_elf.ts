/** An ELF file built in memory, so that each part can be made wrong on its own. */

import type { ReadAt } from "../../../core/elf/elf.ts";

/** Offset and address of the code of every file made here. */
export const CODE_OFFSET = 0x1000;
export const CODE_ADDRESS = 0x401000n;

export interface MadeSymbol {
  readonly name: string;
  readonly address?: bigint;
  readonly size?: bigint;
  /** STT_NOTYPE 0, STT_OBJECT 1, STT_FUNC 2 (the default), STT_GNU_IFUNC 10. */
  readonly type?: number;
  /** STB_LOCAL 0, STB_GLOBAL 1 (the default). */
  readonly binding?: number;
  readonly imported?: boolean;
  /** Entry of `.gnu.version`. */
  readonly version?: number;
}

export interface MadeElf {
  /** ET_EXEC 2 or ET_DYN 3 (the default). */
  readonly type?: number;
  readonly machine?: number;
  readonly symbols?: readonly MadeSymbol[];
  readonly dynamic?: readonly MadeSymbol[];
  /** Further sections: name, type (SHT_NOTE 7, SHT_PROGBITS 1), content. */
  readonly sections?: readonly MadeSection[];
}

export interface MadeSection {
  readonly name: string;
  readonly type: number;
  readonly content: Uint8Array;
  readonly address?: bigint;
  readonly link?: number;
  readonly entrySize?: bigint;
}

const encoder = new TextEncoder();

/** The bytes of an ELF file with one executable segment at {@link CODE_ADDRESS}. */
export function makeElf(
  { type = 3, machine = 62, symbols, dynamic, sections = [] }: MadeElf,
): Uint8Array {
  const list: MadeSection[] = [{ name: "", type: 0, content: new Uint8Array(0) }];
  if (symbols) addTable(list, ".symtab", 2, ".strtab", symbols);
  if (dynamic) {
    addTable(list, ".dynsym", 11, ".dynstr", dynamic);
    const versions = new Uint16Array([0, ...dynamic.map(({ version = 1 }) => version)]);
    list.push({
      name: ".gnu.version",
      type: 0x6fffffff,
      content: new Uint8Array(versions.buffer),
      link: list.length - 1,
      entrySize: 2n,
    });
  }
  list.push(...sections);
  const names = strings([...list.map(({ name }) => name), ".shstrtab"]);
  list.push({ name: ".shstrtab", type: 3, content: names.bytes });

  const tableAt = 0x2000;
  let contentAt = tableAt + list.length * 64;
  const placed = list.map((section) => {
    const at = contentAt;
    contentAt += Math.ceil(section.content.length / 8) * 8;
    return { ...section, at };
  });
  const bytes = new Uint8Array(contentAt);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setBigUint64(40, BigInt(tableAt), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, list.length, true);
  view.setUint16(62, list.length - 1, true);

  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setBigUint64(72, BigInt(CODE_OFFSET), true);
  view.setBigUint64(80, CODE_ADDRESS, true);
  view.setBigUint64(96, 0x1000n, true);

  for (const [index, section] of placed.entries()) {
    const at = tableAt + index * 64;
    bytes.set(section.content, section.at);
    view.setUint32(at, names.offset(section.name), true);
    view.setUint32(at + 4, section.type, true);
    view.setBigUint64(at + 16, section.address ?? 0n, true);
    view.setBigUint64(at + 24, BigInt(section.at), true);
    view.setBigUint64(at + 32, BigInt(section.content.length), true);
    view.setUint32(at + 40, section.link ?? 0, true);
    view.setBigUint64(at + 48, 4n, true);
    view.setBigUint64(at + 56, section.entrySize ?? 0n, true);
  }
  return bytes;
}

/** Reads from memory as from a file. */
export function readerOf(bytes: Uint8Array): ReadAt {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

function addTable(
  list: MadeSection[],
  name: string,
  type: number,
  stringsName: string,
  symbols: readonly MadeSymbol[],
): void {
  const names = strings(symbols.map((symbol) => symbol.name));
  const content = new Uint8Array((symbols.length + 1) * 24);
  const view = new DataView(content.buffer);
  for (const [index, symbol] of symbols.entries()) {
    const at = (index + 1) * 24;
    view.setUint32(at, names.offset(symbol.name), true);
    view.setUint8(at + 4, (symbol.binding ?? 1) << 4 | (symbol.type ?? 2));
    view.setUint16(at + 6, symbol.imported ? 0 : 1, true);
    view.setBigUint64(at + 8, symbol.address ?? CODE_ADDRESS, true);
    view.setBigUint64(at + 16, symbol.size ?? 16n, true);
  }
  list.push({ name: stringsName, type: 3, content: names.bytes });
  list.push({ name, type, content, link: list.length - 1, entrySize: 24n });
}

function strings(names: readonly string[]): { bytes: Uint8Array; offset(name: string): number } {
  const offsets = new Map<string, number>();
  let text = "\0";
  for (const name of names) {
    if (name === "" || offsets.has(name)) continue;
    offsets.set(name, text.length);
    text += `${name}\0`;
  }
  return { bytes: encoder.encode(text), offset: (name) => offsets.get(name) ?? 0 };
}
