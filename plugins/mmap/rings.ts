/**
 * The rings of a trace: one for each CPU, owned by an event that counts nothing, into which all
 * probes write.
 * @module
 */

import type { BufferCounts, RawPage } from "../../core/backend.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { readText } from "../../core/kernel/files.ts";
import type { Fd, Kernel } from "../../core/kernel/port.ts";
import { PERF_TYPE, RECORD, SOFTWARE_DUMMY } from "./attr.ts";
import { type EntrySource, nativeOf, openEvent } from "./perf_event.ts";
import { PageWriter } from "./page_writer.ts";
import { Ring } from "./ring.ts";

/** Where a sample's parts are, from the start of the record: see `COMMON_SAMPLE`. */
const SAMPLE_ID = 8;
const SAMPLE_TIME = 16;
const SAMPLE_RAW_SIZE = 24;
const SAMPLE_RAW = 28;
/** In front of the registers: whether they are those of a 32-bit program. */
const REGISTERS_ABI = 8;
/** Of a LOST record. */
const LOST_COUNT = 16;

/** The ring of one CPU. */
interface CpuRing {
  readonly cpu: number;
  /** The event that owns the ring. */
  readonly fd: Fd;
  readonly ring: Ring;
  /** The events that write into it. */
  readonly writers: Set<Fd>;
  /** What the kernel said was lost. */
  lost: number;
}

/** The CPUs that are online, such as `0-3`. */
export function onlineCpus(kernel: Kernel): string {
  return readText(kernel, "/sys/devices/system/cpu/online").trim();
}

/** The numbers of a list such as `0-2,5`. */
export function parseCpuList(text: string): number[] {
  return text.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
}

/** The rings of a trace. */
export class Rings {
  /** Thread whose events are taken; -1 for all. */
  readonly pid: number;
  /** Whether this kernel counts what an event lost (`PERF_FORMAT_LOST`, Linux 6.0). */
  readonly countsLosses: boolean;
  readonly list: CpuRing[] = [];
  /** Makes entries of samples, by the id of the event. */
  readonly sources = new Map<number, EntrySource>();
  readonly #kernel: Kernel;

  /** @throws {KernelError} as perf_event_open(2) and mmap(2); nothing stays open then. */
  constructor(kernel: Kernel, cpus: readonly number[], pages: number, pid: number) {
    this.#kernel = kernel;
    this.pid = pid;
    this.countsLosses = canCountLosses(kernel, cpus[0], pid);
    try {
      for (const cpu of cpus) this.#open(cpu, pages);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(cpu: number, pages: number): void {
    const fd = openEvent(this.#kernel, DUMMY, cpu, this);
    try {
      const ring = new Ring(nativeOf(this.#kernel), fd, pages);
      this.list.push({ cpu, fd, ring, writers: new Set(), lost: 0 });
    } catch (error) {
      this.#kernel.close(fd);
      throw error;
    }
  }

  /** Hands on what is in the rings, as pages; their number. */
  read(take: (page: RawPage) => void): number {
    let pages = 0;
    for (const cpuRing of this.list) {
      const { cpu, ring } = cpuRing;
      const writer = new PageWriter((bytes) => {
        pages++;
        take({ cpu, bytes });
      });
      ring.drain((type, view, at) => {
        if (type === RECORD.sample) writeEntry(writer, this.sources, view, at);
        if (type === RECORD.lost) {
          const lost = Number(view.getBigUint64(at + LOST_COUNT, true));
          cpuRing.lost += lost;
          writer.lose(lost);
        }
      });
      writer.flush();
    }
    return pages;
  }

  /** Losses of each CPU: by its events, as a LOST record stands in front of a later sample only. */
  counts(): BufferCounts[] {
    return this.list.map(({ cpu, writers, lost }) => ({
      cpu,
      lost: this.countsLosses
        ? [...writers].reduce((sum, fd) => sum + readLost(this.#kernel, fd), 0)
        : lost,
    }));
  }

  close(): void {
    for (const { ring, fd } of this.list.splice(0)) {
      ring.close();
      this.#kernel.close(fd);
    }
  }
}

const DUMMY = { type: PERF_TYPE.software, config: SOFTWARE_DUMMY } as const;

function canCountLosses(kernel: Kernel, cpu: number, pid: number): boolean {
  try {
    kernel.close(openEvent(kernel, DUMMY, cpu, { pid, countsLosses: true }));
    return true;
  } catch (error) {
    // Bits of read_format that a kernel does not know are refused so.
    if (isKernelError(error, "EINVAL")) return false;
    throw error;
  }
}

/** With `PERF_FORMAT_LOST` alone, an event reads as its count and its losses. */
function readLost(kernel: Kernel, fd: Fd): number {
  const values = new Uint8Array(16);
  kernel.read(fd, values);
  return Number(new DataView(values.buffer).getBigUint64(8, true));
}

/** The entry of a sample: the kernel's own, or made of its head and the registers. */
function writeEntry(
  writer: PageWriter,
  sources: ReadonlyMap<number, EntrySource>,
  view: DataView,
  at: number,
): void {
  const source = sources.get(Number(view.getBigUint64(at + SAMPLE_ID, true)));
  // A late sample of an event that is closed.
  if (source === undefined) return;
  const { entryId, head, captures, slots } = source;
  const time = view.getBigUint64(at + SAMPLE_TIME, true);
  const size = view.getUint32(at + SAMPLE_RAW_SIZE, true);
  const raw = new Uint8Array(view.buffer, view.byteOffset + at + SAMPLE_RAW, head ?? size);
  const { bytes } = writer;
  if (entryId === undefined) {
    bytes.set(raw, writer.entry(time, size));
    return;
  }
  const length = captures.reduce((sum, capture) => sum + capture.size, raw.length);
  let to = writer.entry(time, Math.ceil(length / 4) * 4);
  bytes.set(raw, to);
  bytes[to] = entryId & 0xff;
  bytes[to + 1] = entryId >> 8;
  to += raw.length;
  const registers = view.byteOffset + at + SAMPLE_RAW + size + REGISTERS_ABI;
  for (const [index, capture] of captures.entries()) {
    bytes.set(new Uint8Array(view.buffer, registers + 8 * slots[index], capture.size), to);
    to += capture.size;
  }
}
