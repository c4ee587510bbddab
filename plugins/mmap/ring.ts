import type { Fd, Memory, NativeCalls } from "../../core/kernel/port.ts";

const PAGE_SIZE = 4096;

/** Words of the control page (`struct perf_event_mmap_page`): 64-bit indexes of head and tail. */
const HEAD = 1024 / 8;
const TAIL = 1032 / 8;

/** Longest record: its size is 16 bits. */
const MAX_RECORD = 0x10000;
const HEADER_SIZE = 8;

/** Takes the record of `size` bytes at `at` of `view`; its header is in front of it. */
export type TakeRecord = (type: number, view: DataView, at: number, size: number) => void;

/** The mapped ring of one CPU. Everything that the kernel wrote is read in one go. */
export class Ring {
  readonly #memory: Memory;
  readonly #words: BigUint64Array;
  readonly #data: Uint8Array;
  readonly #view: DataView;
  /** A record that goes over the end of the ring, put together. */
  readonly #copy = new Uint8Array(MAX_RECORD);
  readonly #copyView = new DataView(this.#copy.buffer);

  /** @param pages pages of data, a power of 2. @throws {KernelError} as mmap(2). */
  constructor(native: NativeCalls, fd: Fd, pages: number) {
    const length = (1 + pages) * PAGE_SIZE;
    this.#memory = native.mmap({ fd, length, writable: true, shared: true });
    const { buffer, byteOffset } = this.#memory.bytes;
    this.#words = new BigUint64Array(buffer, byteOffset, PAGE_SIZE / 8);
    this.#data = this.#memory.bytes.subarray(PAGE_SIZE);
    this.#view = new DataView(buffer, byteOffset + PAGE_SIZE, pages * PAGE_SIZE);
  }

  /**
   * Hands every record that is there to `take`, then gives the room back to the kernel. The kernel
   * writes the head after the data, and looks at the tail before it writes
   * (kernel/events/ring_buffer.c, `perf_output_put_handle`).
   */
  drain(take: TakeRecord): void {
    const head = Atomics.load(this.#words, HEAD);
    let tail = Atomics.load(this.#words, TAIL);
    const size = this.#data.length;
    let at = Number(tail & BigInt(size - 1));
    while (tail < head) {
      const type = this.#view.getUint32(at, true);
      const length = this.#view.getUint16(at + 6, true);
      // Only a damaged ring has such a record: what is behind it cannot be found.
      if (length < HEADER_SIZE || BigInt(length) > head - tail) break;
      if (at + length <= size) {
        take(type, this.#view, at, length);
      } else {
        this.#copy.set(this.#data.subarray(at));
        this.#copy.set(this.#data.subarray(0, at + length - size), size - at);
        take(type, this.#copyView, 0, length);
      }
      tail += BigInt(length);
      at = (at + length) & (size - 1);
    }
    Atomics.store(this.#words, TAIL, head);
  }

  close(): void {
    this.#memory.free();
  }
}
