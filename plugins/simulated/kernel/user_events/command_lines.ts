import { KernelError } from "../../../../core/kernel/error.ts";
import { fromBytes, untilNul } from "./byte_string.ts";

/** Bytes that the kernel takes at a time, with the NUL (`WRITE_BUFSIZE`). */
const BUFFER_SIZE = 4096;

/**
 * Runs what was written to a file of commands, line by line: text behind `#` is cut, and a blank
 * line is a command too. Lines before one that fails stay done.
 *
 * Source: `trace_parse_run_command` in kernel/trace/trace.c.
 *
 * @returns the bytes taken, which is all of them
 * @throws KernelError of the first line that fails; EINVAL for a line above 4094 bytes
 */
export function runCommandLines(path: string, bytes: Uint8Array, run: (line: string) => void) {
  let done = 0;
  while (done < bytes.length) {
    const chunk = fromBytes(bytes.subarray(done, done + BUFFER_SIZE - 1));
    let at = 0;
    do {
      const newline = untilNul(chunk.slice(at)).indexOf("\n");
      const line = newline < 0 ? untilNul(chunk.slice(at)) : chunk.slice(at, at + newline);
      const size = newline < 0 ? line.length : newline + 1;
      if (newline < 0 && done + size < bytes.length) {
        if (at > 0) break;
        throw new KernelError("EINVAL", "write", path);
      }
      done += size;
      at += size;
      run(line.split("#", 1)[0]!);
    } while (done < bytes.length);
  }
  return done;
}
