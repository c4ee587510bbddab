/**
 * Putting the batches of several CPUs in one order of time. Each CPU's batches are in order already;
 * what one CPU has can be handed on only as far as the others are known.
 * @module
 */

import type { RecordBatch } from "../event/record.ts";

/** A point on the clock of the buffers. */
export interface Instant {
  readonly seconds: number;
  /** Nanoseconds of the second. */
  readonly nanos: number;
}

/** After everything. */
export const END_OF_TIME: Instant = { seconds: Infinity, nanos: 0 };

/** What is done with batches in their turn. */
export interface MergeTarget {
  /** The batch is next; called once, before any of its entries. */
  begin(batch: RecordBatch): void;
  /** Entries `from` to `to` (exclusive) are next. */
  emit(batch: RecordBatch, from: number, to: number): void;
  /** All of the batch has been handed on. */
  end(batch: RecordBatch): void;
}

/** Batches of one CPU that wait for their turn, oldest first. As an instant: its next entry. */
export class BatchQueue implements Instant {
  readonly #batches: RecordBatch[] = [];
  #entry = 0;
  seconds = Infinity;
  nanos = 0;

  add(batch: RecordBatch): void {
    this.#batches.push(batch);
  }

  /** When the last entry was written; undefined if there is none. */
  get last(): Instant | undefined {
    const batch = this.#batches.findLast(({ count }) => count > 0);
    if (batch === undefined) return undefined;
    const { seconds, nanos } = batch.columns;
    return { seconds: seconds[batch.count - 1], nanos: nanos[batch.count - 1] };
  }

  /** Ends batches that are used up; whether there is an entry left. */
  next(target: MergeTarget): boolean {
    for (;;) {
      const [batch] = this.#batches;
      if (batch === undefined) return false;
      if (this.#entry < batch.count) {
        this.seconds = batch.columns.seconds[this.#entry];
        this.nanos = batch.columns.nanos[this.#entry];
        return true;
      }
      if (batch.count === 0) target.begin(batch);
      target.end(batch);
      this.#batches.shift();
      this.#entry = 0;
    }
  }

  /** Emits of the first batch what is not after `limit`; at least one entry. */
  emitUntil(limit: Instant, target: MergeTarget): void {
    const [batch] = this.#batches;
    const { seconds, nanos } = batch.columns;
    const isLate = (entry: number) =>
      seconds[entry] > limit.seconds ||
      (seconds[entry] === limit.seconds && nanos[entry] > limit.nanos);
    const from = this.#entry;
    if (from === 0) target.begin(batch);
    let to = from + 1;
    if (!isLate(batch.count - 1)) to = batch.count;
    while (to < batch.count && !isLate(to)) to++;
    this.#entry = to;
    target.emit(batch, from, to);
  }
}

/** Hands on what is not after `until`, in the order of time; the rest stays in the queues. */
export function mergeByTime(
  queues: readonly BatchQueue[],
  until: Instant,
  target: MergeTarget,
): void {
  let waiting = queues.filter((queue) => queue.next(target));
  while (waiting.length > 0) {
    let first = waiting[0];
    let limit = until;
    for (let i = 1; i < waiting.length; i++) {
      const queue = waiting[i];
      if (isAfter(first, queue)) {
        limit = earlier(limit, first);
        first = queue;
      } else {
        limit = earlier(limit, queue);
      }
    }
    if (isAfter(first, until)) return;
    first.emitUntil(limit, target);
    if (!first.next(target)) waiting = waiting.filter((queue) => queue !== first);
  }
}

/** The earlier of two instants. */
export function earlier(a: Instant, b: Instant): Instant {
  return isAfter(a, b) ? b : a;
}

function isAfter(a: Instant, b: Instant): boolean {
  return a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
}
