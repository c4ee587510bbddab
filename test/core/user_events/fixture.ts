/**
 * Programs with user_events on a simulated kernel, and sonde that records them.
 * @module
 */

import type { TraceRecord } from "../../../core/event/record.ts";
import type { Fields } from "../../../core/user_events/encode.ts";
import {
  openProviderOn,
  type Provider,
  type ProviderOptions,
} from "../../../core/user_events/provider.ts";
import { runTrace } from "../../../core/session/run.ts";
import type { SimulatedProcess } from "../../../plugins/simulated/kernel/process.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { makeKernel, makeRequest, startSonde } from "../../support/host.ts";
import { CollectingSink } from "../../support/sink.ts";

export const ERAS = ["6.12", "6.1", "rfc2022"] as const;

/** A kernel with the user_events of an era. */
export function makeEra(era: typeof ERAS[number]): SimulatedKernel {
  return makeKernel(`simulate: { kernel: "${era}" }`);
}

/** A program of its own with a provider. */
export function startProvider(
  kernel: SimulatedKernel,
  options: ProviderOptions & { readonly uid?: number } = {},
): { readonly process: SimulatedProcess; readonly provider: Provider } {
  const process = startProgram(kernel, options.uid);
  return { process, provider: openProviderOn(process, options) };
}

let lastPid = 2000;

export function startProgram(kernel: SimulatedKernel, uid = 0): SimulatedProcess {
  return kernel.spawn({ pid: ++lastPid, comm: "shop", uid });
}

/** A config's body with a probe for each of `events` (`namespace/event`); its id is the event's. */
export function probesOf(events: readonly string[]): string {
  const namespaces = new Set(events.flatMap((event) => event.split("/").slice(0, -1)));
  const names = [...namespaces].map((name) => `  ${name}: {}`).join("\n");
  const declared = events.map((event) => {
    const [name, namespace] = event.split("/").reverse();
    return `  ${name}: { ${namespace ? `namespace: ${namespace}` : ""} }`;
  });
  const probes = events.map((event) => `  ${event.split("/").at(-1)}: { user_event: ${event} }`);
  return [
    ...(names === "" ? [] : ["namespaces:", names]),
    "user_events:",
    ...declared,
    "probes:",
    ...probes,
  ].join("\n");
}

/**
 * Records `events` for 300 ms.
 * @param act what programs do once sonde listens.
 */
export async function record(
  kernel: SimulatedKernel,
  events: readonly string[],
  act: () => void = () => {},
): Promise<TraceRecord[]> {
  const backend = startSonde(kernel);
  const request = await makeRequest(backend, probesOf(events));
  const sink = new CollectingSink();
  await runTrace(backend, request, [sink], { duration: 300_000_000n, started: act });
  return sink.records;
}

/** Does something `milliseconds` from now. */
export function later(kernel: SimulatedKernel, milliseconds: number, act: () => void): void {
  kernel.scheduler.add({
    due: kernel.scheduler.now + BigInt(milliseconds) * 1_000_000n,
    fire() {
      act();
      return undefined;
    },
  });
}

/** A field of every type, some by more than one name. */
export const ALL_TYPES = {
  a: "u8",
  b: "u16",
  c: "u32",
  d: "u64",
  e: "s8",
  f: "s16",
  g: "s32",
  h: "s64",
  i: "int",
  j: "unsigned short",
  stage: "char[8]",
  note: "string",
  blob: "bytes",
} as const satisfies Fields;
