/**
 * ioctl(2) on a perf event (`_perf_ioctl`, kernel/events/core.c).
 * @module
 */
import { FilterError } from "../../../../core/filter/error.ts";
import { bindFilter } from "../../../../core/filter/parse.ts";
import { fromByteString } from "../../../../core/filter/bytes.ts";
import { programOf } from "../bpf/program.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { TraceEvent } from "../trace/event.ts";
import { readUserString } from "../user_string.ts";
import { IOC, IOC_FLAG_GROUP, MAX_PROGRAMS, PAGE_SIZE, PERF_TYPE } from "./abi.ts";
import { copyAttr } from "./attr.ts";
import { attrReader } from "./attr_reader.ts";
import type { PerfEvent } from "./event.ts";
import { perfFileOf } from "./perf_file.ts";
import { attachProgram } from "./program.ts";
import { refuse } from "./refusal.ts";

const CALL = "ioctl";
/** What SET_OUTPUT is given to write to the event's own ring again. */
const NO_OUTPUT = (1n << 64n) - 1n;

/**
 * Carries a request out.
 *
 * @throws {KernelError} ENOTTY for one that is not known; else as the request fails
 */
export function perfIoctl(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  event: PerfEvent,
  request: number,
  arg: bigint,
): number {
  switch (request >>> 0) {
    case IOC.enable:
      return forEach(event, arg, (one) => one.enable());
    case IOC.disable:
      return forEach(event, arg, (one) => one.disable());
    case IOC.reset:
      return forEach(event, arg, (one) => one.reset());
    case IOC.refresh:
      return refresh(event, Number(BigInt.asIntN(32, arg)));
    case IOC.period:
      return setPeriod(kernel, caller, event, arg);
    case IOC.id:
      if (!caller.memory.write(arg, wordBytes(event.id))) refuse("EFAULT", CALL);
      return 0;
    case IOC.setOutput:
      return setOutput(kernel, caller, event, arg);
    case IOC.setFilter:
      return setFilter(kernel, caller, event, arg);
    case IOC.setBpf:
      return setProgram(kernel, caller, event, Number(BigInt.asIntN(32, arg)));
    case IOC.pauseOutput:
      if (event.buffer === undefined || event.buffer.pages === 0) refuse("EINVAL", CALL);
      event.buffer.paused = arg !== 0n;
      return 0;
    case IOC.queryBpf:
      return queryPrograms(kernel, caller, event, arg);
    case IOC.modifyAttributes: {
      const attr = copyAttr(arg, attrReader(kernel, caller));
      // Only breakpoints can be changed.
      return refuse(attr.type === event.attr.type ? "EOPNOTSUPP" : "EINVAL", CALL);
    }
    default:
      return refuse("ENOTTY", CALL);
  }
}

function forEach(event: PerfEvent, arg: bigint, action: (event: PerfEvent) => void): number {
  const events = BigInt.asUintN(32, arg) & IOC_FLAG_GROUP ? event.group : [event];
  for (const one of events) action(one);
  return 0;
}

function refresh(event: PerfEvent, count: number): number {
  if (event.attr.flags.has("inherit") || !event.isSampling) refuse("EINVAL", CALL);
  event.refresh(count);
  return 0;
}

function setPeriod(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  event: PerfEvent,
  address: bigint,
): number {
  const bytes = caller.memory.read(address, 8) ?? refuse("EFAULT", CALL);
  const period = new DataView(bytes.buffer).getBigUint64(0, true);
  if (!event.isSampling || period === 0n) refuse("EINVAL", CALL);
  const limit = event.attr.flags.has("freq")
    ? BigInt(kernel.perf.settings.maxSampleRate)
    : (1n << 63n) - 1n;
  if (period > limit) refuse("EINVAL", CALL);
  event.setPeriod(period);
  return 0;
}

function setOutput(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  event: PerfEvent,
  arg: bigint,
): number {
  const output = arg === NO_OUTPUT
    ? undefined
    : perfFileOf(caller, Number(BigInt.asIntN(32, arg)), CALL).event;
  kernel.perf.mappings.setOutput(event, output);
  return 0;
}

/** The trace event that an event listens to; none for software events. */
function traceEventOf({ source }: PerfEvent): TraceEvent | undefined {
  return source.pmu === "software" ? undefined : source.traceEvent;
}

function setFilter(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  event: PerfEvent,
  address: bigint,
): number {
  const string = readUserString(caller.memory, address, PAGE_SIZE);
  if (string === "fault") refuse("EFAULT", CALL);
  if (string === "too long") refuse("EINVAL", CALL);
  const traceEvent = traceEventOf(event);
  if (traceEvent === undefined) refuse("EINVAL", CALL);
  if (event.hasFilter) refuse("EEXIST", CALL);
  const options = { version: kernel.version, cpuCount: kernel.cpus };
  try {
    event.setFilter(bindFilter(fromByteString(string.text), traceEvent.fields, options));
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    refuse(error.errnoName, CALL);
  }
  return 0;
}

function setProgram(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  event: PerfEvent,
  fd: number,
): number {
  attachProgram(kernel, event, programOf(caller, fd, CALL), 0n, CALL);
  return 0;
}

function queryPrograms(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  event: PerfEvent,
  address: bigint,
): number {
  if (!caller.privileged) refuse("EPERM", CALL);
  const traceEvent = traceEventOf(event);
  if (event.attr.type !== PERF_TYPE.tracepoint || traceEvent === undefined) refuse("EINVAL", CALL);
  const query = caller.memory.read(address, 8) ?? refuse("EFAULT", CALL);
  const room = new DataView(query.buffer).getUint32(0, true);
  if (room > MAX_PROGRAMS) refuse("E2BIG", CALL);
  const ids = kernel.perf.programsOn(traceEvent).map(({ program }) => program!.programId);
  const answer = Uint32Array.from([ids.length, ...ids.slice(0, room)]);
  if (!caller.memory.write(address + 4n, new Uint8Array(answer.buffer))) refuse("EFAULT", CALL);
  if (room > 0 && ids.length > room) refuse("ENOSPC", CALL);
  return 0;
}

function wordBytes(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}
