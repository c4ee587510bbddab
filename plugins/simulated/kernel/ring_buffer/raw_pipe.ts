/**
 * An open `per_cpu/cpuN/trace_pipe_raw` (kernel/trace/trace.c, `tracing_buffers_read`).
 * @module
 */

import type { CpuBuffer } from "./cpu_buffer.ts";
import type { Reader } from "./reader.ts";
import { DataPage, SUB_BUFFER_SIZE } from "./sub_buffer.ts";

/** Hands out whole sub-buffers; a short read is continued by the next one. */
export class RawPipe {
  readonly #buffer: CpuBuffer;
  readonly #reader: Reader;
  #page = new DataPage();
  #position = SUB_BUFFER_SIZE;

  constructor(buffer: CpuBuffer, reader: Reader) {
    this.#buffer = buffer;
    this.#reader = reader;
  }

  /**
   * Reads into `target`: the rest of the last page, or a new one, zero-filled behind its data.
   * @returns the bytes read; 0 if `target` is too small for any entry; undefined if there is
   * nothing to read (EAGAIN for O_NONBLOCK).
   */
  read(target: Uint8Array): number | undefined {
    if (target.length === 0) return 0;
    if (this.#position >= SUB_BUFFER_SIZE) {
      const page = this.#reader.readPage(this.#page, target.length);
      if (page === undefined) return this.#buffer.empty ? undefined : 0;
      this.#page = page;
      this.#position = 0;
    }
    const size = Math.min(target.length, SUB_BUFFER_SIZE - this.#position);
    target.set(this.#page.bytes.subarray(this.#position, this.#position + size));
    this.#position += size;
    return size;
  }
}
