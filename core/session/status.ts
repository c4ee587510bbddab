import type { Backend, ProbeState } from "../backend.ts";
import { readLedger } from "../plan/ledger.ts";
import { lockHolder } from "../plan/lock.ts";

/** State of one probe of a trace. */
export interface ProbeStatus extends ProbeState {
  /** Key in the config, where the ledger knows it. */
  readonly probe?: string;
  /** Whether the ledger says it was installed and the kernel does not have it. */
  readonly missing: boolean;
}

/** State of a trace: what the kernel has, named by the ledger. */
export interface TraceStatus {
  readonly name: string;
  /** `applied` stays, `running` goes with its sonde, `leftover` is what a dead sonde left. */
  readonly state: "applied" | "running" | "leftover";
  readonly probes: readonly ProbeStatus[];
  /** Whether every probe exists and is enabled, and somebody is responsible for the trace. */
  readonly healthy: boolean;
}

/** What the kernel says of trace `name`. Changes nothing. */
export async function traceStatus(backend: Backend, name: string): Promise<TraceStatus> {
  const { kernel } = backend;
  const ledger = readLedger(kernel, name);
  const probeOf = eventsOfLedger(ledger?.thisBoot ? ledger.operations : []);
  const states = await backend.status(name, [...probeOf.keys()]);
  const probes: ProbeStatus[] = states.map((state) => ({
    ...state,
    probe: probeOf.get(state.event),
    missing: false,
  }));
  const present = new Set(states.map(({ event }) => event));
  for (const [event, probe] of probeOf) {
    if (!present.has(event)) probes.push({ event, probe, active: false, missing: true });
  }
  const state = lockHolder(kernel, name) !== undefined
    ? "running"
    : ledger?.committed && ledger.thisBoot
    ? "applied"
    : "leftover";
  const healthy = state !== "leftover" && probes.every(({ active }) => active);
  return { name, state, probes, healthy };
}

/** The event of each probe, by the operations that enable them: `.../events/GROUP/EVENT/enable`. */
function eventsOfLedger(
  operations: readonly { kind: string; target: string; probe?: string }[],
): Map<string, string> {
  const events = new Map<string, string>();
  for (const { kind, target, probe } of operations) {
    const event = /\/events\/([^/]+\/[^/]+)\/enable$/.exec(target)?.[1];
    if (kind === "enable" && event !== undefined && probe !== undefined) events.set(event, probe);
  }
  return events;
}
