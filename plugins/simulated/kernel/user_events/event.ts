import { isKernelError } from "../../../../core/kernel/error.ts";
import type { EventField } from "../event_field.ts";
import type { Group } from "./group.ts";
import type { Task } from "./host.ts";
import { ENTRY_HEADER, fieldText, type Layout } from "./layout.ts";
import { printFmt } from "./print_fmt.ts";
import { refuse } from "./refusal.ts";
import { payloadIsValid } from "./validate.ts";

/** Who may listen to an event: an instance of ftrace, perf, or something else in the kernel. */
export type TracerKind = "ftrace" | "perf" | "other";

/**
 * Takes the records of an event to where they go: one for each instance in which the event is
 * on, one for all of perf.
 */
export interface Tracer {
  readonly kind: TracerKind;
  /**
   * Room for an entry of `size` bytes, the common fields filled in. Null when the record is not
   * wanted, or has no room: it is lost then, and the writer never hears of it. A ring buffer
   * with pages of 4 KiB has room for payloads up to 4064 bytes, perf up to 8184.
   */
  reserve(size: number, task: Task): Uint8Array | null;
  /** The entry is complete. */
  commit(entry: Uint8Array, task: Task): void;
  /** The entry was refused. */
  discard(entry: Uint8Array, task: Task): void;
}

/** What an event is made of. */
export interface EventParts {
  readonly group: Group;
  /** A byte string: anything a program came up with. */
  readonly registeredName: string;
  /** The name of the tracepoint: the same, or with several formats `<name>.<hex>`. */
  readonly name: string;
  /** The directory below `events/`. */
  readonly system: string;
  readonly layout: Layout;
  /** The trace event id. */
  readonly id: number;
  /** The bit in the status page, from 1; 0 in version 2, which has none. */
  readonly index: number;
  readonly multiFormat: boolean;
  /** It stays when nobody holds it. Always so in version 1. */
  readonly persistent: boolean;
}

/** A registered event (`struct user_event`). */
export class UserEvent implements EventParts {
  readonly group: Group;
  readonly registeredName: string;
  readonly name: string;
  readonly system: string;
  readonly layout: Layout;
  readonly id: number;
  readonly index: number;
  readonly multiFormat: boolean;
  readonly persistent: boolean;
  /** As the `format` file prints it. */
  readonly printFmt: string;
  #references: number;
  #tracers: Tracer[] = [];

  /** Has one reference for the caller, and one of its own if it is persistent. */
  constructor(parts: EventParts) {
    this.group = parts.group;
    this.registeredName = parts.registeredName;
    this.name = parts.name;
    this.system = parts.system;
    this.layout = parts.layout;
    this.id = parts.id;
    this.index = parts.index;
    this.multiFormat = parts.multiFormat;
    this.persistent = parts.persistent;
    this.printFmt = printFmt(parts.layout.fields);
    this.#references = parts.persistent ? 2 : 1;
  }

  /** The fields behind the common ones. */
  get fields(): readonly EventField[] {
    return this.layout.fields;
  }

  /** One for itself if persistent, and one for each file, enable bit, tracer and pending work. */
  get references(): number {
    return this.#references;
  }

  /** Nobody holds it, so it may be deleted. */
  get idle(): boolean {
    return this.#references === (this.persistent ? 1 : 0);
  }

  /** Somebody listens. */
  get enabled(): boolean {
    return this.#tracers.length > 0;
  }

  /** As `dynamic_events` lists it, without the newline: a byte string. */
  get definition(): string {
    const fields = this.fields.map(fieldText).join("; ");
    return fields === "" ? `u:${this.registeredName}` : `u:${this.registeredName} ${fields}`;
  }

  /** The part of its status line that says who listens: empty when nobody does. */
  get usage(): string {
    if (!this.enabled) return "";
    const kinds = (["ftrace", "perf", "other"] as const).filter((kind) =>
      this.#tracers.some((tracer) => tracer.kind === kind)
    );
    return ` # Used by ${kinds.join(" ")}`;
  }

  /** Takes a reference. */
  get(): this {
    this.#references++;
    return this;
  }

  /**
   * Gives a reference back. With the last one an event that is not persistent goes, but later:
   * until then it can be registered again, and be neither deleted nor called idle.
   */
  put(): void {
    this.#references--;
    if (this.#references > 0) return;
    this.#references = 1;
    this.group.host.later(() => this.#deleteUnlessUsed());
  }

  #deleteUnlessUsed(): void {
    this.#references--;
    if (this.#references > 0) return;
    try {
      this.group.destroy(this);
    } catch (error) {
      if (!isKernelError(error)) throw error;
      this.group.host.dmesg("user_events: Unable to delete event");
      this.#references = 1;
    }
  }

  /** Starts to give records to `tracer`. */
  attach(tracer: Tracer): void {
    this.#tracers.push(tracer);
    this.get();
    this.group.showEnabled(this);
  }

  /** Gives no more records to `tracer`, which was attached. */
  detach(tracer: Tracer): void {
    const at = this.#tracers.indexOf(tracer);
    if (at < 0) throw new Error(`Event "${this.name}" has no such tracer`);
    this.#tracers.splice(at, 1);
    this.group.showEnabled(this);
    this.put();
  }

  /**
   * Gives a payload of `size` bytes to all who listen.
   *
   * @param payload the bytes of it that the caller could really be read at
   * @throws KernelError EINVAL if it is too short; EBADF if nobody listens; EFAULT if it cannot
   * be read whole, or is wrong for a listener (others may have it none the less)
   */
  write(payload: Uint8Array, size: number, task: Task): void {
    const { minSize } = this.layout;
    if (minSize < 0 || size < minSize) refuse("EINVAL");
    if (!this.enabled) {
      // The patches of 2022 are older than the EBADF, which came to 6.1 in July 2023.
      if (this.group.facility.era === "rfc2022") return;
      refuse("EBADF");
    }
    if (payload.length < size) refuse("EFAULT");
    let faulted = false;
    for (const tracer of [...this.#tracers]) {
      const entry = tracer.reserve(ENTRY_HEADER + size, task);
      if (entry === null) continue;
      entry.set(payload, ENTRY_HEADER);
      if (this.#accepts(entry)) {
        tracer.commit(entry, task);
      } else {
        tracer.discard(entry, task);
        faulted = true;
      }
    }
    if (faulted) refuse("EFAULT");
  }

  #accepts(entry: Uint8Array): boolean {
    // Before 6.5 a copy of no bytes counted as a fault, so an event without fields was unwritable.
    if (entry.length === ENTRY_HEADER && this.group.facility.era !== "6.12") return false;
    return payloadIsValid(entry, this.layout.validators);
  }
}
