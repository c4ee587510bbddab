/**
 * What the programs of a simulated host do while it runs: `simulate.calls` and the like as timers
 * of the simulated clock.
 * @module
 */

import type { Config } from "../../core/config/config.ts";
import { type CallValue, type FunctionCall, performCall, type Task } from "./kernel/calls.ts";
import type { Fields, ValuesOf } from "../../core/user_events/encode.ts";
import { openProviderOn } from "../../core/user_events/provider.ts";
import type { SimulatedKernel } from "./kernel/simulated_kernel.ts";
import { passTracepoint } from "./kernel/tracepoints.ts";

type CallConfig = Config["simulate"]["calls"][number];
type WriteConfig = Config["simulate"]["writes"][number];
type ProcessConfig = Config["simulate"]["processes"][string];

/** Time between two calls of a series that does not say. */
const DEFAULT_PERIOD = 1_000_000n;

/** Who makes a call that names no process. */
const DEFAULT_PROCESS = { pid: 1000, comm: "program" } as const;

/**
 * A program that registers a user_event and writes it whenever somebody listens.
 * @returns what starts its writes.
 */
export function openWriter(
  kernel: SimulatedKernel,
  write: WriteConfig,
  config: Config,
): () => void {
  const { processes } = config.simulate;
  const { pid, comm } = taskOf(kernel, write.process, processes);
  const process = kernel.process(pid) ?? kernel.spawn({ pid, comm });
  const slash = write.user_event.indexOf("/");
  const name = write.user_event.slice(slash + 1);
  const fields = config.user_events[name]?.fields as Fields | undefined;
  if (fields === undefined) return () => {};
  const namespace = slash < 0 ? undefined : write.user_event.slice(0, slash);
  const provider = openProviderOn(process, { namespace });
  const event = provider.event(name, fields);
  const values = valuesOf(fields, write.fields as Record<string, CallValue>);
  return () =>
    startSeries(kernel, write, () => {
      if (event.enabled) event.write(values as ValuesOf<Fields>);
    });
}

/** Values of a config as a provider takes them; what is not given is zero or empty. */
function valuesOf(fields: Fields, given: Readonly<Record<string, CallValue>>) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, type]) => {
      const value = given[name];
      if (/64$/.test(type)) return [name, BigInt(value ?? 0)];
      if (type === "bytes") return [name, new TextEncoder().encode(String(value ?? ""))];
      if (type === "string" || type.endsWith("]")) return [name, String(value ?? "")];
      return [name, Number(value ?? 0)];
    }),
  );
}

/** Starts a series of calls. @param processes those that a call can name. */
export function startCall(
  kernel: SimulatedKernel,
  call: CallConfig,
  processes: Readonly<Record<string, ProcessConfig>>,
): void {
  const task = taskOf(kernel, call.process, processes);
  startSeries(kernel, call, actionOf(kernel, call, task));
}

type Timing = Pick<CallConfig, "every" | "count" | "burst" | "after">;

function startSeries(kernel: SimulatedKernel, timing: Timing, perform: () => void): void {
  const period = timing.every ?? DEFAULT_PERIOD;
  let left = timing.count;
  if (left === 0) return;
  kernel.scheduler.add({
    due: kernel.scheduler.now + (timing.after ?? period),
    fire() {
      const burst = Math.min(timing.burst, left);
      for (let i = 0; i < burst; i++) perform();
      left -= burst;
      return left > 0 ? this.due + period : undefined;
    },
  });
}

function actionOf(kernel: SimulatedKernel, call: CallConfig, task: Task): () => void {
  if (call.tracepoint !== undefined) {
    const { tracepoint, fields } = call;
    return () => passTracepoint(kernel, tracepoint, fields as Record<string, CallValue>, task);
  }
  const functionCall = toFunctionCall(call);
  return () => performCall(kernel, functionCall, task);
}

function toFunctionCall(call: CallConfig): FunctionCall {
  return {
    function: call.function!,
    ...(call.executable !== undefined && { executable: call.executable }),
    args: call.args as CallValue[],
    ...(call.returns !== undefined && { returns: call.returns as CallValue }),
    latency: call.latency ?? 0n,
    calls: call.calls.map(toFunctionCall),
  };
}

/** The thread that makes a call; one without a CPU stays on the one that its tid falls to. */
function taskOf(
  kernel: SimulatedKernel,
  process: CallConfig["process"],
  processes: Readonly<Record<string, ProcessConfig>>,
): Task {
  const found = typeof process === "string" ? processes[process] : process ?? DEFAULT_PROCESS;
  const { pid, comm, tid = pid, cpu = tid % kernel.cpus } = found as ProcessConfig;
  return { pid, tid, comm, cpu: Math.min(cpu, kernel.cpus - 1) };
}
