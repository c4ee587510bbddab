/**
 * What the programs of a simulated host do while it runs: `simulate.calls` and the like as timers
 * of the simulated clock.
 * @module
 */

import type { Config } from "../../core/config/config.ts";
import { type CallValue, type FunctionCall, performCall, type Task } from "./kernel/calls.ts";
import type { SimulatedKernel } from "./kernel/simulated_kernel.ts";
import { passTracepoint } from "./kernel/tracepoints.ts";

type CallConfig = Config["simulate"]["calls"][number];
type ProcessConfig = Config["simulate"]["processes"][string];

/** Time between two calls of a series that does not say. */
const DEFAULT_PERIOD = 1_000_000n;

/** Who makes a call that names no process. */
const DEFAULT_PROCESS = { pid: 1000, comm: "program" } as const;

/** Starts a series of calls. @param processes those that a call can name. */
export function startCall(
  kernel: SimulatedKernel,
  call: CallConfig,
  processes: Readonly<Record<string, ProcessConfig>>,
): void {
  const task = taskOf(kernel, call.process, processes);
  const perform = actionOf(kernel, call, task);
  const period = call.every ?? DEFAULT_PERIOD;
  let left = call.count;
  if (left === 0) return;
  kernel.scheduler.add({
    due: kernel.scheduler.now + (call.after ?? period),
    fire() {
      const burst = Math.min(call.burst, left);
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
