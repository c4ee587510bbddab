import type { EventField } from "../event_field.ts";
import { splitWords } from "./ctype.ts";
import type { ErrorLog } from "./error_log.ts";
import type { DynamicEvent } from "./event.ts";
import type { DynamicHost, EventUsage } from "./host.ts";
import { refuse } from "./probe_log.ts";

/** What a delete asks for: `-:[group/][event] [place] [arguments]`. */
export interface DeleteTarget {
  /** Absent for any group. */
  readonly group: string | undefined;
  /** Empty for all events of the group. */
  readonly event: string;
  /** The words behind the name. */
  readonly words: readonly string[];
}

/**
 * A kind of dynamic event (`struct dyn_event_operations`). Kinds that live
 * elsewhere, such as user events, are plugged in with {@link Registry.addParser}.
 */
export interface DynamicParser {
  /** Unique name of the kind. */
  readonly name: string;
  /**
   * Carries out a definition of this kind: one line, comments removed, one
   * character a byte.
   *
   * @throws {KernelError} if the definition is of this kind and refused
   */
  create(line: string): "not mine" | void;
}

/** One line of `dynamic_events` (`struct dyn_event`). */
export interface DynamicEntry {
  readonly parser: DynamicParser;
  /** The line, without its newline. */
  show(): string;
  matches(target: DeleteTarget): boolean;
  /** Whether it keeps a truncating open from deleting anything. */
  isBusy(): boolean;
  /**
   * Deletes it, with {@link Registry.erase} as a part.
   *
   * @throws {KernelError} EBUSY if it is in use
   */
  free(): void;
}

/** The event that an event probe can be attached to. */
export interface AttachableEvent {
  readonly fields: readonly EventField[];
  /** Present if the event is dynamic, and then may go. */
  readonly dynamic?: DynamicEvent;
}

/**
 * All dynamic events (`dyn_event_list`) and what the kinds share: names, ids,
 * and who holds whom (kernel/trace/trace_dynevent.c).
 */
export class Registry {
  readonly host: DynamicHost;
  readonly errors: ErrorLog;
  readonly #parsers: DynamicParser[] = [];
  readonly #entries = new Set<DynamicEntry>();
  readonly #events = new Map<string, Map<DynamicParser, DynamicEvent>>();
  readonly #holders = new Map<DynamicEvent, number>();
  #wipe = true;

  constructor(host: DynamicHost, errors: ErrorLog) {
    this.host = host;
    this.errors = errors;
  }

  /** The kinds, in the order in which a line of `dynamic_events` is offered to them. */
  get parsers(): readonly DynamicParser[] {
    return this.#parsers;
  }

  /** All lines, oldest first. */
  get entries(): Iterable<DynamicEntry> {
    return this.#entries;
  }

  addParser(parser: DynamicParser): void {
    this.#parsers.push(parser);
  }

  insert(entry: DynamicEntry): void {
    this.#entries.add(entry);
  }

  erase(entry: DynamicEntry): void {
    this.#entries.delete(entry);
  }

  *events(): Iterable<DynamicEvent> {
    for (const sameName of this.#events.values()) yield* sameName.values();
  }

  /** The event that a kind has under a name. */
  find(parser: DynamicParser, group: string, name: string): DynamicEvent | undefined {
    return this.#events.get(`${group}/${name}`)?.get(parser);
  }

  /** Whether any event of the kernel has this name (`find_trace_event_call`). */
  exists(group: string, name: string): boolean {
    return this.#events.has(`${group}/${name}`) || this.host.event(group, name) !== undefined;
  }

  /** An id for an event to be. */
  allocateId(): number {
    return this.host.allocateEventId() ?? refuse("ENODEV");
  }

  /** Makes an event known. */
  add(parser: DynamicParser, event: DynamicEvent): void {
    const key = `${event.group}/${event.name}`;
    const sameName = this.#events.get(key) ?? new Map<DynamicParser, DynamicEvent>();
    this.#events.set(key, sameName.set(parser, event));
    this.host.onAdd(event);
  }

  /**
   * Takes an event away.
   *
   * @throws {KernelError} EBUSY if it is enabled (`trace_remove_event_call`)
   */
  remove(parser: DynamicParser, event: DynamicEvent): void {
    if (this.host.usage(event).enabled) {
      this.#wipe = false;
      refuse("EBUSY");
    }
    const key = `${event.group}/${event.name}`;
    const sameName = this.#events.get(key);
    sameName?.delete(parser);
    if (sameName?.size === 0) this.#events.delete(key);
    this.host.releaseEventId(event.id);
    this.host.onRemove(event);
  }

  /** The event with a name, unless it is one that event probes cannot be on. */
  attachable(system: string, name: string): AttachableEvent | undefined {
    for (const event of this.#events.get(`${system}/${name}`)?.values() ?? []) {
      const excluded = event.kind === "kprobe" || event.kind === "uprobe" ||
        event.kind === "eprobe";
      if (!excluded) return { fields: event.fields, dynamic: event };
    }
    const found = this.host.event(system, name);
    return found === undefined || found.internal ? undefined : found;
  }

  /** Keeps an event from going (`trace_event_try_get_ref`). */
  hold(event: DynamicEvent): void {
    this.#holders.set(event, (this.#holders.get(event) ?? 0) + 1);
  }

  /** Undoes one {@link hold}. */
  release(event: DynamicEvent): void {
    const left = (this.#holders.get(event) ?? 0) - 1;
    if (left > 0) this.#holders.set(event, left);
    else this.#holders.delete(event);
  }

  /** Who uses an event, event probes on it included. */
  usage(event: DynamicEvent): EventUsage {
    const { enabled, referenced } = this.host.usage(event);
    return { enabled, referenced: referenced || this.#holders.has(event) };
  }

  /**
   * Carries out a delete, on the entries of one kind or of all (`dyn_event_release`).
   *
   * @throws {KernelError} EINVAL if it names nothing, ENOENT if nothing matches,
   * EBUSY at the first entry that is in use; those before it are gone
   */
  delete(line: string, parser?: DynamicParser): void {
    const target = parseDelete(line);
    let found = false;
    this.#releasing(() => {
      for (const entry of this.#entries) {
        if (parser !== undefined && entry.parser !== parser) continue;
        if (!entry.matches(target)) continue;
        entry.free();
        found = true;
      }
      if (!found) refuse("ENOENT");
    });
  }

  /**
   * Deletes all entries of one kind or of all, as a truncating open does
   * (`dyn_events_release_all`).
   *
   * @throws {KernelError} EBUSY if one is in use
   */
  deleteAll(parser?: DynamicParser): void {
    const doomed = [...this.#entries]
      .filter((entry) => parser === undefined || entry.parser === parser);
    this.#releasing(() => {
      if (doomed.some((entry) => entry.isBusy())) refuse("EBUSY");
      for (const entry of doomed) entry.free();
    });
  }

  #releasing(work: () => void): void {
    this.#wipe = true;
    try {
      work();
    } finally {
      this.host.onReset(this.#wipe);
    }
  }
}

function parseDelete(line: string): DeleteTarget {
  const [head = "", ...words] = splitWords(line);
  const colon = head.indexOf(":");
  if (colon < 0 || (head.startsWith("-") && colon !== 1)) refuse("EINVAL");
  const name = head.slice(colon + 1);
  const slash = name.indexOf("/");
  const group = slash < 0 ? undefined : name.slice(0, slash);
  const event = name.slice(slash + 1);
  if (group === undefined && event === "") refuse("EINVAL");
  return { group, event, words };
}
