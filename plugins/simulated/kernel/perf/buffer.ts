/**
 * The memory that an event and its reader share: a page that says how far both are, and a ring of
 * records (kernel/events/ring_buffer.c).
 * @module
 */
import { PAGE_SIZE } from "./abi.ts";

/** Offsets into the first page (`struct perf_event_mmap_page`). */
const CONTROL = {
  lock: 8,
  index: 12,
  count: 16,
  timeEnabled: 24,
  timeRunning: 32,
  capabilities: 40,
  size: 72,
  dataHead: 1024,
  dataTail: 1032,
  dataOffset: 1040,
  dataSize: 1048,
} as const;

/** `cap_bit0_is_deprecated`: the other capabilities can be believed. */
const CAP_BIT0_IS_DEPRECATED = 2n;
/** Bytes of the page that have a meaning (offset of `__reserved`). */
const CONTROL_SIZE = 96;

/** A ring of records and its control page (`struct perf_buffer`). */
export class PerfBuffer {
  /** Both, as the reader maps them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Pages of the ring: 0, or a power of two. */
  readonly pages: number;
  /** Whether nobody reads it in step: the newest records take the place of the oldest. */
  readonly overwrite: boolean;
  /** Mappings there are. */
  mappings = 1;
  paused: boolean;
  /** Records lost since the last record that said so. */
  #lost = 0n;
  #head = 0n;
  readonly #view: DataView;
  readonly #mask: bigint;

  constructor(pages: number, overwrite: boolean) {
    this.pages = pages;
    this.overwrite = overwrite;
    this.paused = pages === 0;
    this.bytes = new Uint8Array((1 + pages) * PAGE_SIZE);
    this.#view = new DataView(this.bytes.buffer);
    this.#mask = BigInt(pages * PAGE_SIZE) - 1n;
    this.#view.setBigUint64(CONTROL.capabilities, CAP_BIT0_IS_DEPRECATED, true);
    this.#view.setUint32(CONTROL.size, CONTROL_SIZE, true);
    this.#view.setBigUint64(CONTROL.dataOffset, BigInt(PAGE_SIZE), true);
    this.#view.setBigUint64(CONTROL.dataSize, BigInt(pages * PAGE_SIZE), true);
  }

  /** What the control page tells of the counter (`perf_event_update_userpage`). */
  showCounter(count: bigint, enabled: bigint, running: bigint): void {
    const view = this.#view;
    view.setUint32(CONTROL.lock, view.getUint32(CONTROL.lock, true) + 2, true);
    view.setUint32(CONTROL.index, 0, true);
    view.setBigInt64(CONTROL.count, count, true);
    view.setBigUint64(CONTROL.timeEnabled, enabled, true);
    view.setBigUint64(CONTROL.timeRunning, running, true);
  }

  /**
   * Puts a record in, in front of it one that tells of those lost.
   *
   * @param lostRecord the record that tells of `count` lost ones
   * @param backward whether the ring is filled from its end (`write_backward`)
   * @returns false if there is no room, which counts as lost
   */
  write(
    record: Uint8Array,
    backward: boolean,
    lostRecord: (count: bigint) => Uint8Array,
  ): boolean {
    if (this.paused) {
      if (this.pages > 0) this.#lost++;
      return false;
    }
    const notice = this.#lost > 0n ? lostRecord(this.#lost) : undefined;
    const size = BigInt(record.length + (notice?.length ?? 0));
    if (!this.overwrite && this.#room(backward) < size) {
      this.#lost++;
      return false;
    }
    const start = backward ? this.#head - size : this.#head;
    this.#head = BigInt.asUintN(64, backward ? start : start + size);
    if (notice !== undefined) {
      this.#lost = 0n;
      this.#copy(notice, start);
    }
    this.#copy(record, start + BigInt(notice?.length ?? 0));
    this.#view.setBigUint64(CONTROL.dataHead, this.#head, true);
    return true;
  }

  /** `CIRC_SPACE`: one byte always stays free; whatever the reader stores as its place counts. */
  #room(backward: boolean): bigint {
    const tail = this.#view.getBigUint64(CONTROL.dataTail, true);
    const space = backward ? this.#head - tail - 1n : tail - this.#head - 1n;
    return space & this.#mask;
  }

  #copy(bytes: Uint8Array, position: bigint): void {
    const at = Number(position & this.#mask);
    const ring = this.bytes.subarray(PAGE_SIZE);
    const first = Math.min(bytes.length, ring.length - at);
    ring.set(bytes.subarray(0, first), at);
    // A record may be larger than a ring that is overwritten.
    for (let done = first; done < bytes.length; done += ring.length) {
      ring.set(bytes.subarray(done, done + ring.length), 0);
    }
  }
}
