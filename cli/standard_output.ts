/**
 * Standard output and standard error by write(2) alone. `process.stdout` and `process.stderr` would
 * load node's streams, which takes longer than all that most commands do.
 * @module
 */

import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { OutputClosedError, OutputError } from "../core/pipeline/output.ts";

const STDOUT = 1;
const STDERR = 2;

const encoder = new TextEncoder();

/** Whether standard error is a terminal. */
export function isStderrTerminal(): boolean {
  return isatty(STDERR);
}

/** Where text goes; a test that calls sonde in its own process puts functions of its own here. */
export const standard = {
  /**
   * Writes all of a text to standard output before it returns.
   *
   * @throws {OutputClosedError} @throws {OutputError}
   */
  stdout(text: string): void {
    try {
      writeAll(STDOUT, text);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      if (code === "EPIPE") throw new OutputClosedError("standard output", { cause: error });
      throw new OutputError("standard output", code, { cause: error });
    }
  },

  /** Writes a text to standard error. That nobody can read it is no reason to end. */
  stderr(text: string): void {
    try {
      writeAll(STDERR, text);
    } catch {
      // There is nowhere left to say it.
    }
  },
};

function writeAll(fd: number, text: string): void {
  const data = encoder.encode(text);
  for (let at = 0; at < data.length;) {
    try {
      at += writeSync(fd, data, at, data.length - at);
    } catch (error) {
      // A pipe that another process made non-blocking, and whose reader is slow.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      sleep(1);
    }
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
