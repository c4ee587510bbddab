import { KernelError } from "../../../../core/kernel/error.ts";
import { DataFile } from "./data_file.ts";
import { EnableWords } from "./enable_words.ts";
import { type Facility, Group } from "./group.ts";
import type { Era, UserEventsHost } from "./host.ts";
import { StatusFile } from "./status_file.ts";

/** `kernel.user_events_max` of a kernel that has just started. */
const DEFAULT_MAX_EVENTS = 32768;

/**
 * The user_events of one kernel: groups of events, and the files that programs reach them by.
 *
 * It knows no file system: paths, permissions and descriptors are for the caller. It takes one
 * call at a time.
 */
export class UserEvents {
  readonly era: Era;
  /** The group that is always there, with id 0. */
  readonly root: Group;
  /** The enable bits of version 2; tell it of threads that come and go. */
  readonly words: EnableWords;
  readonly #facility: Facility;
  readonly #groups = new Map<number, Group>();

  constructor(host: UserEventsHost, era: Era) {
    this.era = era;
    this.words = new EnableWords(host);
    const maxEvents = DEFAULT_MAX_EVENTS;
    this.#facility = { era, host, words: this.words, eventCount: 0, maxEvents };
    this.root = this.createGroup(0, null);
  }

  /** Events there are, in all groups. */
  get eventCount(): number {
    return this.#facility.eventCount;
  }

  /** `kernel.user_events_max`, 0 to 2^32 - 1: events that version 2 lets there be. */
  get maxEvents(): number {
    return this.#facility.maxEvents;
  }

  set maxEvents(limit: number) {
    this.#facility.maxEvents = limit;
  }

  /**
   * Makes a group with an id that is free, and a reference to it for the caller.
   *
   * @param name the namespace it is for, or null for the root
   */
  createGroup(id: number, name: string | null): Group {
    const group = new Group(this.#facility, id, name);
    this.#groups.set(id, group);
    return group;
  }

  /** The group with this id and a reference to it for the caller, if there is one. */
  findGroup(id: number): Group | undefined {
    return this.#groups.get(id)?.get();
  }

  /** Forgets a group; what has it still may keep it. */
  unlinkGroup(group: Group): void {
    this.#groups.delete(group.id);
  }

  /**
   * open(2) of the `user_events_data` of a group.
   *
   * @throws KernelError ENOENT if the group is gone
   */
  openData(groupId = 0): DataFile {
    return new DataFile(this.#open(groupId, "user_events_data"));
  }

  /**
   * open(2) of the `user_events_status` of a group.
   *
   * @throws KernelError ENOENT if the group is gone
   */
  openStatus(groupId = 0): StatusFile {
    return new StatusFile(this.#open(groupId, "user_events_status"));
  }

  #open(groupId: number, path: string): Group {
    const group = this.findGroup(groupId);
    if (group === undefined) throw new KernelError("ENOENT", "open", path);
    return group;
  }
}
