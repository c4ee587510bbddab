import { ByteWriter } from "../event/bytes.ts";
import * as fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Nobody reads what is written: the other end of a pipe is closed. */
export class OutputClosedError extends Error {
  constructor(name: string, options?: ErrorOptions) {
    super(`Nobody reads ${name} any more`, options);
    this.name = "OutputClosedError";
  }
}

/** What is written cannot be kept, such as on a full disk. */
export class OutputError extends Error {
  /** errno by name, such as `ENOSPC`. */
  readonly code: string;

  constructor(name: string, code: string, options?: ErrorOptions) {
    super(`Cannot write ${name}: ${REASONS[code] ?? code}`, options);
    this.name = "OutputError";
    this.code = code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EACCES: "permission denied",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such directory",
  EISDIR: "it is a directory",
  EFBIG: "the file is too large",
  EIO: "the device failed",
};

/** Bytes gathered before a write(2); where one call costs little against what it carries. */
const BUFFER = 65536;

/** How long a reader may take nothing once a run is to end, in milliseconds. */
const PATIENCE = 1000;

/** A buffered stream of bytes to a file or to standard output. */
export class Output {
  /** What is to be written; sinks put their bytes straight into it. */
  readonly buffer = new ByteWriter(2 * BUFFER);
  readonly #fd: number;
  readonly #name: string;
  readonly #owned: boolean;
  readonly #ending: AbortSignal | undefined;

  private constructor(fd: number, name: string, owned: boolean, ending?: AbortSignal) {
    this.#fd = fd;
    this.#name = name;
    this.#owned = owned;
    this.#ending = ending;
  }

  /**
   * Standard output.
   * @param ending aborted when the run is to end: a reader that stands still counts as gone then.
   */
  static stdout(ending?: AbortSignal): Output {
    return new Output(1, "standard output", false, ending);
  }

  /**
   * A file, appended to.
   * @throws {OutputError}
   */
  static file(path: string): Output {
    const name = `"${path}"`;
    try {
      return new Output(fs.openSync(path, "a", 0o640), name, true);
    } catch (error) {
      throw new OutputError(name, codeOf(error), { cause: error });
    }
  }

  write(bytes: Uint8Array): void {
    const { buffer } = this;
    buffer.reserve(bytes.length);
    buffer.bytes.set(bytes, buffer.at);
    buffer.at += bytes.length;
  }

  /**
   * Writes out what is buffered, waiting for a slow reader.
   * @throws {OutputClosedError} @throws {OutputError}
   */
  async flush(): Promise<void> {
    const { written } = this.buffer;
    this.buffer.at = 0;
    let stuckSince: number | undefined;
    for (let at = 0; at < written.length;) {
      try {
        at += fs.writeSync(this.#fd, written, at, written.length - at);
        stuckSince = undefined;
      } catch (error) {
        const code = codeOf(error);
        if (code === "EAGAIN") {
          const now = performance.now();
          if (this.#ending?.aborted && now - (stuckSince ??= now) > PATIENCE) {
            throw new OutputClosedError(this.#name, { cause: error });
          }
          await delay(1);
        } else if (code !== "EINTR") {
          if (code === "EPIPE") throw new OutputClosedError(this.#name, { cause: error });
          throw new OutputError(this.#name, code, { cause: error });
        }
      }
    }
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      if (this.#owned) fs.closeSync(this.#fd);
    }
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
