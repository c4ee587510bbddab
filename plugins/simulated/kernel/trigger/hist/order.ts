import { isStringField } from "../../../../../core/filter/field.ts";
import type { HistData, SortKey } from "./data.ts";
import { FLAG, type HistField } from "./field.ts";
import { keyInteger, keyString } from "./key.ts";
import type { HistEntry } from "./map.ts";
import { heapSort } from "./sort.ts";
import { sortable } from "./spec.ts";

type Compare = (a: HistEntry, b: HistEntry) => number;

/**
 * The entries in the order in which they are shown: sorted by the bytes of their
 * keys, then by what the command says (`tracing_map_sort_entries()`,
 * kernel/trace/tracing_map.c). Neither sort is stable.
 */
export function sortedEntries(hist: HistData): HistEntry[] {
  const entries = [...hist.map.entries];
  heapSort(entries, compareKeys, hist.version);
  const [primary, secondary] = hist.sortKeys.map((key) => comparison(hist, key));
  heapSort(entries, primary, hist.version);
  if (secondary !== undefined) sortWithin(entries, primary, secondary, hist.version);
  return entries;
}

/** Sorts each run of entries that the first comparison finds equal by the second. */
function sortWithin(
  entries: HistEntry[],
  primary: Compare,
  secondary: Compare,
  version: "6.1" | "6.12",
): void {
  for (let start = 0; start < entries.length;) {
    let end = start + 1;
    while (end < entries.length && primary(entries[end - 1], entries[end]) === 0) end++;
    const run = entries.slice(start, end);
    heapSort(run, secondary, version);
    entries.splice(start, run.length, ...run);
    start = end;
  }
}

function compareKeys(a: HistEntry, b: HistEntry): number {
  for (let i = 0; i < a.key.length; i++) {
    if (a.key[i] !== b.key[i]) return a.key[i] - b.key[i];
  }
  return 0;
}

function comparison(hist: HistData, { index, descending }: SortKey): Compare {
  const field = sortable(hist)[index];
  const compare: Compare = (field.flags & FLAG.KEY) === 0
    ? (a, b) => order(sumOf(a, index), sumOf(b, index))
    : keyComparison(field);
  return descending ? (a, b) => -compare(a, b) : compare;
}

function sumOf(entry: HistEntry, index: number): bigint {
  return entry.sums[index] ?? 0n;
}

/** Integers are compared as ones of the field's size; stacks are all alike. */
function keyComparison(key: HistField): Compare {
  const { field, flags } = key;
  if ((flags & FLAG.STACKTRACE) !== 0) return () => 0;
  if (field !== undefined && (flags & FLAG.CPU) === 0 && isStringField(field)) {
    return (a, b) => order(keyString(a.key, key), keyString(b.key, key));
  }
  const { size, signed } = field === undefined || (flags & FLAG.CPU) !== 0 ? key : field;
  const value = (entry: HistEntry) => {
    const integer = keyInteger(entry.key, key);
    return signed ? BigInt.asIntN(8 * size, integer) : BigInt.asUintN(8 * size, integer);
  };
  return (a, b) => order(value(a), value(b));
}

function order<T extends bigint | string>(a: T, b: T): number {
  return a > b ? 1 : a < b ? -1 : 0;
}
