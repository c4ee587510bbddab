/**
 * The consuming side of one CPU's ring buffer, entry by entry for `trace_pipe` and page by page
 * for `trace_pipe_raw`. All readers of a CPU share it: what one takes the others do not see
 * (kernel/trace/ring_buffer.c, `rb_buffer_peek`, `ring_buffer_read_page`).
 * @module
 */

import type { CpuBuffer } from "./cpu_buffer.ts";
import {
  CAPACITY,
  dataAt,
  type DataPage,
  deltaAt,
  HEADER_SIZE,
  MISSED_EVENTS,
  MISSED_STORED,
  restoreHighBits,
  sizeAt,
  STAMP_LENGTH,
  stampAt,
  type SubBuffer,
  TYPE_PADDING,
  TYPE_TIME_EXTEND,
  TYPE_TIME_STAMP,
  typeAt,
} from "./sub_buffer.ts";

/** One entry as a reader sees it. */
export interface ReadEntry {
  readonly cpu: number;
  /** Nanoseconds of the buffer's clock. */
  readonly time: bigint;
  /** The entry padded to whole words; valid until the next read or write. */
  readonly data: Uint8Array;
  /** Entries lost right before this one. */
  readonly lost: number;
}

/** Takes entries out of a {@link CpuBuffer}. */
export class Reader {
  readonly #buffer: CpuBuffer;
  /** Time of the entry before the next one. */
  #readStamp = 0n;
  /** Losses not told to any reader yet. */
  #lost = 0;
  #lastOverrun = 0;

  constructor(buffer: CpuBuffer) {
    this.#buffer = buffer;
  }

  /** Nanoseconds at which the last entry was read; the next delta counts from it. */
  get readStamp(): bigint {
    return this.#readStamp;
  }

  /** Forgets losses, after the buffer was reset. */
  reset(): void {
    this.#lost = this.#lastOverrun = 0;
  }

  /** The next entry, without taking it. Stamps and padding in front of it are consumed. */
  peek(): ReadEntry | undefined {
    for (;;) {
      const page = this.#readerPage();
      if (page === undefined) return undefined;
      if (typeAt(page.data, page.read) < TYPE_PADDING) {
        return {
          cpu: this.#buffer.cpu,
          time: this.#readStamp + BigInt(deltaAt(page.data, page.read)),
          data: dataAt(page.data, page.read),
          lost: this.#lost,
        };
      }
      this.#advance(page);
    }
  }

  /** Takes the next entry. */
  consume(): ReadEntry | undefined {
    const entry = this.peek();
    if (entry === undefined) return undefined;
    this.#lost = 0;
    this.#advance(this.#buffer.pages.reader);
    return entry;
  }

  /**
   * Moves data to `spare`, at most `length` bytes with the page header: by swapping pages where
   * the whole page can be had, else by copying entries. Bytes behind the data are zero.
   * @returns the page with the data, which is no longer the ring's, or undefined if there is
   * nothing, or not even one entry fits.
   */
  readPage(spare: DataPage, length: number): DataPage | undefined {
    if (length <= HEADER_SIZE) return undefined;
    const room = Math.min(length - HEADER_SIZE, CAPACITY);
    const page = this.#readerPage();
    if (page === undefined) return undefined;
    const lost = this.#lost;
    const whole = page.read === 0 && room >= page.data.commit && page !== this.#buffer.pages.tail;
    const taken = whole ? this.#swap(page, spare) : this.#copy(page, spare, room);
    if (taken === undefined) return undefined;
    this.#lost = 0;
    finish(taken, lost, this.#buffer.settings.wideMissedFlag);
    return taken;
  }

  /** The page with the next entry, swapped in if need be (`rb_get_reader_page`). */
  #readerPage(): SubBuffer | undefined {
    const { pages } = this.#buffer;
    let page = pages.reader;
    while (page.read >= page.data.commit) {
      const { entries, overrun } = this.#buffer.counters;
      if (page === pages.tail || entries === 0) return undefined;
      page = pages.swapReader();
      this.#buffer.pagesRead++;
      this.#lost = overrun === this.#lastOverrun ? this.#lost : overrun - this.#lastOverrun;
      this.#lastOverrun = overrun;
    }
    if (page.read === 0) this.#readStamp = page.data.timeStamp;
    return page;
  }

  /** Steps over one entry, stamp or padding (`rb_advance_reader`). */
  #advance(page: SubBuffer): void {
    const type = typeAt(page.data, page.read);
    if (type === TYPE_TIME_EXTEND) {
      this.#readStamp += stampAt(page.data, page.read);
    } else if (type === TYPE_TIME_STAMP) {
      this.#readStamp = restoreHighBits(stampAt(page.data, page.read), this.#readStamp);
    } else if (type !== TYPE_PADDING) {
      this.#readStamp += BigInt(deltaAt(page.data, page.read));
      this.#buffer.readEntries++;
    }
    const size = sizeAt(page.data, page.read);
    page.read += size;
    this.#buffer.readBytes += size;
  }

  #swap(page: SubBuffer, spare: DataPage): DataPage {
    const taken = page.data;
    this.#buffer.readEntries += page.entries;
    this.#buffer.readBytes += taken.commit;
    if (page.realEnd > 0) taken.commit = page.realEnd;
    spare.commit = 0;
    page.data = spare;
    page.write = 0;
    page.entries = 0;
    page.read = 0;
    return taken;
  }

  /** Copies whole entries to the start of `spare`; a stamp stays with the entry it is for. */
  #copy(page: SubBuffer, spare: DataPage, room: number): DataPage | undefined {
    const end = page.data.commit;
    const stamp = this.#readStamp;
    let left = Math.min(room, end - page.read);
    let at = 0;
    while (page.read < end && left >= sizeWithStamp(page.data, page.read)) {
      const from = HEADER_SIZE + page.read;
      const size = sizeAt(page.data, page.read);
      spare.bytes.set(page.data.bytes.subarray(from, from + size), HEADER_SIZE + at);
      this.#advance(page);
      left -= size;
      at += size;
    }
    if (at === 0) return undefined;
    spare.timeStamp = stamp;
    spare.commit = at;
    return spare;
  }
}

function sizeWithStamp(page: DataPage, index: number): number {
  const stamped = typeAt(page, index) >= TYPE_TIME_EXTEND;
  return stamped ? STAMP_LENGTH + sizeAt(page, index + STAMP_LENGTH) : sizeAt(page, index);
}

/** Notes losses in front of the page, their number behind the data if it fits, and clears the rest. */
function finish(page: DataPage, lost: number, wideFlag: boolean): void {
  let end = page.commit;
  if (lost > 0) {
    let flags = MISSED_EVENTS;
    if (CAPACITY - end >= 8) {
      page.view.setBigUint64(HEADER_SIZE + end, BigInt(lost), true);
      flags += MISSED_STORED;
    }
    page.commit += flags;
    if (wideFlag) page.view.setInt32(12, -1, true);
    if (flags !== MISSED_EVENTS) end += 8;
  }
  page.bytes.fill(0, HEADER_SIZE + end);
}
