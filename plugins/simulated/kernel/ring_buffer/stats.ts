/**
 * The text of `per_cpu/cpuN/stats` (kernel/trace/trace.c, `tracing_stats_read`).
 * @module
 */

import type { CpuBuffer } from "./cpu_buffer.ts";

/** Statistics of one CPU's buffer at `now`, in the clock's units. */
export function statsText(buffer: CpuBuffer, now: bigint, clockInNs: boolean): string {
  const { entries, overrun, bytes, dropped, read } = buffer.counters;
  const stamp = clockInNs ? seconds : String;
  // Commits cannot overrun here: that takes writes that interrupt each other.
  return [
    `entries: ${entries}`,
    `overrun: ${overrun}`,
    "commit overrun: 0",
    `bytes: ${bytes}`,
    `oldest event ts: ${stamp(buffer.oldestStamp)}`,
    `now ts: ${stamp(now)}`,
    `dropped events: ${dropped}`,
    `read events: ${read}`,
    "",
  ].join("\n");
}

/** Nanoseconds as `%5llu.%06lu`, cut off to microseconds. */
function seconds(ns: bigint): string {
  const us = ns / 1000n;
  return `${String(us / 1000000n).padStart(5)}.${String(us % 1000000n).padStart(6, "0")}`;
}
