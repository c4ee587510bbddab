/**
 * The grammar of event filters (kernel/trace/trace_events_filter.c), without an
 * event and against one.
 * @module
 */

import type { AddressRange, BoundFilter, ParsedFilter } from "./ast.ts";
import { fromByteString, toByteString, trimEnd } from "./bytes.ts";
import { FilterError } from "./error.ts";
import type { FilterField, FilterVersion } from "./field.ts";
import { scanPredicate } from "./scan.ts";
import { parseStructure } from "./structure.ts";

/** Bytes that a filter may have: one less than a page (`event_filter_write()`). */
export const MAX_FILTER_BYTES = 4095;
/** The most CPUs that a kernel can be built for on x86-64 (`CONFIG_NR_CPUS`). */
const MAX_CPUS = 8192;

/** What a filter is bound with, beside the event's fields. */
export interface BindOptions {
  readonly version: FilterVersion;
  /** The kernel's `nr_cpu_ids`, at least 1; `CPUS{…}` may name no CPU at or above it. */
  readonly cpuCount: number;
  /** The function of a name, or the one that holds an address; for `.function`. */
  readonly findFunction?: (nameOrAddress: string | bigint) => AddressRange | undefined;
}

/**
 * Checks the syntax of a filter for a kernel of `version`, whatever the fields of
 * the event may be.
 *
 * White space at the end is not part of the filter. Throws {@link FilterError}.
 */
export function parseFilter(text: string, version: FilterVersion = "6.12"): ParsedFilter {
  const filter = normalize(text);
  const scope = { version, cpuCount: MAX_CPUS };
  const root = parseStructure(filter, (start) => scanPredicate(filter, start, scope));
  return { text: fromByteString(filter), version, root };
}

/**
 * Checks a filter against the fields of an event, as the kernel does when it is
 * written to the event's `filter` file.
 *
 * `fields` are the event's own; the common and generic ones are known. Throws
 * {@link FilterError} with the kernel's errno, text and position.
 */
export function bindFilter(
  filter: string | ParsedFilter,
  fields: readonly FilterField[],
  options: BindOptions,
): BoundFilter {
  const bytes = normalize(typeof filter === "string" ? filter : filter.text);
  const scope = { ...options, fields };
  const root = parseStructure(bytes, (start) => scanPredicate(bytes, start, scope));
  const { version, cpuCount } = options;
  return { text: fromByteString(bytes), version, root, cpuCount };
}

/** The byte string that the kernel parses. */
function normalize(text: string): string {
  const filter = trimEnd(toByteString(text));
  if (filter.length <= MAX_FILTER_BYTES) return filter;
  const detail = `The filter is longer than ${MAX_FILTER_BYTES} bytes`;
  const at = MAX_FILTER_BYTES;
  throw new FilterError({ code: "ERRNO", errno: "EINVAL", filter, position: 0, at, detail });
}
