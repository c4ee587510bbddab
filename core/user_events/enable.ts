/**
 * Whether somebody listens to an event: one read of memory that the kernel writes to.
 * @module
 */

import { isKernelError } from "../kernel/error.ts";
import type { Fd, Kernel, Memory, NativeCalls } from "../kernel/port.ts";

const PAGE = 4096;
const WORDS = PAGE / 4;

/** The bit of a word that is the kernel's; user space tracers have others (libside's convention). */
export const ENABLE_BIT = 31;

/** A word that the kernel sets while somebody listens. */
export interface EnableWord {
  readonly address: bigint;
  /** One read of memory. */
  isSet(): boolean;
}

/**
 * Enable words of version 2, in pages of their own. A page is never unmapped while a word of it is
 * registered: the kernel would go on to write into whatever is mapped there next.
 */
export class EnableWords {
  readonly #native: NativeCalls;
  readonly #pages: Memory[] = [];
  #used = WORDS;

  constructor(native: NativeCalls) {
    this.#native = native;
  }

  /** A word that nobody has. */
  take(): EnableWord {
    if (this.#used === WORDS) {
      this.#pages.push(
        this.#native.mmap({ fd: -1, length: PAGE, writable: true, shared: false }),
      );
      this.#used = 0;
    }
    const page = this.#pages.at(-1)!;
    const index = this.#used++;
    const words = new Int32Array(page.bytes.buffer, page.bytes.byteOffset, WORDS);
    return { address: page.address + BigInt(index * 4), isSet: () => words[index] !== 0 };
  }

  /** Unmaps all pages. Every word must be unregistered. */
  free(): void {
    for (const page of this.#pages.splice(0)) page.free();
  }
}

/** The status page of version 1: a bit for each event, shared by all programs. */
export class StatusPage {
  readonly #kernel: Kernel;
  readonly #fd: Fd;
  readonly #page: Memory;

  private constructor(kernel: Kernel, fd: Fd, page: Memory) {
    this.#kernel = kernel;
    this.#fd = fd;
    this.#page = page;
  }

  /**
   * Maps the page of the status file at `path`.
   * @returns undefined where the file is not to be had, as in a container with the data file alone.
   */
  static open(kernel: Kernel, native: NativeCalls, path: string): StatusPage | undefined {
    let fd: Fd;
    try {
      fd = kernel.open(path, { access: "read" });
    } catch (error) {
      if (isKernelError(error, "ENOENT", "EACCES", "EPERM")) return undefined;
      throw error;
    }
    try {
      const page = native.mmap({ fd, length: PAGE, writable: false, shared: true });
      return new StatusPage(kernel, fd, page);
    } catch (error) {
      kernel.close(fd);
      throw error;
    }
  }

  /** Reads bit `bit`, as a registration gave it. */
  reader(bit: number): () => boolean {
    const { bytes } = this.#page;
    const at = bit >> 3;
    const mask = 1 << (bit & 7);
    return () => (bytes[at] & mask) !== 0;
  }

  free(): void {
    this.#page.free();
    this.#kernel.close(this.#fd);
  }
}
