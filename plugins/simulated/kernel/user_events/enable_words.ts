/**
 * The bits that version 2 sets in the memory of programs while an event is on.
 *
 * They belong to a memory map, but the kernel finds that through the thread: a thread that was
 * there before the first registration has none, and makes one of its own when it registers.
 *
 * Source: `user_event_mm` and `user_event_enabler` in kernel/trace/trace_events_user.c,
 * include/linux/user_events.h.
 * @module
 */
import type { UserEvent } from "./event.ts";
import type { Task, UserEventsHost, UserMemory } from "./host.ts";
import { refuse } from "./refusal.ts";

/** A bit that follows an event. */
interface Enabler {
  readonly event: UserEvent;
  readonly address: bigint;
  /** 0 to 63, counted from `address` in little endian. */
  readonly bit: number;
  /** A write failed and is to be tried again; until then nothing else is written. */
  faulting: boolean;
  /** To be dropped when that is over. */
  freeing: boolean;
}

/** The enable bits of one memory map (`struct user_event_mm`). */
interface EnablerMap {
  readonly memory: UserMemory;
  enablers: Enabler[];
  /** Threads that use it. */
  tasks: number;
}

/** All enable bits of all processes. */
export class EnableWords {
  #host: UserEventsHost;
  #maps = new Set<EnablerMap>();
  #byTask = new WeakMap<Task, EnablerMap>();

  constructor(host: UserEventsHost) {
    this.#host = host;
  }

  /**
   * Whether `task` has registered this bit of this word already. The word's size does not
   * count, so the same bit of the same memory may be had by two addresses. From here on the
   * thread has a map of its own, whatever becomes of the registration.
   */
  has(task: Task, address: bigint, bit: number): boolean {
    const { enablers } = this.#mapFor(task);
    return enablers.some((e) => e.address === address && e.bit === bit);
  }

  /**
   * Adds a bit and shows the event's state in it. It holds a reference to the event.
   *
   * @throws KernelError ENOMEM if the word cannot be written
   */
  add(task: Task, event: UserEvent, address: bigint, bit: number): void {
    const map = this.#mapFor(task);
    if (!writeBit(map.memory, address, bit, event.enabled)) refuse("ENOMEM");
    map.enablers.unshift({ event: event.get(), address, bit, faulting: false, freeing: false });
  }

  /**
   * Takes a bit out and clears it. The reference to its event goes later.
   *
   * @throws KernelError ENOENT if this thread's map has no such bit; EFAULT if the bit is out
   * but could not be cleared
   */
  remove(task: Task, address: bigint, bit: number): void {
    const map = this.#byTask.get(task) ?? refuse("ENOENT");
    const found = map.enablers.filter((e) => e.address === address && e.bit === bit);
    if (found.length === 0) refuse("ENOENT");
    for (const enabler of found) {
      enabler.freeing = true;
      if (!enabler.faulting) this.#destroy(map, enabler);
    }
    if (!writeBit(map.memory, address, bit, false)) refuse("EFAULT");
  }

  /** Shows an event's state in all its bits. */
  update(event: UserEvent): void {
    for (const map of this.#maps) {
      for (const enabler of map.enablers) {
        if (enabler.event === event) this.#show(map, enabler);
      }
    }
  }

  /**
   * A thread has come. With the memory shared (a thread, vfork) it shares the bits of the thread
   * that made it; else it has the same bits at the same addresses of its own memory.
   */
  fork(parent: Task, child: Task, sharesMemory: boolean): void {
    const old = this.#byTask.get(parent);
    if (old === undefined) return;
    if (sharesMemory) {
      old.tasks++;
      this.#byTask.set(child, old);
      return;
    }
    const map = this.#mapFor(child);
    for (const { event, address, bit, freeing } of old.enablers) {
      if (freeing) continue;
      map.enablers.unshift({ event: event.get(), address, bit, faulting: false, freeing: false });
    }
  }

  /** A thread has ended, or runs another program: when it was the last of a map, its bits go. */
  leave(task: Task): void {
    const map = this.#byTask.get(task);
    if (map === undefined) return;
    this.#byTask.delete(task);
    map.tasks--;
    if (map.tasks > 0) return;
    this.#maps.delete(map);
    this.#host.later(() => {
      for (const enabler of [...map.enablers]) this.#destroy(map, enabler);
    });
  }

  #mapFor(task: Task): EnablerMap {
    let map = this.#byTask.get(task);
    if (map === undefined) {
      map = { memory: task.memory, enablers: [], tasks: 1 };
      this.#maps.add(map);
      this.#byTask.set(task, map);
    }
    return map;
  }

  #destroy(map: EnablerMap, enabler: Enabler): void {
    map.enablers.splice(map.enablers.indexOf(enabler), 1);
    this.#host.later(() => enabler.event.put());
  }

  #show(map: EnablerMap, enabler: Enabler): void {
    if (enabler.faulting || enabler.freeing) return;
    if (writeBit(map.memory, enabler.address, enabler.bit, enabler.event.enabled)) return;
    enabler.faulting = true;
    this.#host.later(() => this.#retry(map, enabler));
  }

  /** The page was not there: by now it may be, or the program unmapped it and is to blame. */
  #retry(map: EnablerMap, enabler: Enabler): void {
    const gone = map.tasks === 0;
    const { event, address, bit } = enabler;
    const writable = !gone && map.memory.writable(address + BigInt(bit >> 3), 1);
    if (!gone && !writable) {
      const at = `0x${"0".repeat(16)} @ 0x${address.toString(16)}`;
      this.#host.dmesg(`user_events: Fault for mm: ${at} event: ${event.registeredName}`);
    }
    if (enabler.freeing) {
      this.#destroy(map, enabler);
      return;
    }
    enabler.faulting = false;
    if (writable) this.#show(map, enabler);
  }
}

/** Sets or clears one bit; false if its byte cannot be reached. */
function writeBit(memory: UserMemory, address: bigint, bit: number, on: boolean): boolean {
  const at = address + BigInt(bit >> 3);
  const bytes = memory.read(at, 1);
  if (bytes === null) return false;
  const mask = 1 << (bit & 7);
  const value = on ? bytes[0]! | mask : bytes[0]! & ~mask;
  return memory.write(at, Uint8Array.of(value));
}
