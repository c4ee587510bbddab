/**
 * Operations on a kernel's tracing files, and what it answered: one JSON object a line. The same
 * list is carried out on the simulated kernel and on real ones, so that the two can be compared.
 * @module
 */

/** What to do. Paths are relative to the tracefs root; text is bytes as UTF-8. */
export interface Operation {
  readonly op:
    | "write-append"
    | "write-trunc"
    | "write"
    | "read"
    | "mkdir"
    | "rmdir"
    | "open"
    | "close"
    | "ioctl"
    | "call";
  readonly file?: string;
  /** What is written. */
  readonly input?: string;
  /** State carries over inside a section; a new one starts on a fresh kernel. */
  readonly section?: string;
  /** `open`: a name for the descriptor, which `write`, `read`, `ioctl` and `close` then use. */
  readonly fd?: string;
  readonly access?: "read" | "write" | "read-write";
  readonly request?: number;
  readonly arg?: number;
  /** `call`: a function of the kernel, with its arguments and what it returns. */
  readonly function?: string;
  readonly args?: readonly (number | string)[];
  readonly returns?: number;
}

/** One entry of `error_log`. */
export interface LoggedError {
  readonly subsys: string;
  readonly text: string;
  readonly cmd: string;
  readonly caret: number;
}

/** What the kernel answered. */
export interface Answer {
  /** The error's name, `"0"` for none. */
  readonly errno?: string;
  /** Bytes taken, or what the call returned; -1 if it failed, -2 if the file could not be opened. */
  readonly ret?: number;
  /** What was logged by this operation, oldest first; absent if nothing was. */
  readonly error_log?: readonly LoggedError[];
  /** The content of the file after a write. */
  readonly after?: string;
  /** What was read. */
  readonly data?: string;
}
