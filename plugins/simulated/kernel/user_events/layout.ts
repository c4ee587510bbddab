/**
 * The fields of a user_event: how their description is read, laid out and matched.
 *
 * Source: `user_event_parse_fields` and `user_fields_match` in
 * kernel/trace/trace_events_user.c.
 * @module
 */
import type { EventField, FilterType } from "../event_field.ts";
import { skipSpaces } from "../dynamic/ctype.ts";
import { parseUnsigned } from "../dynamic/numbers.ts";
import { refuse } from "./refusal.ts";

/** Bytes of `struct trace_entry`, which come before the payload. */
export const ENTRY_HEADER = 8;

const MAX_ARRAY_SIZE = 1024;

/** What a payload is checked for at a `__data_loc` or `__rel_loc` field. */
export interface Validator {
  /** Where the location word is, from the start of the entry; negative after a wrap-around. */
  readonly offset: number;
  /** The data's offset counts from behind the location word, not from the entry. */
  readonly relative: boolean;
  /** The last byte of the data must be NUL. */
  readonly ensureNul: boolean;
}

/** The fields of an event in order, and what they demand of a payload. */
export interface Layout {
  readonly fields: readonly EventField[];
  readonly validators: readonly Validator[];
  /** Bytes that a payload must have at least. Negative, after a wrap-around, no payload has it. */
  readonly minSize: number;
}

const INTEGER_SIZES: ReadonlyMap<string, number> = new Map([
  ["s64", 8],
  ["u64", 8],
  ["s32", 4],
  ["u32", 4],
  ["int", 4],
  ["unsigned int", 4],
  ["s16", 2],
  ["u16", 2],
  ["short", 2],
  ["unsigned short", 2],
  ["s8", 1],
  ["u8", 1],
  ["char", 1],
  ["unsigned char", 1],
]);

/** Words that, with the word behind them, make one type. The longest come first. */
const TYPE_PREFIXES = [
  "unsigned ",
  "struct ",
  "__data_loc unsigned ",
  "__data_loc ",
  "__rel_loc unsigned ",
  "__rel_loc ",
];

/**
 * Reads a field list (`type name [size]; ...`) and lays the fields out, packed.
 *
 * @param args null for an event without fields
 * @param typedFilters whether fields get the filter type of their type, as 6.4 and later do
 * @throws KernelError EINVAL, or the negative size of a struct as an error number
 */
export function parseLayout(args: string | null, typedFilters: boolean): Layout {
  const fields: EventField[] = [];
  const validators: Validator[] = [];
  let minSize = 0;
  // The kernel's arithmetic wraps at 32 bits: sizes of structs may reach 2^31 - 1.
  let offset = ENTRY_HEADER;
  for (const piece of (args ?? "").split(";")) {
    const description = skipSpaces(piece);
    if (description === "") continue;
    const { type, name, size } = parseField(description);
    const signed = !type.startsWith("u");
    const filterType = typedFilters ? filterTypeOf(type) : "other";
    fields.push({ name, type, offset: offset >>> 0, size, signed, filterType });
    if (type.startsWith("__data_loc ") || type.startsWith("__rel_loc ")) {
      const relative = type.startsWith("__rel_loc ");
      validators.push({ offset, relative, ensureNul: type.includes("char") });
    }
    offset = (offset + size) | 0;
    minSize = (offset - ENTRY_HEADER) | 0;
  }
  return { fields, validators, minSize };
}

interface ParsedField {
  readonly type: string;
  readonly name: string;
  readonly size: number;
}

function parseField(description: string): ParsedField {
  const prefix = TYPE_PREFIXES.find((p) => description.startsWith(p)) ?? "";
  const end = description.indexOf(" ", prefix.length);
  if (end < 0) refuse("EINVAL");
  const type = description.slice(0, end);
  // Single spaces only: two in a row make an empty part.
  const [name, sizeText, ...more] = description.slice(end + 1).split(" ");
  if (more.length > 0) refuse("EINVAL");
  return { type, name: name!, size: sizeOf(type, sizeText) };
}

function sizeOf(type: string, sizeText: string | undefined): number {
  if (sizeText === undefined) return sizeOfType(type);
  const size = type.startsWith("struct ") ? parseU32(sizeText, 10) : 0;
  if (size === 0) refuse("EINVAL");
  // From 2^31 on the size is a negative int, which the kernel takes for an error number.
  if (size >= 2 ** 31) refuse(2 ** 32 - size);
  return size;
}

function sizeOfType(type: string): number {
  const size = INTEGER_SIZES.get(type);
  if (size !== undefined) return size;
  if (type.startsWith("char[") || type.startsWith("unsigned char[")) return arraySize(type);
  if (type.startsWith("__data_loc ") || type.startsWith("__rel_loc ")) return 4;
  refuse("EINVAL");
}

/** The kernel copies the text behind the bracket to eight bytes, and looks there only. */
function arraySize(type: string): number {
  const rest = type.slice(type.indexOf("[") + 1);
  const close = rest.indexOf("]");
  const size = rest.length > 7 || close < 0 ? 0 : parseU32(rest.slice(0, close), 0);
  if (size === 0 || size > MAX_ARRAY_SIZE) refuse("EINVAL");
  return size;
}

/** `kstrtou32`; 0, which is no size either, for what is no such number. */
function parseU32(text: string, base: 0 | 10): number {
  const value = parseUnsigned(text, base, 1n << 32n);
  return typeof value === "bigint" ? Number(value) : 0;
}

/** `filter_assign_type` in kernel/trace/trace_events_filter.c. */
function filterTypeOf(type: string): FilterType {
  if (type.includes("__data_loc") && type.includes("char")) return "dyn_string";
  if (type.includes("__data_loc") && type.includes("cpumask_t")) return "cpumask";
  if (type.includes("__rel_loc") && type.includes("char")) return "rdyn_string";
  if (type.includes("[") && type.includes("char")) return "static_string";
  return "other";
}

/** A field as commands and `dynamic_events` write it: `type name`, for a struct with its size. */
export function fieldText(field: EventField): string {
  const text = `${field.type} ${field.name}`;
  return field.type.startsWith("struct ") ? `${text} ${field.size}` : text;
}

/**
 * Whether the words of a field list say just these fields. Words up to one with a semicolon
 * make a field; white space between them does not count.
 */
export function fieldsMatch(fields: readonly EventField[], words: readonly string[]): boolean {
  let next = 0;
  for (const field of fields) {
    if (next >= words.length) return false;
    const semicolon = words.findIndex((word, i) => i >= next && word.includes(";"));
    const end = semicolon < 0 ? words.length : semicolon + 1;
    const expected = fieldText(field) + (semicolon < 0 ? "" : ";");
    if (words.slice(next, end).join(" ") !== expected) return false;
    next = end;
  }
  return next === words.length;
}
