import type { Backend, TraceRequest } from "../../core/backend.ts";
import { instanceOf } from "../../core/names.ts";
import type { Operation } from "../../core/operation.ts";
import { isDefinedProbe, type Probe } from "../../core/probe/probe.ts";
import { chooseRoute, type Pmus, type Route } from "./route.ts";

/** A perf event that a trace is to have. */
export interface WantedEvent {
  /** Unique among the perf events of this process, and what its steps call it. */
  readonly name: string;
  /** Name of the trace. */
  readonly trace: string;
  readonly probe: Probe;
  readonly route: Route;
  /** Directory under `events/` of what is opened by its id: `sched/sched_switch`. */
  readonly place: string;
}

/** What a trace takes: the operations, and the events that they open. */
export interface TracePlan {
  readonly operations: readonly Operation[];
  readonly events: readonly WantedEvent[];
}

/** What the rings of a trace are called in operations. */
export function ringsName(trace: string): string {
  return `${instanceOf(trace)}/rings`;
}

/**
 * How perf carries a trace out: rings, definitions for what no PMU can, perf events, and last these
 * enabled. Nothing of it but the definitions outlives the process.
 *
 * @param base the tracefs backend
 */
export function planTrace(
  base: Backend,
  request: TraceRequest,
  pmus: Pmus,
  host: { readonly cpus: string; readonly pages: number; readonly pid: number },
): TracePlan {
  const rings = ringsName(request.name);
  const routes = new Map(
    request.probes.map((probe) => [probe, chooseRoute(probe, base.kernel.machine, pmus)]),
  );
  const byTracefs = request.probes.filter((probe) => routes.get(probe)!.via === "event");
  const definitions = base.operations({ ...request, probes: byTracefs.filter(isDefinedProbe) })
    .filter(({ kind }) => kind === "definition");
  const events = request.probes.flatMap((probe) =>
    wantedEvents(base, request.name, probe, routes.get(probe)!)
  );
  const who = host.pid === -1 ? "all processes" : `process ${host.pid} and what it starts`;
  const kib = host.pages * 4;
  return {
    events,
    operations: [
      {
        kind: "perf_event",
        target: rings,
        step: {
          call: "perf_event_open",
          event: rings,
          cpus: host.cpus,
          how: `rings of ${kib} KiB for ${who}; perf events end with sonde`,
        },
        undo: { call: "perf_event_close", event: rings },
      },
      ...definitions,
      ...events.map((event) => openOperation(event, host.cpus)),
      ...events.map(enableOperation),
    ],
  };
}

/** The perf events of a probe: one, and of a user_event all formats that are registered now. */
export function wantedEvents(
  base: Backend,
  trace: string,
  probe: Probe,
  route: Route,
): WantedEvent[] {
  const places = route.via === "pmu"
    ? [`${probe.group}/${probe.event}`]
    : base.operations({ name: trace, probes: [probe] }).flatMap(({ kind, target }) =>
      kind === "enable" ? /\/events\/([^/]+\/[^/]+)\/enable$/.exec(target)?.[1] ?? [] : []
    );
  return places.map((place) => ({
    name: `${instanceOf(trace)}/${probe.id}/events/${place}`,
    trace,
    probe,
    route,
    place,
  }));
}

function openOperation({ name, probe, route }: WantedEvent, cpus: string): Operation {
  const filter = probe.filter === undefined ? "" : `, filter ${probe.filter}`;
  const how = route.via === "pmu"
    ? `${describePlace(route.probe)} by PMU ${route.pmu.type}` +
      (route.captures.length === 0 ? "" : ", arguments from registers")
    : route.reason + filter;
  return {
    kind: "perf_event",
    target: name,
    probe: probe.id,
    step: { call: "perf_event_open", event: name, cpus, how },
    undo: { call: "perf_event_close", event: name },
  };
}

function enableOperation({ name, probe }: WantedEvent): Operation {
  return {
    kind: "enable",
    target: `${name}/enable`,
    probe: probe.id,
    step: { call: "perf_event_enable", event: name },
    undo: { call: "perf_event_disable", event: name },
  };
}

function describePlace({ kind, place }: Extract<Route, { via: "pmu" }>["probe"]): string {
  if ("path" in place) return `${kind} ${place.path}:0x${place.offset.toString(16)}`;
  const module = place.module === undefined ? "" : `${place.module}:`;
  const offset = place.offset === 0 ? "" : `+0x${place.offset.toString(16)}`;
  return `${kind} ${module}${place.symbol}${offset}`;
}
