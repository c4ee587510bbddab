import type { ErrnoCode } from "../../../core/kernel/errno.ts";
import { KernelError } from "../../../core/kernel/error.ts";
import { ProcessKilled, type SimulatedProcess } from "./process.ts";

/** A failure that is asked for. */
export interface Fault {
  /** Only calls of this name, such as `write`; absent for any. */
  readonly call?: string;
  /** Only paths that end in this; absent for any. */
  readonly path?: string;
  /** The first of the matching calls that fails, from 1. */
  readonly nth: number;
  /** How many fail from there. */
  readonly times: number;
  /** What it fails with; `crash` kills the process before the call is carried out. */
  readonly error: ErrnoCode | "crash";
}

/** Calls that change nothing and cannot be a fault point of their own. */
const PASSIVE = new Set(["sleep", "close"]);

/** Makes system calls of simulated processes fail on demand, and counts them. */
export class Faults {
  readonly #pending: { readonly fault: Fault; seen: number }[] = [];
  #calls = 0;

  add(fault: Fault): void {
    this.#pending.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#pending.length = 0;
  }

  /** Calls made so far, so that a test can fail each of them in turn. */
  get calls(): number {
    return this.#calls;
  }

  beforeCall(process: SimulatedProcess, call: string, path: string | undefined): void {
    if (PASSIVE.has(call)) return;
    this.#calls++;
    for (const entry of this.#pending) {
      const { fault } = entry;
      if (fault.call !== undefined && fault.call !== call) continue;
      if (fault.path !== undefined && !path?.endsWith(fault.path)) continue;
      entry.seen++;
      if (entry.seen < fault.nth || entry.seen >= fault.nth + fault.times) continue;
      if (fault.error === "crash") {
        process.kill();
        throw new ProcessKilled();
      }
      throw new KernelError(fault.error, call, path);
    }
  }
}
