/** A function of a simulated executable. */
export interface ExecutableFunction {
  readonly name: string;
  /** Offset into the file, in bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Where the code of a simulated executable starts in its file, and how long each function is. */
const CODE_START = 0x1000;
const FUNCTION_SIZE = 0x100;
/** Virtual address that the code is linked for, as for a position-independent executable. */
const CODE_ADDRESS = 0x1000;

const ELF_HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
const SYMBOL = 24;

const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_PROGBITS = 1;
const STB_GLOBAL_FUNC = (1 << 4) | 2;
const EM: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };

/** Lays out `names` one after the other. */
export function layOutFunctions(names: readonly string[]): ExecutableFunction[] {
  return names.map((name, index) => ({
    name,
    offset: CODE_START + index * FUNCTION_SIZE,
    size: FUNCTION_SIZE,
  }));
}

/**
 * A minimal ELF file (ET_DYN, one executable PT_LOAD, `.symtab`) that has `functions`, so that the
 * same code resolves a symbol in a simulated executable and in a real one.
 */
export function makeElf(functions: readonly ExecutableFunction[], arch: string): Uint8Array {
  const encoder = new TextEncoder();
  const sectionNames = "\0.text\0.symtab\0.strtab\0.shstrtab\0";
  const names = encoder.encode("\0" + functions.map(({ name }) => name + "\0").join(""));
  const codeEnd = CODE_START + Math.max(functions.length, 1) * FUNCTION_SIZE;
  const symbolsAt = codeEnd;
  const symbolsSize = (functions.length + 1) * SYMBOL;
  const namesAt = symbolsAt + symbolsSize;
  const sectionNamesAt = namesAt + names.length;
  const sectionsAt = Math.ceil((sectionNamesAt + sectionNames.length) / 8) * 8;
  const bytes = new Uint8Array(sectionsAt + 5 * SECTION_HEADER);
  const view = new DataView(bytes.buffer);

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 3, true);
  view.setUint16(18, EM[arch] ?? EM.x86_64, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(ELF_HEADER), true);
  view.setBigUint64(40, BigInt(sectionsAt), true);
  view.setUint16(52, ELF_HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, SECTION_HEADER, true);
  view.setUint16(60, 5, true);
  view.setUint16(62, 4, true);

  const codeSize = BigInt(codeEnd - CODE_START);
  view.setUint32(ELF_HEADER, 1, true); // PT_LOAD
  view.setUint32(ELF_HEADER + 4, 5, true); // PF_R | PF_X
  view.setBigUint64(ELF_HEADER + 8, BigInt(CODE_START), true);
  view.setBigUint64(ELF_HEADER + 16, BigInt(CODE_ADDRESS), true);
  view.setBigUint64(ELF_HEADER + 24, BigInt(CODE_ADDRESS), true);
  view.setBigUint64(ELF_HEADER + 32, codeSize, true);
  view.setBigUint64(ELF_HEADER + 40, codeSize, true);
  view.setBigUint64(ELF_HEADER + 48, 4096n, true);

  let nameOffset = 1;
  functions.forEach(({ name, offset, size }, index) => {
    const at = symbolsAt + (index + 1) * SYMBOL;
    view.setUint32(at, nameOffset, true);
    view.setUint8(at + 4, STB_GLOBAL_FUNC);
    view.setUint16(at + 6, 1, true);
    view.setBigUint64(at + 8, BigInt(offset - CODE_START + CODE_ADDRESS), true);
    view.setBigUint64(at + 16, BigInt(size), true);
    nameOffset += encoder.encode(name).length + 1;
  });
  bytes.set(names, namesAt);
  bytes.set(encoder.encode(sectionNames), sectionNamesAt);

  const section = (index: number, fields: {
    name: number;
    type: number;
    flags?: number;
    address?: number;
    offset: number;
    size: number;
    link?: number;
    info?: number;
    entry?: number;
  }) => {
    const at = sectionsAt + index * SECTION_HEADER;
    view.setUint32(at, fields.name, true);
    view.setUint32(at + 4, fields.type, true);
    view.setBigUint64(at + 8, BigInt(fields.flags ?? 0), true);
    view.setBigUint64(at + 16, BigInt(fields.address ?? 0), true);
    view.setBigUint64(at + 24, BigInt(fields.offset), true);
    view.setBigUint64(at + 32, BigInt(fields.size), true);
    view.setUint32(at + 40, fields.link ?? 0, true);
    view.setUint32(at + 44, fields.info ?? 0, true);
    view.setBigUint64(at + 48, 8n, true);
    view.setBigUint64(at + 56, BigInt(fields.entry ?? 0), true);
  };
  section(1, {
    name: 1,
    type: SHT_PROGBITS,
    flags: 6,
    address: CODE_ADDRESS,
    offset: CODE_START,
    size: codeEnd - CODE_START,
  });
  section(2, {
    name: 7,
    type: SHT_SYMTAB,
    offset: symbolsAt,
    size: symbolsSize,
    link: 3,
    info: 1,
    entry: SYMBOL,
  });
  section(3, { name: 15, type: SHT_STRTAB, offset: namesAt, size: names.length });
  section(4, {
    name: 23,
    type: SHT_STRTAB,
    offset: sectionNamesAt,
    size: sectionNames.length,
  });
  return bytes;
}
