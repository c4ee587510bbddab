import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../core/kernel/error.ts";

/** The highest error number that a system call can answer (`MAX_ERRNO`). */
const MAX_ERRNO = 4095;

/** Refuses what is being done, with an error code or a positive number. */
export function refuse(code: ErrnoCode | number): never {
  throw new KernelError(code, "user_events");
}

/**
 * Runs the body of system call `call` on file `path` and gives its result.
 *
 * Errors get the names of the call and the file. A number above 4095 is no error to user
 * space, and comes back as the (negative) result of the call.
 *
 * @throws KernelError
 */
export function systemCall(call: string, path: string, body: () => number): number {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (error.errno > MAX_ERRNO) return -error.errno;
    throw new KernelError(error.errno, call, path, { cause: error });
  }
}
