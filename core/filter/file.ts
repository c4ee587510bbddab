/**
 * What an event's `filter` file holds (`event_filter_write()` and
 * `print_event_filter()`, kernel/trace).
 * @module
 */

import { Buffer } from "node:buffer";

import { KernelError } from "../kernel/error.ts";
import type { BoundFilter } from "./ast.ts";
import { fromByteString, isSpace, toByteString, trimEnd } from "./bytes.ts";
import { FilterError, filterErrorText } from "./error.ts";
import type { FilterField } from "./field.ts";
import { bindFilter, type BindOptions, MAX_FILTER_BYTES } from "./parse.ts";

/**
 * A `filter` file after a write: without filter, with one in force, or with one
 * that was refused, in which case every event passes.
 */
export type FilterFile =
  | { readonly kind: "none" }
  | { readonly kind: "filter"; readonly filter: BoundFilter }
  | { readonly kind: "refused"; readonly filter: string; readonly error: FilterError };

/** What a subsystem's `filter` file holds, whatever was written to it. */
export const SUBSYSTEM_FILTER_TEXT = "### global filter ###\n" +
  "# Use this to set filters for multiple events.\n" +
  "# Only events with the given fields will be affected.\n" +
  "# If no events are modified, an error message will be displayed here\n";

/**
 * What one write(2) of `text` makes of the file. `0` takes the filter away; a
 * filter that is refused takes the place of the one before it, too.
 *
 * Throws {@link KernelError} EINVAL, the file unchanged, for a page or more.
 */
export function writeFilterFile(
  text: string,
  fields: readonly FilterField[],
  options: BindOptions,
): FilterFile {
  if (Buffer.byteLength(text) > MAX_FILTER_BYTES) throw new KernelError("EINVAL", "write");
  const filter = fromByteString(trimEnd(toByteString(text)));
  if (trimStart(filter) === "0") return { kind: "none" };
  try {
    return { kind: "filter", filter: bindFilter(filter, fields, options) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { kind: "refused", filter, error };
  }
}

/**
 * What a write to the subsystem's `filter` file makes of the file of one of its
 * events: the same, except for the error. The write itself succeeds however many
 * of the events refuse (`process_system_preds()`).
 */
export function writeSubsystemFilterFile(
  text: string,
  fields: readonly FilterField[],
  options: BindOptions,
): FilterFile {
  const file = writeFilterFile(text, fields, options);
  if (file.kind !== "refused") return file;
  const { filter } = file;
  const error = new FilterError({
    code: "BAD_SUBSYS_FILTER",
    errno: "EINVAL",
    filter: toByteString(filter),
    position: 0,
    at: 0,
  });
  return { kind: "refused", filter, error };
}

/** What the file reads as. */
export function readFilterFile(file: FilterFile): string {
  switch (file.kind) {
    case "none":
      return "none\n";
    case "filter":
      return `${file.filter.text}\n`;
    case "refused":
      return `${filterErrorText(file.filter, file.error)}\n`;
  }
}

function trimStart(text: string): string {
  let at = 0;
  while (isSpace(text[at])) at++;
  return text.slice(at);
}
