/**
 * Walking a sub-buffer: the entries of one page of a kernel ring buffer, with exact times.
 * Format: include/linux/ring_buffer.h and kernel/trace/ring_buffer.c, little endian.
 *
 * Nothing is made per entry: places and times go into columns that are used again for every page.
 * Time is seconds and nanoseconds, as 64-bit nanoseconds pass what a number can hold.
 * @module
 */

import type { PageLayout } from "./header_page.ts";

const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;
const MISSED_EVENTS = 0x80000000;
const MISSED_STORED = 0x40000000;
const COMMIT_MASK = 0x3fffffff;
const SECOND = 1_000_000_000;
const BIG_SECOND = 1_000_000_000n;
/** An entry takes at least a header and a word. */
const MIN_ENTRY = 8;
/** An absolute stamp has 59 bits; the rest comes from the page's time stamp. */
const STAMP_BITS = 59n;

/** A page that breaks its own format. */
export class PageError extends Error {
  /** Where in the page, in bytes from its start. */
  readonly offset: number;

  constructor(offset: number, reason: string) {
    super(`Damaged page at byte ${offset}: ${reason}`);
    this.name = "PageError";
    this.offset = offset;
  }
}

/** The data entries of a page, one index for each. */
export class EntryColumns {
  count = 0;
  /** Offset of the entry's data in the page's buffer. */
  starts = new Int32Array(0);
  /** Bytes of data, padding to whole words included. */
  lengths = new Int32Array(0);
  /** Whole seconds of the buffer's clock. */
  seconds = new Float64Array(0);
  /** Nanoseconds of the second, 0 to 999,999,999. */
  nanos = new Int32Array(0);

  /** Makes room for `capacity` entries; what was in there may be lost. */
  reserve(capacity: number): void {
    if (this.starts.length >= capacity) return;
    this.starts = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.seconds = new Float64Array(capacity);
    this.nanos = new Int32Array(capacity);
  }
}

/** How far a page that the kernel still writes to has been walked. */
export interface PageCursor {
  /** Bytes of data behind us; 0 before the first walk. */
  position: number;
  /** Time of the last entry. */
  seconds: number;
  nanos: number;
}

/** What a walk found besides entries. */
export interface PageWalk {
  /** Entries lost in front of this page: 0 for none, null where the kernel cannot say how many. */
  readonly lost: number | null;
  /** What stopped the walk; what was read until then is in the columns. */
  readonly error: PageError | undefined;
}

/**
 * Puts the entries of the page at `offset` of `view` into `out`.
 *
 * @param cursor takes the walk up where it stopped, and is moved on; for mapped pages.
 */
export function walkPage(
  view: DataView,
  offset: number,
  layout: PageLayout,
  out: EntryColumns,
  cursor?: PageCursor,
): PageWalk {
  out.count = 0;
  const size = Math.min(layout.size, view.byteLength - offset);
  if (size < layout.data) {
    return { lost: 0, error: new PageError(0, `${size} bytes are less than a page header`) };
  }
  const commit = view.getUint32(offset + layout.commit, true);
  const length = commit & COMMIT_MASK;
  const room = size - layout.data;
  out.reserve(Math.ceil(room / MIN_ENTRY));
  const start = cursor ?? { position: 0, seconds: 0, nanos: 0 };
  const lost = start.position > 0 ? 0 : lostBefore(view, offset, layout, commit, room);
  const error = walkEntries(view, offset, layout, Math.min(length, room), out, start);
  if (length <= room) return { lost, error };
  const reason = `${length} bytes committed, but the page holds ${room}`;
  return { lost, error: new PageError(layout.commit, reason) };
}

function walkEntries(
  view: DataView,
  offset: number,
  layout: PageLayout,
  length: number,
  out: EntryColumns,
  cursor: PageCursor,
): PageError | undefined {
  const { starts, lengths, seconds: columnSeconds, nanos: columnNanos } = out;
  const base = offset + layout.data;
  const end = base + length;
  const pageStamp = view.getBigUint64(offset + layout.timeStamp, true);
  if (cursor.position === 0) {
    cursor.seconds = Number(pageStamp / BIG_SECOND);
    cursor.nanos = Number(pageStamp % BIG_SECOND);
  }
  let { seconds, nanos } = cursor;
  let at = base + cursor.position;
  let count = 0;
  let reason = "";
  while (at + 4 <= end) {
    const header = view.getInt32(at, true);
    const type = header & 31;
    const delta = header >>> 5;
    let data = at + 4;
    let next = data + type * 4;
    if (type === 0 || type >= TYPE_PADDING) {
      if (header === TYPE_PADDING) {
        // A null entry: nothing follows on this page.
        at = end;
        break;
      }
      if (at + 8 > end) {
        reason = "the second word of an entry is missing";
        break;
      }
      const word = view.getUint32(at + 4, true);
      if (type === TYPE_TIME_EXTEND) {
        // word * 2^27 ns by 10^9 = 2^9 * 1953125, so that every step stays below 2^53.
        const high = word * 262144;
        const rest = high % 1953125;
        seconds += (high - rest) / 1953125;
        nanos += rest * 512 + delta;
        while (nanos >= SECOND) {
          seconds++;
          nanos -= SECOND;
        }
        at += 8;
        continue;
      }
      if (type === TYPE_TIME_STAMP) {
        const stamp = absoluteStamp(word, delta, pageStamp);
        seconds = Number(stamp / BIG_SECOND);
        nanos = Number(stamp % BIG_SECOND);
        at += 8;
        continue;
      }
      next = data + word;
      // The length of a long entry counts its own word.
      data += 4;
    }
    if (next < data || next > end) {
      reason = `an entry of ${next - at} bytes, where ${end - at} are left`;
      break;
    }
    at = next;
    // A discarded entry.
    if (type === TYPE_PADDING) continue;
    nanos += delta;
    if (nanos >= SECOND) {
      seconds++;
      nanos -= SECOND;
    }
    starts[count] = data;
    lengths[count] = next - data;
    columnSeconds[count] = seconds;
    columnNanos[count] = nanos;
    count++;
  }
  if (reason === "" && at < end) reason = `${end - at} bytes that are no entry`;
  out.count = count;
  cursor.position = at - base;
  cursor.seconds = seconds;
  cursor.nanos = nanos;
  return reason === "" ? undefined : new PageError(at - offset, reason);
}

/** A 59-bit stamp with the high bits that it lost (`rb_fix_abs_ts`). */
function absoluteStamp(word: number, delta: number, pageStamp: bigint): bigint {
  const stamp = (BigInt(word) << 27n) | BigInt(delta);
  const high = pageStamp >> STAMP_BITS;
  if (high === 0n) return stamp;
  const restored = stamp | (high << STAMP_BITS);
  return restored < pageStamp ? restored + (1n << STAMP_BITS) : restored;
}

/** The commit word's flags say that events were lost; their number may follow the data. */
function lostBefore(
  view: DataView,
  offset: number,
  layout: PageLayout,
  commit: number,
  room: number,
): number | null {
  if ((commit & MISSED_EVENTS) === 0) return 0;
  const end = commit & COMMIT_MASK;
  if ((commit & MISSED_STORED) === 0 || end + layout.longSize > room) return null;
  const at = offset + layout.data + end;
  return layout.longSize === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
