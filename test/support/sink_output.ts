import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Output } from "../../core/pipeline/output.ts";
import type { PluginFactory, PluginHost, PluginOptions } from "../../core/plugin/plugin.ts";
import { runTrace } from "../../core/session/run.ts";
import { type CallValue, performCall } from "../../plugins/simulated/kernel/calls.ts";
import { makeKernel, makeRequest, startSonde } from "./host.ts";

/** A call of `show(u64, ustring, string)` that a sink is to write about. */
export interface ShownCall {
  readonly args: readonly CallValue[];
  readonly comm?: string;
  readonly tid?: number;
  readonly cpu?: number;
  /** Nanoseconds of the clock. */
  readonly time?: bigint;
}

const HOST = "simulate:\n  functions: { show: { args: [u64, ustring, string] } }\n";

/** What is captured of a call unless it is told. */
const CAPTURE = '{ n: "$arg1:u64", text: "+0($arg2):ustring" }';

/** What a sink writes of calls, one after the other, with probes that capture `capture`. */
export async function outputOf(
  factory: PluginFactory,
  calls: readonly ShownCall[],
  { options = {}, terminal = false, capture = CAPTURE, bufferKiB = 64 }: {
    readonly options?: PluginOptions;
    readonly terminal?: boolean;
    readonly capture?: string;
    readonly bufferKiB?: number;
  } = {},
): Promise<string> {
  const plugin = factory({} as PluginHost);
  if (plugin.kind !== "sink") throw new TypeError("It is no sink");
  const directory = mkdtempSync(join(tmpdir(), "sonde-sink-"));
  try {
    const path = join(directory, "output");
    const kernel = makeKernel(HOST);
    const backend = startSonde(kernel);
    const request = await makeRequest(
      backend,
      `probes: { shown: { kprobe: { symbol: show }, capture: ${capture} } }`,
    );
    const sink = plugin.create({ output: Output.file(path), options, terminal, clock: "mono" });
    const started = () => {
      for (const { args, comm = "program", tid = 100, cpu = 0, time } of calls) {
        if (time !== undefined) kernel.scheduler.spend(time - kernel.scheduler.now);
        const task = { pid: tid, tid, comm, cpu };
        performCall(kernel, { function: "show", args, latency: 0n, calls: [] }, task);
      }
    };
    await runTrace(backend, { ...request, bufferKiB }, [sink], { started, duration: 1n });
    return readFileSync(path, "utf8");
  } finally {
    rmSync(directory, { recursive: true });
  }
}
