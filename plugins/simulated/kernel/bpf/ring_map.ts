/**
 * The ring buffer map: records from programs to one reader (kernel/bpf/ringbuf.c).
 * @module
 */
import { MAP_FLAG, PAGE_SIZE } from "./abi.ts";
import { allocate } from "./array_map.ts";
import { BpfMap, type MapRequest, type MapSpec } from "./map.ts";
import { refuse } from "./refusal.ts";

/** Bits of a record's length: not yet written, and to be passed over. */
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;
const HEADER = 8;
/** Bytes of a record (`RINGBUF_MAX_RECORD_SZ`). */
const MAX_RECORD = 0x3fff_ffff;

/** Offsets of the pages: the reader's place, the writer's, and the data, which is there twice. */
const CONSUMER = 0;
const PRODUCER = PAGE_SIZE;
const DATA = 2 * PAGE_SIZE;

/** Pages before the data that a record's header counts (`RINGBUF_PGOFF` and the positions). */
const HEADER_PAGES = 3;

/** @throws {KernelError} EINVAL (`ringbuf_map_alloc`) */
export function checkRing({ flags, keySize, valueSize, maxEntries }: MapSpec): void {
  const isPowerOf2 = maxEntries !== 0 && (maxEntries & (maxEntries - 1)) === 0;
  if (flags & ~MAP_FLAG.numaNode || keySize !== 0 || valueSize !== 0) refuse("EINVAL");
  if (!isPowerOf2 || maxEntries % PAGE_SIZE !== 0) refuse("EINVAL");
}

/** A ring buffer map. Programs know a record by the offset of its data in {@link RingMap.view}. */
export class RingMap extends BpfMap {
  readonly #memory: Uint8Array;
  readonly #control: DataView;
  readonly #size: number;
  #pending = 0n;
  #produced = 0n;

  constructor(id: number, spec: MapSpec) {
    super(id, spec);
    this.#size = spec.maxEntries;
    this.#memory = allocate(DATA + 2 * this.#size);
    this.#control = new DataView(this.#memory.buffer);
  }

  lookup(): Uint8Array {
    return refuse("ENOTSUPP");
  }

  update(): void {
    refuse("ENOTSUPP");
  }

  delete(): void {
    refuse("ENOTSUPP");
  }

  nextKey(): Uint8Array {
    return refuse("ENOTSUPP");
  }

  /** Room for a record of `size` bytes; nothing if there is none. */
  reserve(size: number): number | undefined {
    const length = recordLength(size);
    if (size > MAX_RECORD || length > this.#size) return undefined;
    const consumed = this.#control.getBigUint64(CONSUMER, true);
    this.#passPending();
    const end = this.#produced + BigInt(length);
    const limit = BigInt(this.#size) - 1n;
    const ahead = BigInt.asUintN(64, end - consumed);
    if (ahead > limit || end - this.#pending > limit) return undefined;
    const at = this.#place(this.#produced);
    this.#setHeader(at, size | BUSY, at / PAGE_SIZE | 0);
    this.#produced = end;
    this.#control.setBigUint64(PRODUCER, end, true);
    return at + HEADER;
  }

  /** The record is complete, or is to be passed over. */
  commit(record: number, discard: boolean): void {
    const at = record - HEADER;
    const size = this.#length(at) & ~BUSY;
    this.#mirror(at, recordLength(size));
    this.#setHeader(at, discard ? size | DISCARD : size, at / PAGE_SIZE | 0);
  }

  /** What a reservation has, for a check: its bytes, if it is one. */
  reserved(record: number): number | undefined {
    const at = record - HEADER;
    if (at < 0 || at >= this.#size || at % 8 !== 0) return undefined;
    const length = this.#length(at);
    return length & BUSY ? length & ~BUSY : undefined;
  }

  /** What a program may ask for (`bpf_ringbuf_query`): data not read, size, both places. */
  query(what: bigint): bigint {
    const consumed = this.#control.getBigUint64(CONSUMER, true);
    const answers = [this.#produced - consumed, BigInt(this.#size), consumed, this.#produced];
    return BigInt.asUintN(64, answers[Number(what)] ?? 0n);
  }

  override view(offset: number, length: number): Uint8Array | undefined {
    if (offset + length > 2 * this.#size) return undefined;
    return this.#memory.subarray(DATA + offset, DATA + offset + length);
  }

  override mmap({ length, offset, writable, shared }: MapRequest): Uint8Array {
    if (!shared) refuse("EINVAL", "mmap");
    if (writable && (offset !== CONSUMER || Math.ceil(length / PAGE_SIZE) !== 1)) {
      refuse("EPERM", "mmap");
    }
    if (offset % PAGE_SIZE !== 0 || offset + length > this.#memory.length) refuse("EINVAL", "mmap");
    return this.#memory.subarray(offset, offset + length);
  }

  /** Records that are complete need not be waited for. */
  #passPending(): void {
    while (this.#pending < this.#produced) {
      const length = this.#length(this.#place(this.#pending));
      if (length & BUSY) break;
      this.#pending += BigInt(recordLength(length & ~DISCARD));
    }
  }

  #place(position: bigint): number {
    return Number(position & BigInt(this.#size - 1));
  }

  #length(at: number): number {
    return this.#control.getUint32(DATA + at, true);
  }

  #setHeader(at: number, length: number, page: number): void {
    for (const copy of [at, at + this.#size]) {
      this.#control.setUint32(DATA + copy, length >>> 0, true);
      this.#control.setUint32(DATA + copy + 4, page + HEADER_PAGES, true);
    }
  }

  /** Both copies of the data say the same. */
  #mirror(at: number, length: number): void {
    const data = this.#memory.subarray(DATA);
    const beforeEnd = Math.min(length, this.#size - at);
    data.copyWithin(at + this.#size, at, at + beforeEnd);
    data.copyWithin(0, this.#size, this.#size + length - beforeEnd);
  }
}

function recordLength(size: number): number {
  return Math.ceil((size + HEADER) / 8) * 8;
}
