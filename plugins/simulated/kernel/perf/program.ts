/**
 * Programs on events: what perf knows of them (`perf_event_set_bpf_prog`, kernel/events/core.c;
 * `perf_event_attach_bpf_prog`, kernel/trace/bpf_trace.c).
 * @module
 */
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { MAX_PROGRAMS } from "./abi.ts";
import type { PerfEvent } from "./event.ts";
import type { Occurrence } from "./occurrence.ts";
import { refuse } from "./refusal.ts";

/** What a program sees of the event that runs it. */
export interface ProgramMoment {
  readonly occurrence: Occurrence;
  /** The entry of a tracepoint; null for a program on registers. */
  readonly entry: Uint8Array | null;
}

/** A program on an event. It runs on every CPU and for every thread, whomever the event counts. */
export interface EventProgram {
  readonly programId: number;
  readonly cookie: bigint;
  /** What it returns: 0 keeps the event from being recorded. */
  run(moment: ProgramMoment): bigint;
  /** The event lets go of it. */
  release(): void;
}

/** A loaded program, as an event gets it. */
export interface AttachableProgram {
  readonly kind: "kprobe" | "tracepoint" | "perf_event" | "other";
  /** A use of it by one event, with the cookie that it can ask for. */
  attach(cookie: bigint): EventProgram;
}

/**
 * Gives an event a program.
 *
 * @throws {KernelError} EINVAL if it does not fit the event; EEXIST if the event has one; E2BIG
 * if its trace event has too many
 */
export function attachProgram(
  kernel: SimulatedKernel,
  event: PerfEvent,
  program: AttachableProgram,
  cookie: bigint,
  call: string,
): void {
  const { source } = event;
  // Software events take programs of another type, which are not modelled.
  if (source.pmu === "software") refuse("EINVAL", call);
  const { kind } = source.traceEvent;
  const onRegisters = kind === "kprobe" || kind === "uprobe";
  const isTracepoint = kind === undefined || kind === "user_event";
  if (!onRegisters && !isTracepoint) refuse("EINVAL", call);
  if (program.kind !== (onRegisters ? "kprobe" : "tracepoint")) refuse("EINVAL", call);
  if (event.program !== undefined) refuse("EEXIST", call);
  if (kernel.perf.programsOn(source.traceEvent).length >= MAX_PROGRAMS) refuse("E2BIG", call);
  kernel.perf.attachProgram(event, source.traceEvent, program.attach(cookie));
}
