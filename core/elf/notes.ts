import { type Elf, PT_NOTE, type Section, sectionBytes, type Segment, SHT_NOTE } from "./elf.ts";

/** One entry of a note section (`Elf64_Nhdr`). */
export interface Note {
  /** Who defines the type, such as `GNU` or `stapsdt`. */
  readonly owner: string;
  readonly type: number;
  readonly content: Uint8Array;
}

/** Notes of a big program with many USDT probes have some hundred kilobytes. */
const MAX_NOTES = 16 * 1024 * 1024;
const NT_GNU_BUILD_ID = 3;

const decoder = new TextDecoder();

/**
 * The notes of the sections that `accept` takes; of the segments of a file without sections.
 *
 * @throws {ElfError} if the file ends before. Notes that do not fit their section end the list.
 */
export function* readNotes(
  elf: Elf,
  accept: (section: Section) => boolean = () => true,
): Generator<Note> {
  const parts = elf.sections.length > 0
    ? elf.sections.filter((section) => section.type === SHT_NOTE && accept(section))
    : elf.segments.filter(({ type }) => type === PT_NOTE).map(asSection);
  for (const part of parts) {
    yield* parseNotes(sectionBytes(elf.read, part, MAX_NOTES), part.align === 8n ? 8 : 4);
  }
}

/** The build id in hexadecimal, as `file` prints it; undefined if the file has none. */
export function buildId(elf: Elf): string | undefined {
  for (const { owner, type, content } of readNotes(elf)) {
    if (owner === "GNU" && type === NT_GNU_BUILD_ID) {
      return Array.from(content, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  }
  return undefined;
}

function asSection({ type, offset, fileSize, address, align }: Segment): Section {
  return { name: "PT_NOTE", type, offset, size: fileSize, address, align, link: 0, entrySize: 0n };
}

function* parseNotes(bytes: Uint8Array, align: 4 | 8): Generator<Note> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const padded = (offset: number) => Math.ceil(offset / align) * align;
  for (let at = 0; at + 12 <= bytes.length;) {
    const ownerSize = view.getUint32(at, true);
    const contentSize = view.getUint32(at + 4, true);
    const contentAt = padded(at + 12 + ownerSize);
    const end = contentAt + contentSize;
    if (end > bytes.length) return;
    yield {
      owner: decoder.decode(bytes.subarray(at + 12, at + 12 + ownerSize)).replace(/\0.*$/s, ""),
      type: view.getUint32(at + 8, true),
      content: bytes.subarray(contentAt, end),
    };
    at = padded(end);
  }
}
