import { Buffer } from "node:buffer";
import type { Hit } from "./hit.ts";
import type { DynamicHost } from "./host.ts";

/** Bytes of a string with its NUL that a probe follows at most (`MAX_STRING_SIZE`). */
const MAX_STRING = 4096;

/** First address that is not user memory (`TASK_SIZE`, 47 and 48 bits). */
const TASK_SIZE: Record<DynamicHost["arch"], bigint> = {
  x86_64: (1n << 47n) - 4096n,
  aarch64: 1n << 48n,
};

/** Where texts that have no address of their own are put: in the kernel's vmalloc area. */
const TEXT_BASE = 0xffffc90000000000n;
const TEXT_SPACING = 1n << 20n;

const PAGE_SIZE = 4096n;
const CHUNK = 256;

/** Memory as one hit of a probe sees it. */
export class FetchMemory {
  readonly #hit: Hit;
  readonly #user: boolean;
  readonly #taskSize: bigint;
  readonly #texts: { readonly bytes: Uint8Array; readonly user: boolean }[] = [];

  /** @param user whether the probe is a uprobe, whose every read is a user read */
  constructor(hit: Hit, user: boolean, arch: DynamicHost["arch"]) {
    this.#hit = hit;
    this.#user = user;
    this.#taskSize = TASK_SIZE[arch];
  }

  /**
   * Puts bytes at an address and returns it.
   *
   * @param user whether user reads get at them too
   */
  place(bytes: Uint8Array, user: boolean): bigint {
    this.#texts.push({ bytes, user });
    return TEXT_BASE + BigInt(this.#texts.length - 1) * TEXT_SPACING;
  }

  /** `length` bytes, or nothing on a fault. Kernel reads of low addresses are user reads. */
  read(address: bigint, length: number, user: boolean): Uint8Array | null {
    const at = BigInt.asUintN(64, address);
    const asUser = this.#isUser(at, user);
    const text = this.#textAt(at);
    if (text === undefined) return this.#hit.readMemory(at, length, asUser);
    const start = Number((at - TEXT_BASE) % TEXT_SPACING);
    const bytes = text.bytes.subarray(start, start + length);
    return (asUser && !text.user) || bytes.length < length ? null : bytes;
  }

  /**
   * Bytes of a string with its NUL; below 0 on a fault. One that is too long counts
   * as 4096 bytes in kernel memory and 4097 in user memory, and as none for a uprobe
   * (`strnlen_user`).
   */
  stringLength(address: bigint, user: boolean): number {
    const bytes = this.readString(address, user, MAX_STRING);
    if (bytes === null) return -1;
    const tooLong = bytes.length === MAX_STRING && bytes.at(-1) !== 0;
    if (!tooLong || !this.#isUser(BigInt.asUintN(64, address), user)) return bytes.length;
    return this.#user ? 0 : MAX_STRING + 1;
  }

  /**
   * What copying a string counts: its bytes, none after a fault. From user memory a
   * kernel probe copies an empty string like one that cannot be read
   * (`strncpy_from_user_nofault`, mm/maccess.c).
   */
  copiedLength(bytes: Uint8Array | null, address: bigint, user: boolean): number {
    const isEmpty = bytes?.length === 1 && bytes[0] === 0;
    const fromUser = !this.#user && this.#isUser(BigInt.asUintN(64, address), user);
    return bytes === null || (isEmpty && fromUser) ? 0 : bytes.length;
  }

  /** A string with its NUL, cut after `limit` bytes without one; nothing on a fault. */
  readString(address: bigint, user: boolean, limit: number): Uint8Array | null {
    const chunks: Uint8Array[] = [];
    for (let length = 0; length < limit;) {
      const at = BigInt.asUintN(64, address + BigInt(length));
      const chunk = this.#readChunk(at, user, limit - length);
      if (chunk === null) return null;
      const end = chunk.indexOf(0);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end + 1));
      if (end >= 0) break;
      length += chunk.length;
    }
    const [only = new Uint8Array()] = chunks;
    return chunks.length <= 1 ? only : Buffer.concat(chunks);
  }

  #isUser(address: bigint, user: boolean): boolean {
    return user || this.#user || address < this.#taskSize;
  }

  /** Some bytes from `address` on, at least one: a string may end before memory does. */
  #readChunk(address: bigint, user: boolean, limit: number): Uint8Array | null {
    const toPageEnd = Number(PAGE_SIZE - address % PAGE_SIZE);
    const length = Math.min(limit, toPageEnd, CHUNK);
    return this.read(address, length, user) ?? this.read(address, 1, user);
  }

  #textAt(address: bigint): { readonly bytes: Uint8Array; readonly user: boolean } | undefined {
    if (address < TEXT_BASE) return undefined;
    return this.#texts[Number((address - TEXT_BASE) / TEXT_SPACING)];
  }
}
