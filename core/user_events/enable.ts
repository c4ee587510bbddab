/**
 * Whether somebody listens to an event: one read of memory that the kernel writes to.
 * @module
 */

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

  /** @throws {KernelError} as open(2) and mmap(2). */
  constructor(kernel: Kernel, native: NativeCalls, path: string) {
    this.#kernel = kernel;
    this.#fd = kernel.open(path, { access: "read" });
    this.#page = native.mmap({ fd: this.#fd, length: PAGE, writable: false, shared: true });
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
