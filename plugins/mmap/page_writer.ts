/**
 * Samples as pages of the kernel's ring buffer format, which is what core decodes
 * (include/linux/ring_buffer.h). Times are exact; a loss starts a new page.
 * @module
 */

const TIME_STAMP_OFFSET = 0;
const COMMIT_OFFSET = 8;
const DATA_OFFSET = 16;
const PAGE_SIZE = 1 << 17;
const LOSS_SIZE = 8;

/** `header_page` of the pages that are written here: large enough for the longest sample. */
export const HEADER_PAGE =
  `\tfield: u64 timestamp;\toffset:${TIME_STAMP_OFFSET};\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:${COMMIT_OFFSET};\tsize:8;\tsigned:1;
\tfield: char data;\toffset:${DATA_OFFSET};\tsize:${PAGE_SIZE - DATA_OFFSET};\tsigned:1;
`;

const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;
const MISSED = 0x80000000;
const STORED = 0x40000000;
/** Longest entry, in words, whose length is in its header. */
const MAX_SHORT = 28;
const DELTA_BITS = 27n;
const DELTA_MASK = (1n << DELTA_BITS) - 1n;
/** A time stamp of two words, and the two words in front of a long entry. */
const OVERHEAD = 16;

/** Writes the pages of one CPU. */
export class PageWriter {
  readonly bytes = new Uint8Array(PAGE_SIZE);
  readonly #view = new DataView(this.bytes.buffer);
  readonly #take: (page: Uint8Array) => void;
  #at = DATA_OFFSET;
  #time = 0n;
  #lost = 0;

  /** @param take gets every page that is full; it is used again afterwards. */
  constructor(take: (page: Uint8Array) => void) {
    this.#take = take;
  }

  /** Makes an entry of `length` bytes, a multiple of 4; where its data go in {@link bytes}. */
  entry(time: bigint, length: number): number {
    if (this.#at + OVERHEAD + length + LOSS_SIZE > PAGE_SIZE) this.flush();
    if (this.#at === DATA_OFFSET) {
      this.#view.setBigUint64(TIME_STAMP_OFFSET, time, true);
      this.#time = time;
    }
    const delta = this.#delta(time);
    const words = length / 4;
    const isShort = words > 0 && words <= MAX_SHORT;
    this.#word(delta * 32 + (isShort ? words : 0));
    if (!isShort) this.#word(length + 4);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  /** Says that `count` entries were lost after those that were written so far. */
  lose(count: number): void {
    if (this.#at > DATA_OFFSET) this.flush();
    this.#lost += count;
  }

  /** Hands on what is written, a loss at the end too. */
  flush(): void {
    if (this.#at === DATA_OFFSET && this.#lost === 0) return;
    const length = this.#at - DATA_OFFSET;
    this.#view.setUint32(COMMIT_OFFSET, length + (this.#lost === 0 ? 0 : MISSED + STORED), true);
    this.#view.setBigUint64(this.#at, BigInt(this.#lost), true);
    this.#take(this.bytes.subarray(0, this.#at + LOSS_SIZE));
    this.#at = DATA_OFFSET;
    this.#lost = 0;
  }

  /** What is left of the time since the last entry, after a stamp where that does not fit. */
  #delta(time: bigint): number {
    const delta = time - this.#time;
    this.#time = time;
    if (delta >= 0n && delta <= DELTA_MASK) return Number(delta);
    // An interrupt's event may stand before the one that it interrupted, which is older.
    const [type, stamp] = delta > 0n ? [TYPE_TIME_EXTEND, delta] : [TYPE_TIME_STAMP, time];
    this.#word(Number(stamp & DELTA_MASK) * 32 + type);
    this.#word(Number(BigInt.asUintN(32, stamp >> DELTA_BITS)));
    return 0;
  }

  #word(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }
}
