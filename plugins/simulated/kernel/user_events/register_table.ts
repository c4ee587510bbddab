import type { UserEvent } from "./event.ts";
import { bucketOf } from "./hash.ts";

/**
 * The events of a group by name: 256 buckets, the newest event first in each. That is the order
 * in which the status file lists them.
 */
export class RegisterTable {
  #buckets: UserEvent[][] = Array.from({ length: 256 }, () => []);

  /** Events whose name may be `name`, newest first; a copy. */
  candidates(name: string): UserEvent[] {
    return this.#buckets[bucketOf(name)]!.filter((event) => event.registeredName === name);
  }

  add(event: UserEvent): void {
    this.#buckets[bucketOf(event.registeredName)]!.unshift(event);
  }

  delete(event: UserEvent): void {
    const bucket = this.#buckets[bucketOf(event.registeredName)]!;
    bucket.splice(bucket.indexOf(event), 1);
  }

  /** All events, in listing order. */
  *[Symbol.iterator](): Iterator<UserEvent> {
    for (const bucket of this.#buckets) yield* bucket;
  }
}
