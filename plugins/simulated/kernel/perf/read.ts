/**
 * What read(2) answers on an event (kernel/events/core.c, `perf_read_one`, `perf_read_group`).
 * @module
 */
import { FORMAT } from "./abi.ts";

/** What an event has counted. */
export interface Counter {
  readonly count: bigint;
  readonly id: bigint;
  /** Samples that found no room. */
  readonly lost: bigint;
}

/** Nanoseconds that an event was enabled, and that it counted. */
export interface CounterTimes {
  readonly enabled: bigint;
  readonly running: bigint;
}

/** The numbers of one event. */
export function readOne(format: number, counter: Counter, times: CounterTimes): bigint[] {
  return [
    counter.count,
    ...timesOf(format, times),
    ...(format & FORMAT.id ? [counter.id] : []),
    ...(format & FORMAT.lost ? [counter.lost] : []),
  ];
}

/** The numbers of a group, its leader first. */
export function readGroup(
  format: number,
  counters: readonly Counter[],
  times: CounterTimes,
): bigint[] {
  return [
    BigInt(counters.length),
    ...timesOf(format, times),
    ...counters.flatMap(({ count, id, lost }) => [
      count,
      ...(format & FORMAT.id ? [id] : []),
      ...(format & FORMAT.lost ? [lost] : []),
    ]),
  ];
}

function timesOf(format: number, { enabled, running }: CounterTimes): bigint[] {
  return [
    ...(format & FORMAT.enabled ? [enabled] : []),
    ...(format & FORMAT.running ? [running] : []),
  ];
}
