/**
 * Failing each system call of something in turn.
 * @module
 */

import type { ErrnoCode } from "../../core/kernel/errno.ts";
import type { SimulatedKernel } from "../../plugins/simulated/kernel/simulated_kernel.ts";

/** Something to be disturbed, on a kernel of its own. */
export interface Attempt {
  readonly kernel: SimulatedKernel;
  run(): Promise<unknown>;
}

/** How an attempt ended. */
export interface Outcome {
  /** Absent if it went through. */
  readonly error?: unknown;
  /** The call that failed, such as `write /sys/kernel/tracing/kprobe_events`. */
  readonly call: string;
}

/**
 * Makes an attempt for each of its system calls, with that call failing, and lets `check` look at
 * what became of it. A failed check names the call.
 *
 * @param error what the call fails with; `crash` kills the process.
 * @param times how many calls fail from there; 1 unless told.
 * @returns the number of calls that were made to fail.
 */
export async function atEveryCall<A extends Attempt>(
  error: ErrnoCode | "crash",
  prepare: () => Promise<A>,
  check: (attempt: A, outcome: Outcome) => Promise<void>,
  times = 1,
): Promise<number> {
  for (let nth = 1;; nth++) {
    const attempt = await prepare();
    const { faults } = attempt.kernel;
    const before = faults.calls;
    const calls = recordCalls(attempt.kernel);
    faults.add({ nth, times, error });
    let failure: unknown;
    try {
      await attempt.run();
    } catch (thrown) {
      failure = thrown;
    }
    faults.clear();
    if (faults.calls - before < nth) {
      // Undisturbed: whatever goes wrong now has nothing to do with the fault.
      if (failure !== undefined) throw failure;
      return nth - 1;
    }
    const call = calls[nth - 1];
    try {
      await check(attempt, { call, ...(failure !== undefined && { error: failure }) });
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      const said = failure instanceof Error ? `${failure.name}: ${failure.message}` : failure;
      const context = `${error} at call ${nth}, ${call} (it threw ${said})`;
      throw new Error(`${context}:\n${message}`);
    }
  }
}

function recordCalls({ faults }: SimulatedKernel): string[] {
  const calls: string[] = [];
  const beforeCall = faults.beforeCall.bind(faults);
  const before = { calls: faults.calls };
  faults.beforeCall = (process, call, path) => {
    try {
      beforeCall(process, call, path);
    } finally {
      if (faults.calls > before.calls) calls.push(`${call} ${path ?? ""}`);
      before.calls = faults.calls;
    }
  };
  return calls;
}
