/** Errors that the log keeps (`TRACING_LOG_ERRS_MAX`, kernel/trace/trace.c). */
const MAX_ERRORS = 8;

/** One error of an {@link ErrorLog}. */
export interface LoggedError {
  /** Nanoseconds on the clock of the log. */
  readonly time: bigint;
  /** Who refused: `trace_kprobe`, `synthetic_events`, `hist:sched:sched_switch`. */
  readonly subsystem: string;
  readonly text: string;
  /** The refused command, one character a byte. */
  readonly command: string;
  /** Where the caret stands: characters from the start of the command. */
  readonly position: number;
}

/**
 * `error_log` of a trace instance: the last eight errors (kernel/trace/trace.c,
 * `tracing_log_err`).
 */
export class ErrorLog {
  readonly #now: () => bigint;
  #errors: LoggedError[] = [];

  /** @param now the kernel's local clock, in nanoseconds */
  constructor(now: () => bigint) {
    this.#now = now;
  }

  /** The errors, oldest first. */
  get errors(): readonly LoggedError[] {
    return this.#errors;
  }

  /**
   * Writes an error down; the oldest goes if the log is full.
   *
   * @param position where the caret stands; the kernel keeps 16 bits of it
   */
  log(subsystem: string, command: string, text: string, position: number): void {
    if (this.#errors.length === MAX_ERRORS) this.#errors.shift();
    const error = { time: this.#now(), subsystem, text, command, position: position & 0xffff };
    this.#errors.push(error);
  }

  /** Forgets all errors, as opening the file with O_TRUNC does. */
  clear(): void {
    this.#errors = [];
  }

  /** The file as a reader sees it. */
  text(): string {
    return this.#errors.map(showError).join("");
  }
}

function showError(error: LoggedError): string {
  const seconds = String(error.time / 1_000_000_000n).padStart(5);
  const micros = String(error.time % 1_000_000_000n / 1_000n).padStart(6, "0");
  // The kernel keeps 127 bytes of "<subsystem>: error: ".
  const subject = `${error.subsystem}: error: `.slice(0, 127);
  const prefix = "  Command: ";
  const caret = " ".repeat(prefix.length + error.position);
  return `[${seconds}.${micros}] ${subject}${error.text}\n${prefix}${error.command}\n${caret}^\n`;
}
