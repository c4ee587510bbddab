import { ERRNO, type ErrnoCode, errnoName } from "./errno.ts";

/**
 * A system call that the kernel refused.
 *
 * `code` and `errno` are the kernel's answer, `call` the system call, `path` the
 * file it was about (absent for calls on no file, such as `bpf`).
 */
export class KernelError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly call: string;
  readonly path: string | undefined;

  constructor(code: ErrnoCode | number, call: string, path?: string, options?: ErrorOptions) {
    const errno = typeof code === "number" ? code : ERRNO[code];
    const name = typeof code === "number" ? errnoName(code) : code;
    super(path === undefined ? `${call}: ${name}` : `${call} "${path}": ${name}`, options);
    this.name = "KernelError";
    this.code = name;
    this.errno = errno;
    this.call = call;
    this.path = path;
  }
}

/** Whether `error` is a {@link KernelError}, of one of `codes` if any are given. */
export function isKernelError(error: unknown, ...codes: ErrnoCode[]): error is KernelError {
  return error instanceof KernelError &&
    (codes.length === 0 || (codes as string[]).includes(error.code));
}
