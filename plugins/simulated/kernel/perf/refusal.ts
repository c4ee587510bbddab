import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../core/kernel/error.ts";

/** Refuses what a process asks of perf. */
export function refuse(code: ErrnoCode, call = "perf_event_open"): never {
  throw new KernelError(code, call);
}
