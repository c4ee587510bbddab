/**
 * What can be counted: the PMUs of tracing and of software (`perf_init_event` and the `event_init`
 * of each, kernel/events/core.c, kernel/trace/trace_event_perf.c).
 * @module
 */
import type { ProbeEvent } from "../dynamic/event.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { TraceEvent } from "../trace/event.ts";
import { PERF_TYPE, SAMPLE, SOFTWARE } from "./abi.ts";
import type { PerfAttr } from "./attr.ts";
import { localKprobe, localUprobe } from "./local_probe.ts";
import { refuse } from "./refusal.ts";

/** Software events: the clocks, what programs put out, and others, which never happen here. */
export type SoftwareEvent = "clock" | "output" | "other";

/** What an event counts. */
export type EventSource =
  | { readonly pmu: "software"; readonly counts: SoftwareEvent }
  | { readonly pmu: "tracepoint"; readonly traceEvent: TraceEvent }
  | LocalSource;

/** A probe that an event has for itself, without a directory in tracefs. */
export interface LocalSource {
  readonly pmu: "kprobe" | "uprobe";
  /** With id 0, as its entries have it. */
  readonly traceEvent: TraceEvent;
  readonly probe: ProbeEvent;
}

/** Types of the PMUs that get theirs when the kernel starts: 6.1 keeps none for the clocks. */
export const PROBE_PMU_TYPES = {
  "6.1": { kprobe: 6, uprobe: 7 },
  "6.12": { kprobe: 8, uprobe: 9 },
} as const;

/** Registers behind these are extended ones, which none of these PMUs has. */
const X86_EXTENDED_SHIFT = 32n;

/**
 * Finds what an attribute asks to count. Nothing is changed yet.
 *
 * @param targeted whether a single thread is counted
 * @throws {KernelError} as the PMU's `event_init` fails; ENOENT if there is no such event
 */
export function initEvent(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: PerfAttr,
  targeted: boolean,
): EventSource {
  const source = findSource(kernel, caller, attr, targeted);
  const extended = kernel.arch === "x86_64" &&
    (attr.regsUser >> X86_EXTENDED_SHIFT !== 0n || attr.regsIntr >> X86_EXTENDED_SHIFT !== 0n);
  if (extended) refuse("EOPNOTSUPP");
  return source;
}

function findSource(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: PerfAttr,
  targeted: boolean,
): EventSource {
  const { kprobe, uprobe } = PROBE_PMU_TYPES[kernel.version];
  switch (attr.type) {
    case PERF_TYPE.software:
      return softwareEvent(attr);
    case PERF_TYPE.tracepoint:
      refuseBranches(attr);
      return tracepointEvent(kernel, caller, attr, targeted);
    case kprobe:
      if (!caller.privileged) refuse("EACCES");
      refuseBranches(attr);
      return localKprobe(kernel, caller, attr);
    case uprobe:
      if (!caller.privileged) refuse("EACCES");
      refuseBranches(attr);
      return localUprobe(kernel, caller, attr);
    default:
      // No counters in hardware, and no breakpoints.
      return refuse("ENOENT");
  }
}

/** None of these can tell of branches. */
function refuseBranches(attr: PerfAttr): void {
  if (attr.sampleType & SAMPLE.branchStack) refuse("EOPNOTSUPP");
}

/** `perf_swevent_init`. */
function softwareEvent(attr: PerfAttr): EventSource {
  refuseBranches(attr);
  if (attr.config >= BigInt(SOFTWARE.max)) refuse("ENOENT");
  const config = Number(attr.config);
  const counts = config <= SOFTWARE.taskClock
    ? "clock"
    : config === SOFTWARE.bpfOutput
    ? "output"
    : "other";
  return { pmu: "software", counts };
}

function tracepointEvent(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: PerfAttr,
  targeted: boolean,
): EventSource {
  const traceEvent = attr.config > 0xffffn
    ? undefined
    : kernel.tracing.registry.byId(Number(attr.config));
  // ftrace's own events cannot be had; of the function tracer's the simulated kernel has none.
  if (traceEvent === undefined || traceEvent.system === "ftrace") refuse("EINVAL");
  const forAnyone = targeted && isForAnyone(traceEvent);
  if (attr.sampleType & SAMPLE.raw && !forAnyone) kernel.perf.settings.allowTracepoint(caller);
  if (traceEvent.kind === "synthetic") refuse("ENODEV");
  // A uprobe event serves ftrace or perf, not both (kernel/trace/trace_uprobe.c).
  if (traceEvent.kind === "uprobe" && kernel.tracing.isEnabledAnywhere(traceEvent)) refuse("EINTR");
  return { pmu: "tracepoint", traceEvent };
}

/** Whether the entries are no secret from whom they are about (`TRACE_EVENT_FL_CAP_ANY`). */
function isForAnyone({ kind, system }: TraceEvent): boolean {
  return kind === "uprobe" || system === "raw_syscalls" || system === "syscalls";
}
