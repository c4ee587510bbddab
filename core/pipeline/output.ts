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

/** A buffered stream of bytes to a file or to standard output. */
export class Output {
  readonly #fd: number;
  readonly #name: string;
  readonly #owned: boolean;
  #buffer = new Uint8Array(2 * BUFFER);
  #length = 0;

  private constructor(fd: number, name: string, owned: boolean) {
    this.#fd = fd;
    this.#name = name;
    this.#owned = owned;
  }

  /** Standard output. */
  static stdout(): Output {
    return new Output(1, "standard output", false);
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

  /** Whether enough is buffered for a flush to be worth it. */
  get full(): boolean {
    return this.#length >= BUFFER;
  }

  /** Room for at least `length` bytes; {@link Output.advance} says how many were put there. */
  reserve(length: number): Uint8Array {
    if (this.#buffer.length - this.#length < length) {
      const grown = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + length));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    return this.#buffer.subarray(this.#length);
  }

  advance(length: number): void {
    this.#length += length;
  }

  write(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes);
    this.#length += bytes.length;
  }

  /**
   * Writes out what is buffered, waiting for a slow reader.
   * @throws {OutputClosedError} @throws {OutputError}
   */
  async flush(): Promise<void> {
    let at = 0;
    while (at < this.#length) {
      try {
        at += fs.writeSync(this.#fd, this.#buffer, at, this.#length - at);
      } catch (error) {
        const code = codeOf(error);
        if (code === "EAGAIN") await delay(1);
        else if (code !== "EINTR") {
          this.#length = 0;
          if (code === "EPIPE") throw new OutputClosedError(this.#name, { cause: error });
          throw new OutputError(this.#name, code, { cause: error });
        }
      }
    }
    this.#length = 0;
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
