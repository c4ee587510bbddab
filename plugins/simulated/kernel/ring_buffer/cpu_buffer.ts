/**
 * The ring buffer of one CPU: reserving and committing entries, and the counters that `stats`
 * prints. Behaviour follows kernel/trace/ring_buffer.c of Linux 6.12 without nesting: a write is
 * never interrupted by another, so a commit always follows its write at once.
 * @module
 */

import { PageRing } from "./page_ring.ts";
import {
  CAPACITY,
  DELTA_BITS,
  entrySize,
  HEADER_SIZE,
  MAX_DATA,
  putEntryHeader,
  putPadding,
  putStamp,
  sizeAt,
  STAMP_LENGTH,
  type SubBuffer,
  TYPE_TIME_EXTEND,
  TYPE_TIME_STAMP,
} from "./sub_buffer.ts";

/** Settings that all CPUs of a ring buffer share. */
export interface BufferSettings {
  /** Whether new entries push out the oldest (`options/overwrite`), or are dropped when full. */
  overwrite: boolean;
  /** Whether each entry carries the whole clock (`timestamp_mode` absolute, set by hist triggers). */
  absoluteStamps: boolean;
  /**
   * Whether the missed-events flag fills the upper half of the commit word with ones, as up to
   * Linux 6.12.x, where the flag was added to a long as a negative int.
   */
  readonly wideMissedFlag: boolean;
}

/** What a buffer has counted since its last reset, in entries unless said otherwise. */
export interface BufferCounters {
  /** In the buffer now. */
  readonly entries: number;
  /** Overwritten before they were read. */
  readonly overrun: number;
  /** Bytes not consumed yet. */
  readonly bytes: number;
  /** Refused because the buffer was full, without overwrite. */
  readonly dropped: number;
  /** Consumed. */
  readonly read: number;
}

/** What stands in front of an entry whose time delta does not fit, or cannot be trusted. */
type Stamp = typeof TYPE_TIME_EXTEND | typeof TYPE_TIME_STAMP;

/** Where an entry was put: indexes of its header (or its stamp's) and of its data. */
interface Reservation {
  readonly page: SubBuffer;
  readonly start: number;
  readonly data: number;
}

/** Ring buffer of one CPU. */
export class CpuBuffer {
  readonly cpu: number;
  readonly pages: PageRing;
  readonly settings: Readonly<BufferSettings>;
  /** Entries committed. */
  #written = 0;
  #overrun = 0;
  #dropped = 0;
  #bytes = 0;
  #pagesTouched = 0;
  #pagesLost = 0;
  /** Time of the last entry, and of the last attempt; if they differ, deltas cannot be trusted. */
  #writeStamp = 0n;
  #beforeStamp = 0n;
  /** Consumed so far; the reader counts these. */
  readEntries = 0;
  readBytes = 0;
  pagesRead = 0;

  constructor(cpu: number, pages: number, settings: BufferSettings) {
    this.cpu = cpu;
    this.pages = new PageRing(pages);
    this.settings = settings;
  }

  get counters(): BufferCounters {
    return {
      entries: this.#written - this.#overrun - this.readEntries,
      overrun: this.#overrun,
      bytes: this.#bytes - this.readBytes,
      dropped: this.#dropped,
      read: this.readEntries,
    };
  }

  /** Bytes of data that the ring can hold, as `buffer_size_kb` counts them. */
  get size(): number {
    return CAPACITY * this.pages.size;
  }

  /** Whether nothing is left to read (`rb_per_cpu_empty`). */
  get empty(): boolean {
    const { reader, head, tail } = this.pages;
    if (reader.read !== reader.data.commit) return false;
    if (tail === reader) return true;
    return tail === head && tail.data.commit === 0;
  }

  /** Pages with data, the writer's own not counted (`ring_buffer_nr_dirty_pages`). */
  get dirtyPages(): number {
    return Math.max(0, this.#pagesTouched - this.#pagesLost - this.pagesRead);
  }

  /** Time stamp of the oldest page, which outlives a reset (`ring_buffer_oldest_event_ts`). */
  get oldestStamp(): bigint {
    const { reader, head, tail } = this.pages;
    return (tail === reader ? reader : head).data.timeStamp;
  }

  /**
   * Writes an entry at `now` nanoseconds.
   * @returns whether it is in the buffer; too long an entry, or a full buffer without overwrite,
   * is refused, and only the latter is counted.
   */
  write(entry: Uint8Array, now: bigint): boolean {
    const place = this.#reserve(entry.length, now);
    if (place === undefined) return false;
    place.page.data.bytes.set(entry, HEADER_SIZE + place.data);
    this.#written++;
    place.page.data.commit = place.page.write;
    return true;
  }

  /**
   * Reserves room for an entry and gives it back, as for an event that its filter refused only
   * then (`ring_buffer_discard_commit`). The entry after it carries the whole clock.
   */
  discard(length: number, now: bigint): void {
    const place = this.#reserve(length, now);
    if (place === undefined) return;
    place.page.entries--;
    place.page.write = place.start;
    // Of an entry with a stamp the kernel gives back the bytes of the stamp alone.
    this.#bytes -= sizeAt(place.page.data, place.start);
    this.#beforeStamp = 0n;
    place.page.data.commit = place.page.write;
  }

  /** Changes the ring to `pages` pages. Entries on pages that go are counted as overrun. */
  resize(pages: number): void {
    if (pages >= this.pages.size) {
      this.pages.insert(pages - this.pages.size);
      return;
    }
    for (const page of this.pages.remove(this.pages.size - pages)) {
      if (page.entries > 0) this.#loseOldest(page);
    }
  }

  /** Throws away all data and starts the counters again (`rb_reset_cpu`). */
  reset(): void {
    this.pages.reset();
    this.#written =
      this.#overrun =
      this.#dropped =
      this.#bytes =
        0;
    this.#pagesTouched = this.#pagesLost = 0;
    this.#writeStamp = this.#beforeStamp = 0n;
    this.readEntries = this.readBytes = this.pagesRead = 0;
  }

  /** `__rb_reserve_next` and its retry: at most one move to the next page. */
  #reserve(length: number, now: bigint): Reservation | undefined {
    if (length > MAX_DATA) return undefined;
    const size = entrySize(length);
    if (this.settings.absoluteStamps && size + STAMP_LENGTH > MAX_DATA) return undefined;
    for (;;) {
      const page = this.pages.tail;
      const start = page.write;
      const stamp = this.#stampFor(start, now);
      const total = stamp === undefined ? size : size + STAMP_LENGTH;
      this.#beforeStamp = now;
      if (start + total <= CAPACITY) {
        return { page, start, data: this.#put(page, start, size, stamp, now) };
      }
      if (!this.#nextPage(page)) return undefined;
    }
  }

  /** Which stamp an entry at `start` of the tail page needs in front of it. */
  #stampFor(start: number, now: bigint): Stamp | undefined {
    if (this.settings.absoluteStamps) return TYPE_TIME_STAMP;
    // The first entry of a page has the time of the page.
    if (start === 0) return undefined;
    if (this.#beforeStamp !== this.#writeStamp) return TYPE_TIME_STAMP;
    return this.#delta(now) >> DELTA_BITS === 0n ? undefined : TYPE_TIME_EXTEND;
  }

  /** Writes stamp and header; the index of the data. */
  #put(
    page: SubBuffer,
    start: number,
    size: number,
    stamp: Stamp | undefined,
    now: bigint,
  ): number {
    let at = start;
    let delta = start === 0 ? 0n : this.#delta(now);
    if (stamp !== undefined) {
      // A clock that went back gives a delta beyond the 59 bits: the entry gets the time before.
      const time = stamp === TYPE_TIME_STAMP ? now : delta > 1n << 59n ? 0n : delta;
      putStamp(page.data, at, stamp, BigInt.asUintN(59, time));
      at += STAMP_LENGTH;
      delta = 0n;
    }
    if (start === 0) page.data.timeStamp = now;
    this.#writeStamp = now;
    page.write = at + size;
    page.entries++;
    this.#bytes += at + size - start;
    return putEntryHeader(page.data, at, size, Number(delta));
  }

  /** Moves the writer to the next page (`rb_move_tail`); false if the buffer is full. */
  #nextPage(page: SubBuffer): boolean {
    const next = page.next;
    // From the reader's page the writer goes back into the ring, where all has been read.
    if (next === this.pages.head && page !== this.pages.reader) {
      if (!this.settings.overwrite) {
        this.#dropped++;
        this.#close(page);
        return false;
      }
      this.#loseOldest(next);
      this.pages.head = next.next;
    }
    this.pages.moveTail(next);
    this.#pagesTouched++;
    this.#close(page);
    return true;
  }

  /** Ends a page that the next entry does not fit on (`rb_reset_tail`). */
  #close(page: SubBuffer): void {
    const left = CAPACITY - page.write;
    if (left === 0) {
      page.realEnd = 0;
    } else {
      page.realEnd = page.write;
      putPadding(page.data, page.write);
      // A whole discarded entry is data to the counters; a lone word is not.
      if (left >= 8) {
        this.#bytes += left;
        page.write = CAPACITY;
      }
    }
    page.data.commit = page.write;
  }

  #loseOldest(page: SubBuffer): void {
    this.#overrun += page.entries;
    this.#bytes -= page.data.commit;
    this.#pagesLost++;
  }

  #delta(now: bigint): bigint {
    return BigInt.asUintN(64, now - this.#writeStamp);
  }
}
