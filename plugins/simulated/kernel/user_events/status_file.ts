import { KernelError } from "../../../../core/kernel/error.ts";
import { toBytes } from "./byte_string.ts";
import type { Group } from "./group.ts";
import { STATUS_PAGE_SIZE } from "./status_page.ts";

const PATH = "user_events_status";

/**
 * An open `user_events_status`: text to read, and in version 1 the page to map. Whether the file
 * was opened for what is done is for the caller to check (a writable shared mapping needs it open
 * for reading and writing, else EACCES).
 */
export class StatusFile {
  #group: Group;
  /** The open file and its mappings: each keeps the group. */
  #holders = 1;

  /** @param group a group with a reference for this file */
  constructor(group: Group) {
    this.#group = group;
  }

  /** The text, made new: what a read at position 0 gives. */
  text(): Uint8Array {
    return toBytes(this.#group.statusText());
  }

  /**
   * mmap(2): the status page itself, not a copy. A store through a writable mapping is seen by
   * all that have it mapped. It keeps the file until {@link unmap}.
   *
   * @param length bytes, which must make one page; the offset does not count
   * @throws KernelError EINVAL for another length; ENODEV in version 2
   */
  mmap(length: number): Uint8Array {
    const { page, facility } = this.#group;
    if (facility.era === "6.12") throw new KernelError("ENODEV", "mmap", PATH);
    if (Math.ceil(length / STATUS_PAGE_SIZE) !== 1) throw new KernelError("EINVAL", "mmap", PATH);
    this.#holders++;
    return page.bytes;
  }

  /** munmap(2) of a mapping. */
  unmap(): void {
    this.#letGo();
  }

  /** The last close of the descriptor. */
  close(): void {
    this.#letGo();
  }

  #letGo(): void {
    this.#holders--;
    if (this.#holders === 0) this.#group.release();
  }
}
