/**
 * Comparisons of integers and of sets of CPUs, as filters make them
 * (`DEFINE_COMPARISON_PRED` and `do_filter_*cpumask*()`,
 * kernel/trace/trace_events_filter.c).
 * @module
 */

import type { FilterOperator } from "./ast.ts";

/** `a operator b`, with `&` asking for a common bit. Numbers must fit 32 bits for `&`. */
export function compareIntegers<T extends number | bigint>(
  operator: FilterOperator,
  a: T,
  b: T,
): boolean {
  switch (operator) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "&":
      return typeof a === "bigint"
        ? (a & (b as bigint)) !== 0n
        : ((a as number) & (b as number)) !== 0;
    case "~":
      return false;
  }
}

/** One CPU against a set: equal to a set of one only, `&` where the set holds it. */
export function compareCpu(
  operator: FilterOperator,
  cpu: number,
  set: readonly number[],
): boolean {
  const inSet = set.includes(cpu);
  if (operator === "&") return inSet;
  const equal = inSet && set.length === 1;
  return operator === "==" ? equal : !equal;
}

/** A set of CPUs, ascending, against another: `&` where they share one. */
export function compareCpuSets(
  operator: FilterOperator,
  cpus: readonly number[],
  set: readonly number[],
): boolean {
  if (operator === "&") return cpus.some((cpu) => set.includes(cpu));
  const equal = cpus.length === set.length && cpus.every((cpu, i) => cpu === set[i]);
  return operator === "==" ? equal : !equal;
}
