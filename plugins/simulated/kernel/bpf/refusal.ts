import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../core/kernel/error.ts";

/** Refuses what a process asks of bpf(2). */
export function refuse(code: ErrnoCode, call = "bpf"): never {
  throw new KernelError(code, call);
}
