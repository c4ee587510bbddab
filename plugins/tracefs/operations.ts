import type { TraceRequest } from "../../core/backend.ts";
import type { Machine } from "../../core/kernel/port.ts";
import { instanceOf } from "../../core/names.ts";
import type { Operation } from "../../core/operation.ts";
import { formatDefinition, formatDelete } from "../../core/probe/definition.ts";
import type { EventPlace } from "./user_events.ts";
import { archOf } from "../../core/probe/registers.ts";
import { type DefinedProbe, isDefinedProbe, type Probe } from "../../core/probe/probe.ts";

/** Ring buffer of each CPU unless the config says otherwise. */
const DEFAULT_BUFFER_KIB = 1408;

/** What is written to a filter file to clear it (Documentation/trace/events.rst 5.3). */
export const NO_FILTER = "0";

/** Directory of the instance of trace `name`, relative to the tracefs root. */
export function instanceDirectory(name: string): string {
  return `instances/${instanceOf(name)}`;
}

/** The definition file that a probe's line goes to. */
export function definitionFile(probe: DefinedProbe): "kprobe_events" | "uprobe_events" {
  return probe.kind === "kprobe" || probe.kind === "kretprobe" ? "kprobe_events" : "uprobe_events";
}

/**
 * The line that defines a probe on a machine.
 * @throws {DefinitionError} if that machine's kernel would not take it.
 */
export function definitionLine(probe: DefinedProbe, { arch, release }: Machine): string {
  return formatDefinition(probe, { arch: archOf(arch), release });
}

/**
 * How tracefs carries a trace out: an instance of its own, its settings, the definitions, the
 * filters, and last the events enabled. Filters and settings go with the instance. A user_event
 * that no program has registered yet has no operations: the capture looks for it.
 */
export function traceOperations(
  request: TraceRequest,
  machine: Machine,
  placesOf: (probe: Probe) => readonly EventPlace[],
): Operation[] {
  const instance = instanceDirectory(request.name);
  return [
    {
      kind: "instance",
      target: instance,
      step: { call: "mkdir", path: instance },
      undo: { call: "rmdir", path: instance },
    },
    // CLOCK_MONOTONIC, so that records of all CPUs and of other tools can be put in one order.
    setting(instance, "trace_clock", "mono"),
    setting(instance, "buffer_size_kb", String(request.bufferKiB ?? DEFAULT_BUFFER_KIB)),
    setting(instance, "tracing_on", "1"),
    ...request.probes.filter(isDefinedProbe).map((probe) => definition(probe, machine)),
    ...request.probes.flatMap((probe) =>
      placesOf(probe).map((place) => filter(instance, probe, place))
    ),
    ...request.probes.flatMap((probe) =>
      placesOf(probe).map((place) => enable(instance, probe, place))
    ),
  ];
}

function setting(instance: string, name: string, text: string): Operation {
  const file = `${instance}/${name}`;
  return { kind: "setting", target: file, step: { call: "write", file, text } };
}

function definition(probe: DefinedProbe, machine: Machine): Operation {
  const file = definitionFile(probe);
  return {
    kind: "definition",
    target: `${probe.group}/${probe.event}`,
    probe: probe.id,
    step: { call: "append", file, text: definitionLine(probe, machine) },
    undo: { call: "append", file, text: formatDelete(probe.group, probe.event) },
  };
}

function filter(instance: string, probe: Probe, { system, event }: EventPlace): Operation {
  const target = `${instance}/events/${system}/${event}/filter`;
  const text = probe.filter ?? NO_FILTER;
  return { kind: "filter", target, probe: probe.id, step: { call: "write", file: target, text } };
}

function enable(instance: string, probe: Probe, { system, event }: EventPlace): Operation {
  const target = `${instance}/events/${system}/${event}/enable`;
  return {
    kind: "enable",
    target,
    probe: probe.id,
    step: { call: "write", file: target, text: "1" },
    undo: { call: "write", file: target, text: "0" },
  };
}
