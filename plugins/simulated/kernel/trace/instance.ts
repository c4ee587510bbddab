import { KernelError } from "../../../../core/kernel/error.ts";
import type { ErrorLog } from "../dynamic/error_log.ts";
import { RingBuffer } from "../ring_buffer/ring_buffer.ts";
import type { TriggerHost } from "../trigger/host.ts";
import type { TraceEvent } from "./event.ts";
import { EventFile, type FilterSettings } from "./event_file.ts";
import { TraceOptions } from "./options.ts";

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

/** Memory that a ring buffer may take: what a simulated machine has. */
const MAX_BYTES = 1n << 30n;

/** Whether ring buffers have their size; until tracing is used they have the least (`ring_buffer_expanded`). */
export interface Expansion {
  done: boolean;
}

/** What an instance is made with. */
export interface InstanceSettings extends FilterSettings {
  /** The `generation` of the registry at that time. */
  readonly generation: number;
  /** Shared by all instances in 6.1, the instance's own in 6.12. */
  readonly expansion: Expansion;
  /** The instance at the top of tracefs, for others than itself. */
  readonly top?: TraceInstance;
}

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
  readonly options: TraceOptions;
  readonly #settings: InstanceSettings;
  /** Made when it is first needed: most instances never see an event. */
  #ring: RingBuffer | undefined;
  #initialBytes: number;
  readonly #files = new Map<TraceEvent, EventFile>();
  /** Events that were enabled here at some time: with them goes what is in the buffer. */
  readonly #everEnabled = new WeakSet<TraceEvent>();

  /** @param errors the instance's `error_log`; definition files use the one at the top. */
  constructor(name: string, settings: InstanceSettings, errors: ErrorLog) {
    this.name = name;
    this.errors = errors;
    this.#settings = settings;
    this.#initialBytes = settings.expansion.done ? DEFAULT_KIB * 1024 : 1;
    this.options = new TraceOptions(settings.version, (option, on) => {
      if (option === "overwrite" && this.#ring !== undefined) this.#ring.overwrite = on;
    }, settings.top?.options);
  }

  get ring(): RingBuffer {
    return this.#ring ??= this.#makeRing();
  }

  #makeRing(): RingBuffer {
    const { cpuCount: cpus, version: kernel } = this.#settings;
    const ring = new RingBuffer({ cpus, bytes: this.#initialBytes, kernel });
    ring.overwrite = this.options.isSet("overwrite");
    return ring;
  }

  /** When it was made, for the order in which it lists events. */
  get generation(): number {
    return this.#settings.generation;
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

  /**
   * Enables or disables several events: all that can be, even if some cannot
   * (`__ftrace_set_clr_event_nolock`).
   *
   * @throws {KernelError} the first error, EINVAL for no events
   */
  enableAll(events: readonly TraceEvent[], on: boolean): void {
    const errors: unknown[] = [];
    for (const event of events) {
      try {
        this.enable(event, on);
      } catch (error) {
        errors.push(error);
      }
    }
    if (events.length === 0) throw new KernelError("EINVAL", "write");
    if (errors.length > 0) throw errors[0];
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

  /**
   * Gives the ring buffer its size when tracing is first used; in 6.1 that of the top only
   * (`tracing_update_buffers`).
   */
  expand(): void {
    const { expansion, version, top = this } = this.#settings;
    if (!expansion.done) (version === "6.1" ? top : this).resize(BigInt(DEFAULT_KIB));
  }

  /**
   * Sets `buffer_size_kb`, of one CPU or of all.
   *
   * @throws {KernelError} EBUSY while it is read, ENOMEM for more than the machine has
   */
  resize(kib: bigint, cpu?: number): void {
    this.#settings.expansion.done = true;
    // The kernel counts in 64 bits, and does not look whether they are enough.
    const size = BigInt.asUintN(64, kib << 10n);
    const bytes = size + 4096n >= 1n << 64n ? 0n : size;
    if (bytes > MAX_BYTES) throw new KernelError("ENOMEM", "write");
    if (this.#ring === undefined && cpu === undefined) this.#initialBytes = Number(bytes);
    else if (!this.ring.resize(Number(bytes), cpu)) throw new KernelError("EBUSY", "write");
  }

  /**
   * Text of `buffer_size_kb`, of one CPU or of all: what the sub-buffers hold, which is more than
   * was asked for (`tracing_entries_read`); `X` where the CPUs differ.
   */
  sizeText(cpu?: number): string {
    if (cpu !== undefined) return String(this.#kibOf(cpu));
    const sizes = new Set(this.#eachCpu((one) => this.ring.cpu(one).size));
    return sizes.size > 1 ? "X" : `${this.#kibOf(0)}${this.#expandedText(1)}`;
  }

  /** Text of `buffer_total_size_kb`. */
  totalSizeText(): string {
    const sum = this.#eachCpu((cpu) => this.#kibOf(cpu)).reduce((a, b) => a + b, 0);
    return `${sum}${this.#expandedText(this.#settings.cpuCount)}`;
  }

  #eachCpu<T>(ask: (cpu: number) => T): T[] {
    return Array.from({ length: this.#settings.cpuCount }, (_, cpu) => ask(cpu));
  }

  #kibOf(cpu: number): number {
    return Math.floor(this.ring.cpu(cpu).size / 1024);
  }

  #expandedText(cpus: number): string {
    return this.#settings.expansion.done ? "" : ` (expanded: ${DEFAULT_KIB * cpus})`;
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
