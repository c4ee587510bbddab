import {
  DIAG_IOCSDEL,
  DIAG_IOCSREG,
  DIAG_IOCSUNREG,
  readCommand,
  readUserRegV1,
  readUserRegV2,
  readUserUnreg,
  writeUserRegV1,
  writeUserRegV2,
} from "./abi.ts";
import type { UserEvent } from "./event.ts";
import type { Group } from "./group.ts";
import type { Task } from "./host.ts";
import { refuse, systemCall } from "./refusal.ts";
import { registerV1, registerV2 } from "./register.ts";

const PATH = "user_events_data";

/** Bytes of the write index, which comes before the payload. */
const INDEX_SIZE = 4;

/**
 * An open `user_events_data` (one `struct file`: shared by dup, fork and SCM_RIGHTS). The access
 * it was opened with is for the caller to check; ioctl works whatever it is. Reading answers
 * EINVAL, seeking ESPIPE.
 */
export class DataFile {
  #group: Group;
  /** The events registered through this file; places in here are the write indexes. */
  #events: UserEvent[] = [];

  /** @param group a group with a reference for this file */
  constructor(group: Group) {
    this.#group = group;
  }

  /**
   * ioctl(2) by `task`: `DIAG_IOCSREG`, `DIAG_IOCSDEL` and, in version 2, `DIAG_IOCSUNREG`.
   *
   * @param arg the address of a structure, or of a name to delete
   * @returns 0; a number below -4095 for some sizes of structs, which the kernel takes for errors
   * @throws KernelError ENOTTY for other requests; EFAULT, EINVAL and E2BIG for what `arg`
   * points to; see {@link registerV1}, {@link registerV2} and the enable words for the rest
   */
  ioctl(request: number, arg: bigint, task: Task): number {
    const v2 = this.#group.facility.era === "6.12";
    return systemCall("ioctl", PATH, () => {
      switch (request >>> 0) {
        case DIAG_IOCSREG:
          return v2 ? this.#registerV2(arg, task) : this.#registerV1(arg, task);
        case DIAG_IOCSDEL:
          return this.#delete(arg, task);
        case DIAG_IOCSUNREG:
          if (v2) return this.#unregister(arg, task);
      }
      refuse("ENOTTY");
    });
  }

  /**
   * write(2) or pwrite(2) of a write index (an int) and a payload.
   *
   * @param bytes what could be read of the caller's buffer
   * @param options `position` of a pwrite, which must be 0; `count`, the bytes that the caller
   * wanted to write, if that is more
   * @returns `count`
   * @throws KernelError EFAULT, EINVAL, ENOENT, EBADF (nobody listens), in the kernel's order
   */
  write(
    bytes: Uint8Array,
    task: Task,
    options: { readonly position?: bigint; readonly count?: number } = {},
  ): number {
    return systemCall("write", PATH, () => {
      if ((options.position ?? 0n) !== 0n) refuse("EFAULT");
      return this.#write(bytes, options.count ?? bytes.length, task);
    });
  }

  /** writev(2) of the same, in one piece. Unlike write(2) it takes no bytes at all as done. */
  writev(bytes: Uint8Array, task: Task, options: { readonly count?: number } = {}): number {
    const count = options.count ?? bytes.length;
    return systemCall("writev", PATH, () => count === 0 ? 0 : this.#write(bytes, count, task));
  }

  /** The last close: the file's references to its events and its group go. */
  close(): void {
    for (const event of this.#events) event.put();
    this.#events = [];
    this.#group.release();
  }

  #registerV1(arg: bigint, task: Task): number {
    const { nameArgs } = readUserRegV1(task.memory, arg);
    const event = registerV1(this.#group, readCommand(task.memory, nameArgs));
    const writeIndex = this.#keep(event);
    writeUserRegV1(task.memory, arg, event.index, writeIndex);
    return 0;
  }

  #registerV2(arg: bigint, task: Task): number {
    const { words } = this.#group.facility;
    const { enableAddress, enableBit, flags, nameArgs } = readUserRegV2(task.memory, arg);
    if (words.has(task, enableAddress, enableBit)) refuse("EADDRINUSE");
    const event = registerV2(this.#group, readCommand(task.memory, nameArgs), flags, task);
    const writeIndex = this.#keep(event);
    // If this fails the file has the event none the less.
    words.add(task, event, enableAddress, enableBit);
    writeUserRegV2(task.memory, arg, writeIndex);
    return 0;
  }

  /** Makes the caller's reference to an event the file's, and gives the event's write index. */
  #keep(event: UserEvent): number {
    const index = this.#events.indexOf(event);
    if (index >= 0) {
      event.put();
      return index;
    }
    return this.#events.push(event) - 1;
  }

  #delete(arg: bigint, task: Task): number {
    const name = readCommand(task.memory, arg);
    const events = this.#group.table.candidates(name);
    if (events.length === 0) refuse("ENOENT");
    // All of the name, with several formats: those before one that is busy are gone.
    for (const event of events) this.#group.delete(event, task);
    return 0;
  }

  #unregister(arg: bigint, task: Task): number {
    const { disableAddress, disableBit } = readUserUnreg(task.memory, arg);
    this.#group.facility.words.remove(task, disableAddress, disableBit);
    return 0;
  }

  #write(bytes: Uint8Array, count: number, task: Task): number {
    if (bytes.length < INDEX_SIZE) refuse("EFAULT");
    const index = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
    // The patches of 2022 lack this check, and read outside of their array.
    if (index < 0) refuse("EINVAL");
    const event = this.#events[index] ?? refuse("ENOENT");
    event.write(bytes.subarray(INDEX_SIZE), count - INDEX_SIZE, task);
    return count;
  }
}
