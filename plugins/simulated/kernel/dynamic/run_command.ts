import { Buffer } from "node:buffer";
import { refuse } from "./probe_log.ts";

/** Bytes of a write that are looked at together, with a NUL behind them (`WRITE_BUFSIZE`). */
const BUFFER_SIZE = 4096;

/**
 * Splits what is written to a definition file into lines and carries them out in
 * order, without their comments. Lines before one that fails stay carried out
 * (`trace_parse_run_command`, kernel/trace/trace.c).
 *
 * @throws {KernelError} EINVAL for a NUL or a line of more than 4094 bytes, and
 * whatever `run` throws
 */
export function runCommands(data: Uint8Array, run: (line: string) => void): void {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
  let done = 0;
  while (done < text.length) {
    const chunk = text.slice(done, done + BUFFER_SIZE - 1);
    const nul = chunk.indexOf("\0");
    const end = nul < 0 ? chunk.length : nul;
    let start = 0;
    do {
      const newline = chunk.indexOf("\n", start);
      const hasNewline = newline >= 0 && newline < end;
      const stop = hasNewline ? newline : end;
      if (!hasNewline && done + stop - start < text.length) {
        // An unfinished line is read again with what follows it, once.
        if (start > 0) break;
        refuse("EINVAL");
      }
      done += stop - start + (hasNewline ? 1 : 0);
      const comment = chunk.indexOf("#", start);
      run(chunk.slice(start, comment >= 0 && comment < stop ? comment : stop));
      start = stop + 1;
    } while (done < text.length);
  }
}
