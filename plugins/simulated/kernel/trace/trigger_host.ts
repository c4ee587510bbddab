import { KernelError } from "../../../../core/kernel/error.ts";
import { SyntheticEvent } from "../dynamic/synthetic_event.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type {
  ActionValue,
  AddressSymbol,
  FireContext,
  SyntheticTarget,
  TriggerEvent,
  TriggerHost,
} from "../trigger/host.ts";
import { type SharedTriggerState, TriggerState } from "../trigger/state.ts";
import { putEntryHeader } from "./event.ts";
import type { EventFile } from "./event_file.ts";
import { TRACE_CLOCKS, type TraceClock, type TraceInstance } from "./instance.ts";
import type { Tracing } from "./tracing.ts";

/** Clocks that count something else than nanoseconds. */
const OTHER_UNITS: ReadonlySet<TraceClock> = new Set(["counter", "uptime", "x86-tsc"]);

/** What the triggers of one instance find around them. */
export function triggerHost(
  kernel: SimulatedKernel,
  tracing: Tracing,
  instance: TraceInstance,
  shared: SharedTriggerState,
): TriggerHost {
  return {
    version: kernel.version,
    cpuCount: kernel.cpus,
    errors: instance.errors,
    state: new TriggerState(shared),
    findEvent: (system, name) => {
      const event = tracing.registry.find(system, name);
      return event && instance.file(event).asTriggerEvent;
    },
    findSymbol: (address) => findSymbol(kernel, address),
    // The names of system calls are not in the profile: numbers are shown instead.
    syscallName: () => undefined,

    arm: (event) => instance.arm(fileOf(tracing, instance, event).event, true),
    disarm: (event) => instance.arm(fileOf(tracing, instance, event).event, false),
    isSoftDisabled: (event) => fileOf(tracing, instance, event).softDisabled,
    setSoftDisabled: (event, disabled) => {
      fileOf(tracing, instance, event).softDisabled = disabled;
    },

    isTracingOn: () => instance.ring.recording,
    setTracing: (on) => {
      instance.ring.recording = on;
    },
    // Snapshots and stacks are accepted, and leave nothing: there is no second buffer, no stack.
    armSnapshot: () => {},
    disarmSnapshot: () => {},
    takeSnapshot: () => {},
    recordStack: () => {},
    setClock: (name) => {
      if (!(TRACE_CLOCKS as readonly string[]).includes(name)) return false;
      instance.setClock(name as TraceClock);
      return true;
    },
    isClockInNanoseconds: () => !OTHER_UNITS.has(instance.clock),

    findSynthetic: (name) => findSynthetic(tracing, name),
    holdSynthetic: (target) => tracing.dynamic.registry.hold(syntheticOf(target)),
    releaseSynthetic: (target) => tracing.dynamic.registry.release(syntheticOf(target)),
    fireSynthetic: (target, values, context) =>
      fireSynthetic(tracing, syntheticOf(target), values, context),
  };
}

function fileOf(tracing: Tracing, instance: TraceInstance, event: TriggerEvent): EventFile {
  const found = tracing.registry.find(event.system, event.name);
  if (found === undefined) throw new KernelError("ENODEV", "write");
  return instance.file(found);
}

function findSymbol(kernel: SimulatedKernel, address: bigint): AddressSymbol | undefined {
  const found = kernel.profile.functionAt(address);
  return found && {
    name: found.name,
    offset: address - found.address,
    size: BigInt(found.size),
    ...(found.module !== undefined && { module: found.module }),
  };
}

function findSynthetic(tracing: Tracing, name: string): SyntheticEvent | undefined {
  for (const event of tracing.dynamic.events()) {
    if (event instanceof SyntheticEvent && event.name === name) return event;
  }
  return undefined;
}

/** Targets are the synthetic events that {@link findSynthetic} gave. */
function syntheticOf(target: SyntheticTarget): SyntheticEvent {
  return target as SyntheticEvent;
}

function fireSynthetic(
  tracing: Tracing,
  event: SyntheticEvent,
  values: readonly ActionValue[],
  { cpu, comm, pid }: FireContext,
): void {
  const traceEvent = tracing.traceEvent(event);
  const entry = event.encode(values);
  putEntryHeader(entry, traceEvent, pid);
  tracing.record({ event: traceEvent, entry, cpu, comm, tid: pid });
}
