/**
 * How the bytes of a field become a value: decided once for a format, used for every entry.
 * @module
 */

import type { EventFormat, FieldFormat, FieldPlace } from "./format.ts";

/**
 * What a field holds:
 * `int` one integer; `string` text up to a NUL; `array` integers; `strings` an array of strings,
 * each found through a u32 of its own; `bytes` something with no known inside.
 */
export type FieldKind = "int" | "string" | "array" | "strings" | "bytes";

/** A field as decoders use it. Offsets and sizes are bytes. */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly place: FieldPlace;
  readonly offset: number;
  /** 0 for what takes the rest of the entry. */
  readonly size: number;
  readonly signed: boolean;
  /** 1, 2, 4 or 8. */
  readonly elementSize: number;
  readonly format: FieldFormat;
}

/** Bytes that entries are in, and a view of the same bytes. */
export interface EntryBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Value of a field. Integers of 8 bytes are always bigint, smaller ones always number; null is
 * text that the kernel could not read, `(fault)`.
 */
export type FieldValue = number | bigint | string | null | readonly FieldValue[];

/** Fields that the kernel adds to an event: where the probe is, not what it captured. */
const PROBE_FIELDS = new Set(["__probe_ip", "__probe_func", "__probe_ret_ip"]);

/** Whether `name` says where a probe is (kernel/trace/trace_probe.h, `FIELD_STRING_IP`). */
export function isProbeField(name: string): boolean {
  return PROBE_FIELDS.has(name);
}

/** How `field` of `event` is read. */
export function planField(field: FieldFormat, event: EventFormat): Field {
  const kind = kindOf(field);
  return {
    name: field.name,
    kind,
    place: field.place,
    offset: field.offset,
    size: isStackArray(field, event) ? 0 : field.size,
    signed: kind !== "bytes" && field.signed && !isUnsignedArray(field),
    elementSize: kind === "bytes" ? 1 : field.elementSize,
    format: field,
  };
}

/**
 * Of user_events the kernel calls every type signed that does not start with a "u", `__rel_loc u8[]`
 * too (kernel/trace/trace_events_user.c, `user_event_parse_field`).
 */
function isUnsignedArray({ array, element }: FieldFormat): boolean {
  return array && /^_*u(?:\d+|nsigned )/.test(element);
}

function kindOf(field: FieldFormat): FieldKind {
  if (!field.array) return [1, 2, 4, 8].includes(field.size) ? "int" : "bytes";
  if (field.element !== "char") return "array";
  // `__data_loc char[][2]` has two words: an array of strings (kernel/trace/trace_probe.c).
  return field.place !== "inline" && field.size > 4 ? "strings" : "string";
}

/** The format says 8 callers, the entry has `size` of them (trace_entries.h, `__stack_array`). */
function isStackArray(field: FieldFormat, event: EventFormat): boolean {
  return event.name === "kernel_stack" && field.name === "caller";
}

/** Bytes that an entry must have for its fields to be readable; arrays may be cut short. */
export function leastLength(fields: readonly Field[]): number {
  let least = 0;
  for (const field of fields) {
    const whole = field.kind === "int" || field.place !== "inline";
    least = Math.max(least, field.offset + (whole ? field.size : 0));
  }
  return least;
}

/** Where a field's bytes end that lie in the entry itself. */
export function inlineEnd(field: Field, start: number, length: number): number {
  return start + (field.size === 0 ? length : Math.min(length, field.offset + field.size));
}

/**
 * Whether the dynamic field whose u32 is at `at` lies inside the entry. Length 0 points nowhere.
 */
export function dynamicFits(
  view: DataView,
  field: Field,
  at: number,
  start: number,
  length: number,
): boolean {
  const size = view.getUint16(at + 2, true);
  return size === 0 || dynamicStart(view, field, at, start) + size <= start + length;
}

/** Where the bytes of the dynamic field whose u32 is at `at` start. */
export function dynamicStart(view: DataView, field: Field, at: number, start: number): number {
  return view.getUint16(at, true) + (field.place === "data_loc" ? start : at + 4);
}
