/**
 * One probe's perf events: one on every CPU, as an event fires on its own CPU only unless a
 * program is attached to it (kernel/trace/trace_event_perf.c).
 * @module
 */

import type { Fd, Kernel, Memory, NativeCalls } from "../../core/kernel/port.ts";
import {
  allocAttr,
  FD_CLOEXEC,
  FORMAT_LOST,
  IOC,
  PERF_TYPE,
  type PerfAttr,
  SAMPLE,
} from "./attr.ts";
import { headSize } from "./local_format.ts";
import type { Rings } from "./rings.ts";
import type { RegisterCapture, Route } from "./route.ts";

/** Clock number of CLOCK_MONOTONIC, which tracefs calls `mono`. */
const CLOCK_MONOTONIC = 1;

/** What all samples have in front: identifier, time, raw data. */
export const COMMON_SAMPLE = SAMPLE.identifier | SAMPLE.time | SAMPLE.raw;

/** What makes the entries of one probe of its samples. */
export interface EntrySource {
  /** `common_type` that the entries are to have; absent where the kernel's own is right. */
  readonly entryId?: number;
  /** Bytes of the raw data that are kept; absent for all. */
  readonly head?: number;
  readonly captures: readonly RegisterCapture[];
  /** Where each of {@link captures} is among the registers of a sample. */
  readonly slots: readonly number[];
}

/** Attribute and entries of a probe that a PMU carries out. */
export function openLocal(
  kernel: Kernel,
  rings: Rings,
  route: Extract<Route, { via: "pmu" }>,
  entryId: number,
): PerfEvents {
  const native = nativeOf(kernel);
  const { probe, pmu, captures } = route;
  const { place } = probe;
  const isReturn = probe.kind === "kretprobe" || probe.kind === "uretprobe";
  const counter = "path" in place ? place.refCounter ?? 0n : 0n;
  const target = "path" in place
    ? place.path
    : (place.module === undefined ? "" : `${place.module}:`) + place.symbol;
  const mask = captures.reduce((sum, { register }) => sum | 1n << BigInt(register), 0n);
  const registers = [...new Set(captures.map(({ register }) => register))].sort((a, b) => a - b);
  const name = cString(native, target);
  try {
    return new PerfEvents(kernel, rings, {
      type: pmu.type,
      config: (isReturn ? 1n << pmu.returnBit : 0n) | counter << (pmu.refCounterShift ?? 0n),
      config1: name.address,
      config2: place.offset,
      sample_type: COMMON_SAMPLE | (mask === 0n ? 0n : SAMPLE.regsIntr),
      sample_regs_intr: mask,
    }, {
      entryId,
      head: headSize(probe),
      captures,
      slots: captures.map(({ register }) => registers.indexOf(register)),
    });
  } finally {
    name.free();
  }
}

/** Opens an event of tracefs by its id. */
export function openTracepoint(
  kernel: Kernel,
  rings: Rings,
  id: number,
  filter: string | undefined,
): PerfEvents {
  const events = new PerfEvents(kernel, rings, {
    type: PERF_TYPE.tracepoint,
    config: id,
    sample_type: COMMON_SAMPLE,
  }, { captures: [], slots: [] });
  try {
    if (filter !== undefined) events.setFilter(filter);
  } catch (error) {
    events.close();
    throw error;
  }
  return events;
}

/** The descriptors of one probe, disabled until they are enabled. */
export class PerfEvents {
  enabled = false;
  readonly #kernel: Kernel;
  readonly #native: NativeCalls;
  readonly #rings: Rings;
  readonly #fds: Fd[] = [];
  readonly #ids: number[] = [];

  /** @throws {KernelError} as perf_event_open(2); nothing stays open then. */
  constructor(kernel: Kernel, rings: Rings, attr: PerfAttr, source: EntrySource) {
    this.#kernel = kernel;
    this.#native = nativeOf(kernel);
    this.#rings = rings;
    try {
      for (const ring of rings.list) {
        const fd = openEvent(kernel, { ...attr, sample_period: 1 }, ring.cpu, rings);
        this.#fds.push(fd);
        this.#native.ioctl(fd, IOC.setOutput, ring.fd);
        const id = eventId(this.#native, fd);
        this.#ids.push(id);
        rings.sources.set(id, source);
        ring.writers.add(fd);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @throws {KernelError} EINVAL for a filter that the event cannot have. */
  setFilter(filter: string): void {
    const text = cString(this.#native, filter);
    try {
      for (const fd of this.#fds) this.#native.ioctl(fd, IOC.setFilter, text);
    } finally {
      text.free();
    }
  }

  enable(): void {
    for (const fd of this.#fds) this.#native.ioctl(fd, IOC.enable, 0);
    this.enabled = true;
  }

  disable(): void {
    for (const fd of this.#fds) this.#native.ioctl(fd, IOC.disable, 0);
    this.enabled = false;
  }

  close(): void {
    for (const fd of this.#fds.splice(0)) {
      for (const ring of this.#rings.list) ring.writers.delete(fd);
      this.#kernel.close(fd);
    }
    for (const id of this.#ids.splice(0)) this.#rings.sources.delete(id);
    this.enabled = false;
  }
}

/** Opens one event on `cpu` for the threads that `rings` are for, with what all events have. */
export function openEvent(
  kernel: Kernel,
  attr: PerfAttr,
  cpu: number,
  { pid, countsLosses }: Pick<Rings, "pid" | "countsLosses">,
): Fd {
  const native = nativeOf(kernel);
  const memory = allocAttr(native, {
    ...attr,
    read_format: countsLosses ? FORMAT_LOST : 0,
    clockid: CLOCK_MONOTONIC,
    // What a traced process starts is traced too.
    flags: ["disabled", "use_clockid", ...(pid === -1 ? [] : ["inherit" as const])],
  });
  try {
    return native.perfEventOpen(memory, pid, cpu, -1, FD_CLOEXEC);
  } finally {
    memory.free();
  }
}

/** The native calls of a kernel that has them; `inspect` says where there are none. */
export function nativeOf({ native }: Kernel): NativeCalls {
  if ("unavailable" in native) throw new TypeError(native.unavailable);
  return native;
}

function eventId(native: NativeCalls, fd: Fd): number {
  const memory = native.alloc(8);
  try {
    native.ioctl(fd, IOC.id, memory);
    return Number(new DataView(memory.bytes.buffer, memory.bytes.byteOffset).getBigUint64(0, true));
  } finally {
    memory.free();
  }
}

function cString(native: NativeCalls, text: string): Memory {
  const bytes = new TextEncoder().encode(text);
  const memory = native.alloc(bytes.length + 1);
  memory.bytes.set(bytes);
  return memory;
}
