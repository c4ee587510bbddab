import type { EnableWords } from "./enable_words.ts";
import type { UserEvent } from "./event.ts";
import type { Era, Task, UserEventsHost } from "./host.ts";
import { RegisterTable } from "./register_table.ts";
import { refuse } from "./refusal.ts";
import { MAX_EVENTS, StatusPage } from "./status_page.ts";

/** `USER_EVENTS_SYSTEM`: the system of the root group, and the start of every other one's. */
export const SYSTEM = "user_events";
/** `USER_EVENTS_MULTI_SYSTEM`: the system of events with several formats. */
export const MULTI_SYSTEM = "user_events_multi";
/** The highest limit that a group may have. */
export const MAX_LIMIT = MAX_EVENTS - 1;

/** What all groups of a kernel have in common. */
export interface Facility {
  readonly era: Era;
  readonly host: UserEventsHost;
  readonly words: EnableWords;
  /** Events there are, in all groups. */
  eventCount: number;
  /** `kernel.user_events_max`: how many events there may be in version 2. */
  maxEvents: number;
}

/** Events with a name space of their own (`struct user_event_group`). */
export class Group {
  /** 0 for the root group. */
  readonly id: number;
  readonly systemName: string;
  readonly table: RegisterTable = new RegisterTable();
  /** Which events are on, and which indexes are taken; version 1. */
  readonly page: StatusPage = new StatusPage();
  /** The highest index that a new event may get. */
  limit: number = MAX_LIMIT;
  readonly facility: Facility;
  #references = 2;
  #multiId = 0n;

  /** Has two references: the creator's and that of the table it is found in. */
  constructor(facility: Facility, id: number, name: string | null) {
    this.facility = facility;
    this.id = id;
    this.systemName = name === null ? SYSTEM : `${SYSTEM}.${name}`;
  }

  get host(): UserEventsHost {
    return this.facility.host;
  }

  /** One for the table, one for the root group's creator, and one for each open file. */
  get references(): number {
    return this.#references;
  }

  /** Takes a reference. */
  get(): this {
    this.#references++;
    return this;
  }

  /** Gives a reference back. A group never goes by that. */
  release(): void {
    this.#references--;
  }

  /** The number for the next tracepoint of an event with several formats, in hex. */
  nextMultiId(): string {
    return (this.#multiId++).toString(16);
  }

  /** Puts a new event in. */
  add(event: UserEvent): void {
    this.host.onAdd(event);
    if (this.facility.era !== "6.12") this.page.take(event.index);
    this.table.add(event);
    this.facility.eventCount++;
  }

  /**
   * Takes an event out, whoever holds it.
   *
   * @throws KernelError EBUSY if the tracing core keeps it
   */
  destroy(event: UserEvent): void {
    this.host.onRemove(event);
    if (this.facility.era !== "6.12") this.page.free(event.index);
    this.table.delete(event);
    this.facility.eventCount--;
  }

  /** Shows user space whether an event is on. */
  showEnabled(event: UserEvent): void {
    if (this.facility.era === "6.12") this.facility.words.update(event);
    else this.page.show(event.index, event.enabled);
  }

  /** The text of the status file, a byte string. */
  statusText(): string {
    const numbered = this.facility.era !== "6.12";
    let text = "";
    let active = 0;
    let busy = 0;
    for (const event of this.table) {
      if (numbered) text += `${event.index}:`;
      text += `${event.name}${event.usage}\n`;
      active++;
      if (event.enabled) busy++;
    }
    text += `\nActive: ${active}\nBusy: ${busy}\n`;
    if (numbered) text += `Max: ${MAX_EVENTS}\n`;
    if (this.facility.era === "rfc2022") text += `Limit: ${this.limit}\n`;
    return text;
  }

  /**
   * Deletes an event that nobody holds.
   *
   * @throws KernelError EBUSY if somebody does; EPERM for a persistent event of version 2
   * without CAP_PERFMON
   */
  delete(event: UserEvent, task: Task): void {
    if (!event.idle) refuse("EBUSY");
    const guarded = this.facility.era === "6.12" && event.persistent;
    if (guarded && !this.host.capable(task, "CAP_PERFMON")) refuse("EPERM");
    this.destroy(event);
  }
}
