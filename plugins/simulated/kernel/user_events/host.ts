import type { UserEvent } from "./event.ts";

/** The memory that a process sees, by its own addresses. */
export interface UserMemory {
  /** A copy of the bytes, or null if any of them cannot be read. */
  read(address: bigint, length: number): Uint8Array | null;
  /** Stores all bytes or none; false if any of them cannot be written. */
  write(address: bigint, bytes: Uint8Array): boolean;
  /** Whether a write would succeed. */
  writable(address: bigint, length: number): boolean;
}

/** A thread. Threads of one process have the same `memory`, and are told apart by identity. */
export interface Task {
  readonly memory: UserMemory;
}

/** Capabilities that user_events ask for. */
export type Capability = "CAP_PERFMON" | "CAP_DAC_OVERRIDE";

/** What user_events need of the kernel around them. */
export interface UserEventsHost {
  /** Takes an id out of the 16 bits that all trace events share; null if none is left. */
  allocateEventId(): number | null;
  /** An event has come: `events/<system>/<name>/` is due, if such a directory can be made. */
  onAdd(event: UserEvent): void;
  /**
   * An event goes: its directory and its id are free.
   *
   * @throws KernelError EBUSY to keep it, as the tracing core does for an event that is enabled
   */
  onRemove(event: UserEvent): void;
  /** Whether `task` has `capability` in the first user namespace. */
  capable(task: Task, capability: Capability): boolean;
  /** A line for the kernel's log, without newline. */
  dmesg(text: string): void;
  /** Runs `work` later, in the order given: what the kernel leaves to its work queues. */
  later(work: () => void): void;
}

/**
 * Which user_events these are: the patches of 2022 that add groups and namespaces to them,
 * version 1 of the interface as in 6.1, or version 2 as in 6.12.
 */
export type Era = "rfc2022" | "6.1" | "6.12";
