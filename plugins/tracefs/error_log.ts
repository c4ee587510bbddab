import { tryReadText } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";

/** One entry of an `error_log` file. */
export interface LoggedError {
  /** Such as `trace_kprobe`. */
  readonly subsystem: string;
  readonly text: string;
  /** The refused command: a definition with its words joined by single spaces, or a filter. */
  readonly command: string;
  /** Bytes of the command before the caret. */
  readonly caret: number;
}

/** Width of `  Command: `, which the caret line is indented by too (kernel/trace/trace.c, `tracing_log_err`). */
const INDENT = "  Command: ".length;

/** The entries of an `error_log` file, oldest first. The kernel keeps the last 8. */
export function parseErrorLog(text: string): LoggedError[] {
  const errors: LoggedError[] = [];
  // A filter may go over several lines.
  const entry = /^\[ *\d+\.\d+\] (.*?): error: (.*)\n {2}Command: ([^]*?)\n( *)\^$/gm;
  for (const [, subsystem, message, command, spaces] of text.matchAll(entry)) {
    errors.push({
      subsystem,
      text: message,
      command,
      caret: Math.max(0, spaces.length - INDENT),
    });
  }
  return errors;
}

/**
 * What the kernel last said about `command`, or undefined if it said nothing. The kernel drops the
 * blanks at the end of a filter.
 */
export function lastErrorAbout(
  kernel: FileCalls,
  path: string,
  command: string,
): LoggedError | undefined {
  const log = tryReadText(kernel, path);
  if (log === undefined) return undefined;
  return parseErrorLog(log).findLast((error) => error.command === command.trimEnd());
}

/** How many characters of `text` are before byte `at` of its UTF-8. */
export function charactersBefore(text: string, at: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, at)).length;
}
