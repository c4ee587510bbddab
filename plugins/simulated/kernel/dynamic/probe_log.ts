import { type ErrnoCode } from "../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import type { ErrorLog } from "./error_log.ts";
import { PROBE_ERRORS, type ProbeErrorCode } from "./probe_errors.ts";

/**
 * Fails the command in hand. The file that was written to is added where the
 * system call is known.
 */
export function refuse(code: ErrnoCode): never {
  throw new KernelError(code, "write");
}

/**
 * The errors of one command: they name a word of the command by its index
 * (`trace_probe_log`, kernel/trace/trace_probe.c).
 */
export class ProbeLog {
  readonly #log: ErrorLog;
  readonly #subsystem: string;
  #words: readonly string[];
  /** The word that the next error is about; one past the last is the end of the command. */
  index = 0;

  constructor(log: ErrorLog, subsystem: string, words: readonly string[]) {
    this.#log = log;
    this.#subsystem = subsystem;
    this.#words = words;
  }

  /** Puts `words` in the place of the words from `index` on, as rewriting arguments does. */
  rewrite(index: number, words: readonly string[]): void {
    this.#words = [...this.#words.slice(0, index), ...words];
  }

  /** Logs `code`, `offset` characters into the word in hand. */
  error(offset: number, code: ProbeErrorCode): void {
    const command = this.#words.join(" ");
    const start = this.#words.slice(0, this.index).reduce((sum, word) => sum + word.length + 1, 0);
    // Past the last word the kernel puts the caret behind the command and forgets the offset.
    const position = this.index < this.#words.length ? start + offset : command.length + 1;
    this.#log.log(this.#subsystem, command, PROBE_ERRORS[code], position);
  }

  /** Logs `code` and fails the command, with EINVAL unless another number is given. */
  fail(offset: number, code: ProbeErrorCode, errno: ErrnoCode = "EINVAL"): never {
    this.error(offset, code);
    refuse(errno);
  }
}
