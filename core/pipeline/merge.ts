import type { RecordBatch } from "../event/record.ts";

/** Entries of one batch that follow each other in time. */
export type Run = (batch: RecordBatch, from: number, to: number) => void;

interface Head {
  readonly batches: readonly RecordBatch[];
  batch: number;
  entry: number;
}

/**
 * Puts batches of several CPUs in one order of time, as runs of entries of one batch.
 *
 * @param queues for each CPU its batches, each in the order of time already.
 */
export function mergeByTime(queues: readonly (readonly RecordBatch[])[], emit: Run): void {
  const heads = queues.map((batches): Head => ({ batches, batch: 0, entry: 0 }))
    .filter(skipEmpty);
  while (heads.length > 0) {
    const first = earliest(heads);
    const others = heads.filter((head) => head !== first);
    const next = others.length === 0 ? undefined : earliest(others);
    emitUntil(first, next, emit);
    if (!skipEmpty(first)) heads.splice(heads.indexOf(first), 1);
  }
}

/** Moves a head off batches that are used up; whether there is an entry left. */
function skipEmpty(head: Head): boolean {
  while (head.batch < head.batches.length && head.entry >= head.batches[head.batch].count) {
    head.batch++;
    head.entry = 0;
  }
  return head.batch < head.batches.length;
}

function earliest(heads: readonly Head[]): Head {
  return heads.reduce((best, head) => isAfter(best, head) ? head : best);
}

/** Emits of `head`'s batch what is not after `next`; at least one entry. */
function emitUntil(head: Head, next: Head | undefined, emit: Run): void {
  const batch = head.batches[head.batch];
  const from = head.entry++;
  while (head.entry < batch.count && (next === undefined || !isAfter(head, next))) head.entry++;
  emit(batch, from, head.entry);
}

function isAfter(a: Head, b: Head): boolean {
  const left = a.batches[a.batch].columns;
  const right = b.batches[b.batch].columns;
  return left.seconds[a.entry] - right.seconds[b.entry] > 0 ||
    (left.seconds[a.entry] === right.seconds[b.entry] &&
      left.nanos[a.entry] > right.nanos[b.entry]);
}
