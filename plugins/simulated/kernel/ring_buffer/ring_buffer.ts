/**
 * The ring buffer of a tracefs instance: a {@link CpuBuffer} for each CPU, sized, switched,
 * reset and read together (kernel/trace/ring_buffer.c and trace.c of Linux 6.12).
 * @module
 */

import { type BufferSettings, CpuBuffer } from "./cpu_buffer.ts";
import { RawPipe } from "./raw_pipe.ts";
import { type ReadEntry, Reader } from "./reader.ts";
import { entriesOf } from "./snapshot.ts";
import { statsText } from "./stats.ts";
import { CAPACITY } from "./sub_buffer.ts";

/** `trace_buf_size` of kernel/trace/trace.c: what each CPU of an instance gets. */
const DEFAULT_BYTES = 1441792;

/** How a ring buffer is made. */
export interface RingBufferOptions {
  /** CPUs, 1 or more; they are numbered from 0. */
  readonly cpus: number;
  /** Bytes for each CPU, rounded up to whole sub-buffers and to two; 1408 KiB unless told. */
  readonly bytes?: number;
  /** Whose bytes to write, where they differ; 6.12 unless told. */
  readonly kernel?: "6.1" | "6.12";
}

interface PerCpu {
  readonly buffer: CpuBuffer;
  readonly reader: Reader;
}

/** Ring buffer of one instance. */
export class RingBuffer {
  readonly #cpus: readonly PerCpu[];
  readonly #settings: BufferSettings;
  #sizeHolds = 0;
  /** `tracing_on`: while false, writes are refused and not counted. */
  recording = true;

  constructor(options: RingBufferOptions) {
    const pages = pagesFor(options.bytes ?? DEFAULT_BYTES);
    this.#settings = {
      overwrite: true,
      absoluteStamps: false,
      wideMissedFlag: options.kernel === "6.1",
    };
    this.#cpus = Array.from({ length: options.cpus }, (_, cpu) => {
      const buffer = new CpuBuffer(cpu, pages, this.#settings);
      return { buffer, reader: new Reader(buffer) };
    });
  }

  /** `options/overwrite`: whether a full buffer drops its oldest page (the default) or new entries. */
  get overwrite(): boolean {
    return this.#settings.overwrite;
  }

  set overwrite(on: boolean) {
    this.#settings.overwrite = on;
  }

  /** Whether entries carry the whole clock (`timestamp_mode`). */
  get absoluteStamps(): boolean {
    return this.#settings.absoluteStamps;
  }

  set absoluteStamps(on: boolean) {
    this.#settings.absoluteStamps = on;
  }

  get cpus(): number {
    return this.#cpus.length;
  }

  /**
   * Writes the entry of an event that happened on `cpu` at `now`, in nanoseconds of the buffer's
   * clock (unsigned 64-bit).
   * @returns whether the entry is in the buffer.
   */
  write(cpu: number, entry: Uint8Array, now: bigint): boolean {
    return this.recording && this.#at(cpu).buffer.write(entry, now);
  }

  /**
   * Reserves room for an entry and gives it back, so that the next one carries the whole clock.
   * An event that its filter refuses does not come here as a rule: the kernel assembles it
   * elsewhere (`trace_buffered_event`), save with hist triggers that use time stamps.
   */
  discard(cpu: number, length: number, now: bigint): void {
    if (this.recording) this.#at(cpu).buffer.discard(length, now);
  }

  /** The buffer of one CPU: its counters and size. */
  cpu(cpu: number): CpuBuffer {
    return this.#at(cpu).buffer;
  }

  /** A new open `trace_pipe_raw` of one CPU. */
  openRaw(cpu: number): RawPipe {
    const { buffer, reader } = this.#at(cpu);
    return new RawPipe(buffer, reader);
  }

  /** Takes the oldest entry of one CPU, or of all (`trace_pipe`). */
  consume(cpu?: number): ReadEntry | undefined {
    if (cpu !== undefined) return this.#at(cpu).reader.consume();
    const next = oldest(this.#cpus.map(({ reader }) => reader.peek()));
    return next === undefined ? undefined : this.#at(next.cpu).reader.consume();
  }

  /** Whether there is nothing to read on one CPU, or on any. */
  empty(cpu?: number): boolean {
    return this.#chosen(cpu).every(({ buffer }) => buffer.empty);
  }

  /**
   * Whether poll(2) on a CPU's pipe reports data: any if `percent` (`buffer_percent`) is 0, else
   * so many percent of the pages, and the writer off the reader's page (`rb_watermark_hit`).
   */
  readable(cpu: number, percent: number): boolean {
    const { buffer } = this.#at(cpu);
    if (buffer.empty) return false;
    if (percent === 0) return true;
    if (buffer.pages.reader === buffer.pages.tail) return false;
    return (buffer.dirtyPages + 1) * 100 >= percent * buffer.pages.size;
  }

  /**
   * The entries of one CPU, or of all in the order of time, without taking them (`trace`).
   * The buffer must not change meanwhile.
   */
  *entries(cpu?: number): Generator<ReadEntry> {
    const sources = this.#chosen(cpu).map((one) => entriesOf(one.buffer, one.reader.readStamp));
    const heads = sources.map((source) => source.next().value as ReadEntry | undefined);
    for (let next = oldest(heads); next !== undefined; next = oldest(heads)) {
      yield next;
      const at = heads.indexOf(next);
      heads[at] = sources[at]!.next().value as ReadEntry | undefined;
    }
  }

  /** Keeps the sizes as they are, as an open `trace` file does, until {@link releaseSize}. */
  holdSize(): void {
    this.#sizeHolds++;
  }

  /** Undoes one {@link holdSize}. */
  releaseSize(): void {
    this.#sizeHolds--;
  }

  /**
   * Sets the size of one CPU's buffer, or of all (`buffer_size_kb`), keeping the data that fits.
   * @returns false if the sizes are held (EBUSY).
   */
  resize(bytes: number, cpu?: number): boolean {
    if (this.#sizeHolds > 0) return false;
    for (const { buffer } of this.#chosen(cpu)) buffer.resize(pagesFor(bytes));
    return true;
  }

  /** Throws away the data and counters of one CPU, or of all. */
  reset(cpu?: number): void {
    for (const { buffer, reader } of this.#chosen(cpu)) {
      buffer.reset();
      reader.reset();
    }
  }

  /**
   * The text of `per_cpu/cpuN/stats`.
   * @param clockInNs false for `counter` and `x86-tsc`, whose stamps are printed whole.
   */
  stats(cpu: number, now: bigint, clockInNs = true): string {
    return statsText(this.#at(cpu).buffer, now, clockInNs);
  }

  #at(cpu: number): PerCpu {
    const found = this.#cpus[cpu];
    if (found === undefined) throw new RangeError(`No CPU ${cpu}: there are ${this.#cpus.length}`);
    return found;
  }

  #chosen(cpu: number | undefined): readonly PerCpu[] {
    return cpu === undefined ? this.#cpus : [this.#at(cpu)];
  }
}

/** Whole sub-buffers for `bytes` of entries; the ring needs two (`ring_buffer_resize`). */
function pagesFor(bytes: number): number {
  return Math.max(2, Math.ceil(bytes / CAPACITY));
}

/** The entry with the smallest time; the lowest CPU if there are several. */
function oldest(entries: readonly (ReadEntry | undefined)[]): ReadEntry | undefined {
  let found: ReadEntry | undefined;
  for (const entry of entries) {
    if (entry !== undefined && (found === undefined || entry.time < found.time)) found = entry;
  }
  return found;
}
