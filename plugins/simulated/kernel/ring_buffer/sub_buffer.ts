/**
 * One sub-buffer of a ring buffer: a page of entries in the kernel's format.
 * Layout and constants: kernel/trace/ring_buffer.c, include/linux/ring_buffer.h
 * (64-bit little endian, `CONFIG_HAVE_64BIT_ALIGNED_ACCESS` unset, as on x86-64 and arm64).
 * @module
 */

/** Bytes of a sub-buffer. */
export const SUB_BUFFER_SIZE = 4096;
/** Bytes in front of the entries: time stamp (u64) and commit (local_t). */
export const HEADER_SIZE = 16;
/** Bytes for entries, their headers included. */
export const CAPACITY = SUB_BUFFER_SIZE - HEADER_SIZE;
/** The most data one entry can hold: the capacity less two words of header. */
export const MAX_DATA = CAPACITY - 8;

/** Values of `type_len` that are no length in words. */
export const TYPE_PADDING = 29;
export const TYPE_TIME_EXTEND = 30;
export const TYPE_TIME_STAMP = 31;

/** Bytes of a time extend or an absolute time stamp. */
export const STAMP_LENGTH = 8;
/** Bits of a time delta in an entry header. */
export const DELTA_BITS = 27n;
/** Flags in the commit word: events were lost before this page; their number follows the data. */
export const MISSED_EVENTS = 0x80000000;
export const MISSED_STORED = 0x40000000;

const DELTA_MASK = (1n << DELTA_BITS) - 1n;
const ENTRY_HEADER = 4;
/** Longer data has its length in a word of its own. */
const MAX_SMALL_DATA = 28 * 4;

/** The memory of a sub-buffer, which moves between the ring and its readers. */
export class DataPage {
  readonly bytes = new Uint8Array(SUB_BUFFER_SIZE);
  readonly view = new DataView(this.bytes.buffer);

  get timeStamp(): bigint {
    return this.view.getBigUint64(0, true);
  }

  set timeStamp(stamp: bigint) {
    this.view.setBigUint64(0, stamp, true);
  }

  /** Committed bytes; with the `MISSED_` flags on a page that was handed out. */
  get commit(): number {
    return this.view.getUint32(8, true);
  }

  set commit(commit: number) {
    this.view.setUint32(8, commit, true);
    this.view.setUint32(12, 0, true);
  }
}

/** A sub-buffer in its place in the ring. Indexes count from the first entry. */
export class SubBuffer {
  data = new DataPage();
  /** Where the next entry goes. */
  write = 0;
  /** Where the consuming reader is. */
  read = 0;
  /** Data entries on the page. */
  entries = 0;
  /** End of the entries where padding follows them; 0 where none does. */
  realEnd = 0;
  next: SubBuffer = this;
  previous: SubBuffer = this;

  /** Empties the page as `rb_clear_buffer_page` does: time stamp and bytes stay. */
  clear(): void {
    this.write = 0;
    this.entries = 0;
    this.read = 0;
    this.data.commit = 0;
  }
}

/** Bytes that an entry of `length` bytes of data takes, header included (`rb_calculate_event_length`). */
export function entrySize(length: number): number {
  const data = Math.max(length, 1);
  const size = (data + ENTRY_HEADER + (data > MAX_SMALL_DATA ? 4 : 0) + 3) & ~3;
  // An entry must leave room for a time extend and padding if it is discarded: 12 becomes 16.
  return size === STAMP_LENGTH + 4 ? size + 4 : size;
}

/** Writes the header of an entry of `size` bytes at `index`; the index of its data. */
export function putEntryHeader(
  page: DataPage,
  index: number,
  size: number,
  delta: number,
): number {
  const at = HEADER_SIZE + index;
  const length = size - ENTRY_HEADER;
  if (length > MAX_SMALL_DATA) {
    putWord(page, at, 0, delta);
    page.view.setUint32(at + 4, length, true);
    return index + 8;
  }
  putWord(page, at, length / 4, delta);
  return index + 4;
}

/** Writes a time extend (`time` is a difference) or an absolute stamp (`time` is the clock). */
export function putStamp(
  page: DataPage,
  index: number,
  type: typeof TYPE_TIME_EXTEND | typeof TYPE_TIME_STAMP,
  time: bigint,
): void {
  const at = HEADER_SIZE + index;
  putWord(page, at, type, Number(time & DELTA_MASK));
  page.view.setUint32(at + 4, Number(BigInt.asUintN(32, time >> DELTA_BITS)), true);
}

/** Fills the page from `index` on: with a discarded entry, or a null one if only a word is left. */
export function putPadding(page: DataPage, index: number): void {
  const at = HEADER_SIZE + index;
  const left = CAPACITY - index;
  if (left < 8) {
    putWord(page, at, TYPE_PADDING, 0);
    return;
  }
  // The delta tells a discarded entry from the null one that ends a page.
  putWord(page, at, TYPE_PADDING, 1);
  page.view.setUint32(at + 4, left - ENTRY_HEADER, true);
}

function putWord(page: DataPage, at: number, type: number, delta: number): void {
  page.view.setUint32(at, ((delta << 5) | type) >>> 0, true);
}

/** `type_len` of the entry at `index`. */
export function typeAt(page: DataPage, index: number): number {
  return page.view.getUint8(HEADER_SIZE + index) & 31;
}

/** Time delta of the entry at `index`, in nanoseconds. */
export function deltaAt(page: DataPage, index: number): number {
  return page.view.getUint32(HEADER_SIZE + index, true) >>> 5;
}

/** Value of the time extend or absolute stamp at `index`: 59 bits. */
export function stampAt(page: DataPage, index: number): bigint {
  const high = page.view.getUint32(HEADER_SIZE + index + 4, true);
  return (BigInt(high) << DELTA_BITS) + BigInt(deltaAt(page, index));
}

/** Bytes of the entry at `index`, header included; a stamp counts alone (`rb_event_length`). */
export function sizeAt(page: DataPage, index: number): number {
  const type = typeAt(page, index);
  if (type === TYPE_TIME_EXTEND || type === TYPE_TIME_STAMP) return STAMP_LENGTH;
  if (type === TYPE_PADDING || type === 0) {
    return ENTRY_HEADER + page.view.getUint32(HEADER_SIZE + index + 4, true);
  }
  return ENTRY_HEADER + type * 4;
}

/** The data of the data entry at `index`, padded to whole words; not a copy. */
export function dataAt(page: DataPage, index: number): Uint8Array {
  const start = HEADER_SIZE + index + (typeAt(page, index) === 0 ? 8 : 4);
  return page.bytes.subarray(start, HEADER_SIZE + index + sizeAt(page, index));
}

/** An absolute stamp with the five high bits that it lost, taken from `saved` (`rb_fix_abs_ts`). */
export function restoreHighBits(stamp: bigint, saved: bigint): bigint {
  const high = saved >> 59n;
  if (high === 0n) return stamp;
  const fixed = stamp | (high << 59n);
  return fixed < saved ? fixed + (1n << 59n) : fixed;
}
