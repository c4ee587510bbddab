import { KernelError } from "../../../../core/kernel/error.ts";
import type { ErrorLog } from "../dynamic/error_log.ts";
import { RingBuffer } from "../ring_buffer/ring_buffer.ts";
import type { TriggerHost } from "../trigger/host.ts";
import type { TraceEvent } from "./event.ts";
import { EventFile, type FilterSettings } from "./event_file.ts";

/** Clocks of `trace_clock` on x86-64 (kernel/trace/trace.c, `trace_clocks`). */
export const TRACE_CLOCKS = [
  "local",
  "global",
  "counter",
  "uptime",
  "perf",
  "mono",
  "mono_raw",
  "boot",
  "tai",
  "x86-tsc",
] as const;

export type TraceClock = typeof TRACE_CLOCKS[number];

/** Ring buffer of each CPU to begin with (`trace_buf_size` of kernel/trace/trace.c). */
const DEFAULT_KIB = 1408;

/** An entry on its way to the buffers. */
export interface Occurrence {
  readonly event: TraceEvent;
  readonly entry: Uint8Array;
  readonly cpu: number;
  readonly comm: string;
}

/** A trace instance: buffers, settings and event files of its own (`struct trace_array`). */
export class TraceInstance {
  /** Empty for the one at the top. */
  readonly name: string;
  readonly errors: ErrorLog;
  clock: TraceClock = "local";
  bufferPercent = 50;
  /** What triggers find here; set once by who makes the instance. */
  triggerHost!: TriggerHost;
  /** Open files that keep the instance from going. */
  users = 0;
  readonly #settings: FilterSettings;
  /** Made when it is first needed: most instances never see an event. */
  #ring: RingBuffer | undefined;
  #initialBytes = DEFAULT_KIB * 1024;
  readonly #files = new Map<TraceEvent, EventFile>();
  /** Events that were enabled here at some time: with them goes what is in the buffer. */
  readonly #everEnabled = new WeakSet<TraceEvent>();

  /** @param errors the instance's `error_log`; definition files use the one at the top. */
  constructor(name: string, settings: FilterSettings, errors: ErrorLog) {
    this.name = name;
    this.errors = errors;
    this.#settings = settings;
  }

  get ring(): RingBuffer {
    return this.#ring ??= new RingBuffer({
      cpus: this.#settings.cpuCount,
      bytes: this.#initialBytes,
    });
  }

  /** The event file of `event`, made at the first use. */
  file(event: TraceEvent): EventFile {
    let file = this.#files.get(event);
    if (file === undefined) {
      this.#files.set(
        event,
        file = new EventFile(event, this.#settings, this.errors, () => this.triggerHost),
      );
    }
    return file;
  }

  isEnabled(event: TraceEvent): boolean {
    return this.#files.get(event)?.enabled ?? false;
  }

  /** Whether the event is enabled or has triggers here. */
  isActive(event: TraceEvent): boolean {
    return this.#files.get(event)?.active ?? false;
  }

  enable(event: TraceEvent, on: boolean): void {
    const file = this.file(event);
    if (on && !file.active) event.beforeEnable?.();
    file.enabled = on;
    if (on) this.#everEnabled.add(event);
    event.onEnable?.(this, file.active);
  }

  /** A trigger of the event comes or goes. */
  arm(event: TraceEvent, on: boolean): void {
    const file = this.file(event);
    if (on && !file.active) event.beforeEnable?.();
    if (on) file.arm();
    else file.disarm();
    event.onEnable?.(this, file.active);
  }

  /** Stops all events, as the end of an instance does. */
  disableAll(): void {
    for (const file of this.#files.values()) {
      if (file.enabled) this.enable(file.event, false);
      if (file.hasTriggers) file.triggers.clear();
    }
  }

  /** Events enabled here, in the order of `events`. */
  enabledOf(events: readonly TraceEvent[]): TraceEvent[] {
    return events.filter((event) => this.isEnabled(event));
  }

  /**
   * An event is gone. What it wrote cannot be told apart any more, so the kernel wipes the buffer
   * of each instance in which it was ever enabled (`tracing_reset_all_online_cpus`): whether that
   * is so here.
   */
  forget(event: TraceEvent): boolean {
    this.#files.delete(event);
    return this.#everEnabled.has(event);
  }

  /**
   * An event fires: its triggers act, and its entry goes into the buffer if the event is enabled
   * and its filter lets it through. Some triggers act only after that.
   */
  record({ event, entry, cpu, comm }: Occurrence, now: bigint): void {
    const file = this.#files.get(event);
    if (file === undefined || !file.active) return;
    const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
    const actLate = file.hasTriggers
      ? file.triggers.fire({
        entry: view,
        offset: 0,
        length: entry.length,
        context: { cpu, comm, pid: view.getInt32(4, true), timestamp: now },
      })
      : undefined;
    if (file.recording) {
      if (file.passes(view, cpu, comm)) this.ring.write(cpu, entry, now);
      else this.ring.discard(cpu, entry.length, now);
    }
    actLate?.();
  }

  /** Sets `buffer_size_kb`, of one CPU or of all. @throws {KernelError} EBUSY while it is read. */
  resize(kib: number, cpu?: number): void {
    if (this.#ring === undefined && cpu === undefined) this.#initialBytes = kib * 1024;
    else if (!this.ring.resize(kib * 1024, cpu)) throw new KernelError("EBUSY", "write");
  }

  /**
   * Text of `buffer_size_kb`, of one CPU or of all: what the sub-buffers hold, which is more than
   * was asked for (`tracing_entries_read`); `X` where the CPUs differ.
   */
  sizeText(cpu?: number): string {
    const cpus = cpu === undefined ? [...Array(this.#settings.cpuCount).keys()] : [cpu];
    const sizes = new Set(cpus.map((one) => this.ring.cpu(one).size));
    const [size] = sizes;
    return sizes.size > 1 ? "X" : String(Math.floor(size / 1024));
  }

  /** Sets `trace_clock`; stamps of two clocks do not mix, so the buffer is wiped. */
  setClock(clock: TraceClock): void {
    this.clock = clock;
    this.wipe();
  }

  /** Throws away what is in the buffer. */
  wipe(): void {
    this.#ring?.reset();
  }
}
