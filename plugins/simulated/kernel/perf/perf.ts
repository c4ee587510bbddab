/**
 * perf in the simulated kernel: who listens to what, and what they are told.
 * @module
 */
import { putEntryHeader, type TraceEvent } from "../trace/event.ts";
import type { PerfEvent } from "./event.ts";
import { PerfMappings } from "./mapping.ts";
import { type Occurrence, passing } from "./occurrence.ts";
import type { LocalSource } from "./pmu.ts";
import type { EventProgram } from "./program.ts";
import { PerfSettings } from "./settings.ts";
import type { Tracer } from "../user_events/event.ts";
import type { SimulatedProcess } from "../process.ts";

/** Entries larger than this are not handed to perf (`PERF_MAX_TRACE_SIZE`). */
const MAX_ENTRY = 8192;

/** Offset of `common_preempt_count`: perf has preemption off when it looks. */
const PREEMPT_COUNT = 3;

/** Who listens to one trace event. */
interface Listeners {
  /** Newest first, as samples are made. */
  readonly events: PerfEvent[];
  /** Those that have a program, in the order in which the programs run. */
  readonly programs: PerfEvent[];
}

/** All perf events of the kernel. */
export class PerfEvents {
  readonly settings = new PerfSettings();
  readonly mappings: PerfMappings;
  readonly #events = new Set<PerfEvent>();
  readonly #listeners = new Map<TraceEvent, Listeners>();
  readonly #localProbes = new Set<LocalSource>();
  #lastId = 0n;

  /** @param cpus CPUs that are online */
  constructor(cpus: number) {
    this.mappings = new PerfMappings(this.settings, cpus);
  }

  /** An id that no event had before. */
  newId(): bigint {
    return ++this.#lastId;
  }

  /** The probes that events made for themselves. */
  get localProbes(): Iterable<LocalSource> {
    return this.#localProbes;
  }

  /** Whether an event is open on a trace event, enabled or not: until then it cannot be deleted. */
  isListening(traceEvent: TraceEvent): boolean {
    return this.#listeners.has(traceEvent);
  }

  /** Lets an event listen to what it counts. */
  add(event: PerfEvent): void {
    this.#events.add(event);
    const { source } = event;
    if (source.pmu === "software") return;
    if (source.pmu !== "tracepoint") this.#localProbes.add(source);
    const listeners = this.#listeners.get(source.traceEvent);
    if (listeners !== undefined) {
      listeners.events.unshift(event);
      return;
    }
    this.#listeners.set(source.traceEvent, { events: [event], programs: [] });
    source.traceEvent.onPerf?.(true);
  }

  /** An event is closed for good. */
  remove(event: PerfEvent): void {
    this.#events.delete(event);
    this.mappings.forget(event);
    event.leaveGroup();
    const { source } = event;
    if (source.pmu === "software") return;
    if (source.pmu !== "tracepoint") this.#localProbes.delete(source);
    this.detachProgram(event);
    const { events } = this.#listeners.get(source.traceEvent)!;
    events.splice(events.indexOf(event), 1);
    if (events.length > 0) return;
    this.#listeners.delete(source.traceEvent);
    source.traceEvent.onPerf?.(false);
  }

  /** The events that have a program on a trace event, in the order in which those run. */
  programsOn(traceEvent: TraceEvent): readonly PerfEvent[] {
    return this.#listeners.get(traceEvent)?.programs ?? [];
  }

  attachProgram(event: PerfEvent, traceEvent: TraceEvent, program: EventProgram): void {
    event.program = program;
    this.#listeners.get(traceEvent)!.programs.push(event);
  }

  detachProgram(event: PerfEvent): void {
    const { program, source } = event;
    if (program === undefined || source.pmu === "software") return;
    event.program = undefined;
    const { programs } = this.#listeners.get(source.traceEvent)!;
    programs.splice(programs.indexOf(event), 1);
    program.release();
  }

  /** Tells of an entry that is complete: programs first, then whom it concerns. */
  record(traceEvent: TraceEvent, entry: Uint8Array, occurrence: Occurrence): void {
    const listeners = this.#listeners.get(traceEvent);
    if (listeners === undefined || entry.length > MAX_ENTRY) return;
    if (traceEvent.kind === "uprobe" && !coversProcess(listeners.events, occurrence)) return;
    const onRegisters = traceEvent.kind === "kprobe" || traceEvent.kind === "uprobe";
    const moment = { occurrence, entry: onRegisters ? null : entry };
    let keep = true;
    for (const { program } of [...listeners.programs]) {
      if (program?.run(moment) === 0n) keep = false;
    }
    if (!keep) return;
    const concerned = listeners.events.filter((event) => event.concerns(occurrence));
    if (concerned.length === 0) return;
    const raw = entry.slice();
    raw[PREEMPT_COUNT] = 1;
    for (const event of concerned) event.record(raw, occurrence);
  }

  /** What takes the records of a user_event to perf. */
  userEventTracer(traceEvent: TraceEvent, cpus: number): Tracer {
    const occurrenceOf = (task: unknown) => {
      const { pid, comm } = task as SimulatedProcess;
      return passing({ pid, tid: pid, comm, cpu: pid % cpus });
    };
    return {
      kind: "perf",
      reserve: (size, task) => {
        const occurrence = occurrenceOf(task);
        const { events } = this.#listeners.get(traceEvent)!;
        if (size > MAX_ENTRY || !events.some((event) => event.concerns(occurrence))) return null;
        const entry = new Uint8Array(size);
        putEntryHeader(entry, traceEvent, occurrence.task.tid);
        return entry;
      },
      commit: (entry, task) => this.record(traceEvent, entry, occurrenceOf(task)),
      discard() {},
    };
  }

  /** A thread has ended. */
  threadEnds(tid: number): void {
    for (const event of this.#events) if (event.target === tid) event.exit();
  }
}

/** Whether a uprobe is placed in the process at all: it is in those that an event counts. */
function coversProcess(events: readonly PerfEvent[], { task }: Occurrence): boolean {
  return events.some(({ target }) =>
    target === undefined || target === task.pid || target === task.tid
  );
}
