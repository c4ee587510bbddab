import type { DynamicEntry, DynamicParser } from "../dynamic/registry.ts";
import type { PerfEvents } from "../perf/perf.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { createByCommand, deleteByCommand, matchesCommand } from "../user_events/dynamic_events.ts";
import type { Tracer, UserEvent } from "../user_events/event.ts";
import type { Task, UserEventsHost } from "../user_events/host.ts";
import type { UserEvents } from "../user_events/user_events.ts";
import { putEntryHeader, type TraceEvent } from "./event.ts";
import type { TraceInstance } from "./instance.ts";
import type { Tracing } from "./tracing.ts";

/** Entries larger than this find no room in a sub-buffer of 4 KiB, and nobody hears of it. */
const MAX_ENTRY = 4072;

/** What work queues wait before they run what is left to them. */
const WORK_DELAY = 100_000n;

/** Names that tracefs cannot make a directory of (kernel/trace/trace_events.c, `event_create_dir`). */
const NO_DIRECTORY = new Set(["", ".", "..", "enable", "filter"]);

/** Ties user_events to the tracing core: events with a directory, instances that listen. */
export function userEventsHost(kernel: SimulatedKernel, tracing: Tracing): UserEventsHost {
  const traceEvents = new Map<UserEvent, TraceEvent>();
  const entries = new Map<UserEvent, DynamicEntry>();
  return {
    allocateEventId: () => tracing.registry.allocateId(),
    onAdd(event) {
      const entry = dynamicEntry(event, tracing);
      entries.set(event, entry);
      tracing.dynamic.registry.insert(entry);
      if (NO_DIRECTORY.has(event.name) || /[/\0]/.test(event.name) || event.name.length > 255) {
        kernel.log(`Could not create tracefs '${event.name}' directory`);
        return;
      }
      const traceEvent = traceEventOf(event, tracing, kernel.perf);
      traceEvents.set(event, traceEvent);
      tracing.registry.add(traceEvent);
    },
    onRemove(event) {
      const traceEvent = traceEvents.get(event);
      if (traceEvent !== undefined) tracing.removeEvent(traceEvent);
      tracing.registry.releaseId(event.id);
      traceEvents.delete(event);
      tracing.dynamic.registry.erase(entries.get(event)!);
      entries.delete(event);
    },
    capable: (task) => (task as SimulatedProcess).uid === 0,
    dmesg: (text) => kernel.log(text),
    later: (work) =>
      kernel.scheduler.add({
        due: kernel.scheduler.now + WORK_DELAY,
        fire() {
          work();
          return undefined;
        },
      }),
  };
}

/** The trace event of a user_event; who enables it, an instance or perf, is one of its listeners. */
function traceEventOf(event: UserEvent, tracing: Tracing, perf: PerfEvents): TraceEvent {
  const tracers = new Map<TraceInstance, Tracer>();
  let perfTracer: Tracer | undefined;
  const traceEvent: TraceEvent = {
    kind: "user_event",
    system: event.system,
    name: event.name,
    id: event.id,
    fields: event.fields,
    printFmt: event.printFmt,
    onPerf(on) {
      if (on) event.attach(perfTracer = perf.userEventTracer(traceEvent, tracing.cpus));
      else event.detach(perfTracer!);
    },
    onEnable(instance, on) {
      const tracer = tracers.get(instance);
      if (on === (tracer !== undefined)) return;
      if (tracer !== undefined) {
        tracers.delete(instance);
        event.detach(tracer);
      } else {
        const added = instanceTracer(traceEvent, instance, tracing);
        tracers.set(instance, added);
        event.attach(added);
      }
    },
  };
  return traceEvent;
}

function instanceTracer(event: TraceEvent, instance: TraceInstance, tracing: Tracing): Tracer {
  return {
    kind: "ftrace",
    reserve(size, task) {
      if (size > MAX_ENTRY) return null;
      const entry = new Uint8Array(size);
      putEntryHeader(entry, event, (task as SimulatedProcess).pid);
      return entry;
    },
    commit(entry, task) {
      const { pid, comm } = task as SimulatedProcess;
      tracing.saveCommand(pid, comm);
      instance.record({ event, entry, cpu: pid % tracing.cpus, comm }, tracing.now());
    },
    discard() {},
  };
}

/** A user_event as a line of `dynamic_events`. */
function dynamicEntry(event: UserEvent, tracing: Tracing): DynamicEntry {
  return {
    parser: tracing.userEventParser,
    show: () => event.definition,
    matches: ({ group, event: name, words }) => matchesCommand(event, group ?? null, name, words),
    isBusy: () => !event.idle,
    free: () => deleteByCommand(event, tracing.caller),
  };
}

/** The kind of dynamic event that user_events are. */
export function userEventParser(userEvents: () => UserEvents, caller: () => Task): DynamicParser {
  return {
    name: "user_events",
    create(line) {
      if (createByCommand(userEvents().root, line, caller()) === null) return "not mine";
    },
  };
}
