/**
 * perf_event_open(2), in the kernel's order of checks (kernel/events/core.c).
 * @module
 */
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { OPEN_FLAG, OPEN_FLAGS, SAMPLE } from "./abi.ts";
import { copyAttr, type PerfAttr } from "./attr.ts";
import { attrReader } from "./attr_reader.ts";
import { type PerfClock, PerfEvent } from "./event.ts";
import { PerfFile, perfFileOf } from "./perf_file.ts";
import { type EventSource, initEvent } from "./pmu.ts";
import { refuse } from "./refusal.ts";

/** Bits of `aux_action`. */
const AUX_START_PAUSED = 1;
const AUX_PAUSE_RESUME = 6;

/** Periods have 63 bits. */
const MAX_PERIOD = 1n << 63n;

/** Clocks by their number in clock_gettime(2). */
const CLOCKS: Readonly<Record<number, PerfClock>> = {
  0: "realtime",
  1: "monotonic",
  4: "monotonic_raw",
  7: "boottime",
  11: "tai",
};

/** Clocks that can be read anywhere, and so by every PMU. */
const SAFE_CLOCKS: ReadonlySet<PerfClock> = new Set(["monotonic", "monotonic_raw"]);

/** The arguments of the call. */
export interface OpenRequest {
  readonly attr: bigint;
  /** A thread; 0 for the caller, -1 for all. */
  readonly pid: number;
  /** A CPU; -1 for any. */
  readonly cpu: number;
  /** The leader of a group, or where the samples go; -1 for none. */
  readonly group: number;
  readonly flags: number;
}

/**
 * Opens a perf event.
 *
 * @returns its descriptor
 * @throws {KernelError} as the kernel refuses it
 */
export function perfEventOpen(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  request: OpenRequest,
): number {
  const { flags, cpu } = request;
  if (flags & ~OPEN_FLAGS) refuse("EINVAL");
  const attr = copyAttr(request.attr, attrReader(kernel, caller));
  checkPermission(kernel, caller, attr);
  const isCgroup = (flags & OPEN_FLAG.cgroup) !== 0;
  if (isCgroup && (request.pid === -1 || cpu === -1)) refuse("EINVAL");
  caller.requireFreeDescriptor("perf_event_open");
  const { leader, output } = findGroup(kernel, caller, request);
  const target = isCgroup ? undefined : findTarget(kernel, caller, request.pid);
  if (target && leader && leader.attr.flags.has("inherit") !== attr.flags.has("inherit")) {
    refuse("EINVAL");
  }
  const source = allocate(kernel, caller, attr, cpu, target !== undefined);
  // The descriptor of a cgroup: there are none.
  if (isCgroup) refuse("EBADF");
  if (attr.sampleType & SAMPLE.callchain && attr.maxStack > kernel.perf.settings.maxStack) {
    refuse("EOVERFLOW");
  }
  const clock = findClock(attr, source);
  const checkTarget = () => {
    if (target !== undefined && !mayTrace(caller, target)) refuse("EACCES");
  };
  if (kernel.version === "6.12") checkTarget();
  if (target === undefined) kernel.perf.settings.allowCpu(caller);
  const { version, arch } = kernel;
  const parts = { attr, version, arch, source, cpu, target: target?.pid, clock };
  if (leader !== undefined) checkGroup(leader, parts);
  const event = new PerfEvent({
    ...parts,
    id: kernel.perf.newId(),
    leader,
    now: (of) => kernel.now(of === "realtime" || of === "tai" ? "realtime" : "monotonic"),
  });
  try {
    if (output !== undefined) kernel.perf.mappings.setOutput(event, output, "perf_event_open");
    if (kernel.version === "6.1") checkTarget();
    // AUX samples and actions need a leader that makes AUX data.
    if (attr.auxSampleSize !== 0 || attr.auxAction !== 0) refuse("EINVAL");
  } catch (error) {
    kernel.perf.mappings.forget(event);
    event.leaveGroup();
    throw error;
  }
  kernel.perf.add(event);
  const access = { access: "read-write" } as const;
  return caller.install(new PerfFile(kernel, caller, event), "anon_inode:[perf_event]", access);
}

/** What the caller may ask for at all, before it is looked at what it asks for. */
function checkPermission(kernel: SimulatedKernel, caller: SimulatedProcess, attr: PerfAttr): void {
  const { settings } = kernel.perf;
  const { flags, sampleType, samplePeriod } = attr;
  if (settings.paranoid > 2 && !caller.privileged) refuse("EACCES");
  const kernelStack = kernel.version === "6.12" && (sampleType & SAMPLE.callchain) !== 0 &&
    !flags.has("excludeCallchainKernel");
  if (!flags.has("excludeKernel") || flags.has("textPoke") || kernelStack) {
    settings.allowKernel(caller);
  }
  if (flags.has("namespaces") && !caller.privileged) refuse("EACCES");
  if (flags.has("freq")) {
    if (samplePeriod > BigInt(settings.maxSampleRate)) refuse("EINVAL");
  } else if (samplePeriod >= MAX_PERIOD) refuse("EINVAL");
  if (sampleType & SAMPLE.physAddr) settings.allowKernel(caller);
  if (sampleType & SAMPLE.regsIntr && kernel.lockdown === "confidentiality") refuse("EPERM");
}

function findGroup(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  { group, flags }: OpenRequest,
): { readonly leader?: PerfEvent; readonly output?: PerfEvent } {
  if (group === -1) return {};
  const { event } = perfFileOf(caller, group, "perf_event_open");
  if (kernel.version === "6.12" && event.exited) refuse("ENODEV");
  return {
    ...(flags & OPEN_FLAG.noGroup ? {} : { leader: event }),
    ...(flags & OPEN_FLAG.output ? { output: event } : {}),
  };
}

function findTarget(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  pid: number,
): SimulatedProcess | undefined {
  if (pid === -1) return undefined;
  return pid === 0 ? caller : kernel.process(pid) ?? refuse("ESRCH");
}

/** `perf_event_alloc`. */
function allocate(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: PerfAttr,
  cpu: number,
  targeted: boolean,
): EventSource {
  const { flags, sampleType } = attr;
  const someCpu = cpu >= 0 && cpu < kernel.cpus;
  if (!someCpu && (!targeted || cpu !== -1)) refuse("EINVAL");
  if (flags.has("sigtrap") && !targeted) refuse("EINVAL");
  if (flags.has("inherit") && sampleType & SAMPLE.read) {
    // Values of one thread each can be told apart by its id, since 6.12.
    if (kernel.version === "6.1" || !(sampleType & SAMPLE.tid)) refuse("EINVAL");
  }
  const source = initEvent(kernel, caller, attr, targeted);
  // None of these PMUs has to do with AUX data.
  if (flags.has("auxOutput")) refuse("EOPNOTSUPP");
  if ((attr.auxAction & AUX_PAUSE_RESUME) === AUX_PAUSE_RESUME) refuse("EINVAL");
  if (attr.auxAction & AUX_START_PAUSED) refuse("EOPNOTSUPP");
  return source;
}

/** `perf_event_set_clock`: one that cannot be read everywhere is for software events only. */
function findClock(attr: PerfAttr, source: EventSource): PerfClock {
  if (!attr.flags.has("useClockId")) return "local";
  const clock = CLOCKS[attr.clockId] ?? refuse("EINVAL");
  if (!SAFE_CLOCKS.has(clock) && source.pmu !== "software") refuse("EINVAL");
  return clock;
}

/** `perf_check_permission`: as for ptrace(2). */
function mayTrace(caller: SimulatedProcess, target: SimulatedProcess): boolean {
  return caller.privileged || caller.uid === target.uid;
}

function checkGroup(
  leader: PerfEvent,
  event: { attr: PerfAttr; cpu: number; target: number | undefined; clock: PerfClock },
): void {
  const fits = leader.leader === leader && leader.clock === event.clock &&
    leader.cpu === event.cpu && leader.target === event.target;
  if (!fits) refuse("EINVAL");
  if (leader.exited) refuse("ENODEV");
  if (event.attr.flags.has("exclusive") || event.attr.flags.has("pinned")) refuse("EINVAL");
}
