/**
 * Values of histogram fields when an event fires (`hist_fn_call()`,
 * kernel/trace/trace_events_hist.c).
 * @module
 */

import type { FilterField } from "../../../../../core/filter/field.ts";
import type { FiredEvent, TriggerHost } from "../host.ts";
import type { HistField } from "./field.ts";
import type { HistEntry } from "./map.ts";

/**
 * A 64-bit unsigned integer; a string, one character a byte, up to its NUL; or the
 * addresses of a stack.
 */
export type HistValue = bigint | string | readonly bigint[];

/** What a field's value may depend on. */
export interface Occasion {
  readonly fired: FiredEvent;
  readonly host: TriggerHost;
  /** The entry that is updated; none while its key is put together. */
  readonly entry?: HistEntry;
  /** Values of the histogram's references, by index. */
  readonly references: readonly (HistValue | undefined)[];
}

const U64 = (value: bigint) => BigInt.asUintN(64, value);
/** `HIST_DIV_SHIFT`. */
const DIVISION_SHIFT = 20n;

/** The value of `field`. */
export function evaluate(field: HistField, occasion: Occasion): HistValue {
  const { fired, host, entry, references } = occasion;
  switch (field.source) {
    case "none":
      return 0n;
    case "var_ref":
      return references[field.refIndex] ?? 0n;
    case "hitcount":
      return 1n;
    case "constant":
      return field.constant;
    case "cpu":
      return BigInt(fired.context.cpu);
    case "timestamp":
      return timestamp(field, fired, host);
    case "execname":
      return entry?.comm ?? "(no comm)";
    case "string":
    case "stack":
    case "integer":
      return readField(field, fired);
    default:
      return compute(field, (operand) => toInteger(evaluate(operand, occasion)));
  }
}

/** The value as the integer that the kernel would compute with; strings are addresses there. */
export function toInteger(value: HistValue): bigint {
  return typeof value === "bigint" ? value : 0n;
}

/** The value of a field that is computed from its operands. */
export function compute(field: HistField, value: (operand: HistField) => bigint): bigint {
  const [first, second] = field.operands;
  const a = value(first);
  switch (field.source) {
    case "log2":
      return a > 1n ? BigInt((a - 1n).toString(2).length) : 0n;
    case "bucket":
      return a / field.buckets * field.buckets;
    case "negate":
      return U64(-a);
    case "plus":
      return U64(a + value(second));
    case "minus":
      return U64(a - value(second));
    case "multiply":
      return U64(a * value(second));
    case "divide":
      return divide(a, value(second));
    case "divide_by_shift":
      return divideByShift(a, second);
    default:
      return a / second.constant;
  }
}

function divide(a: bigint, b: bigint): bigint {
  return b === 0n ? U64(-1n) : a / b;
}

/** Where the dividend is small, the quotient may be one too much. */
function divideByShift(a: bigint, { constant, multiplier }: HistField): bigint {
  if (a >= 1n << DIVISION_SHIFT) return a / constant;
  return (a * multiplier + (1n << DIVISION_SHIFT) - 1n) >> DIVISION_SHIFT;
}

/** How the kernel divides by a constant, and what it multiplies with (`hist_field_get_div_fn()`). */
export function divisionBy(divisor: bigint): Pick<HistField, "source" | "multiplier"> {
  if ((divisor & (divisor - 1n)) === 0n) return { source: "divide_by_power", multiplier: 0n };
  if (divisor > 1n << DIVISION_SHIFT) return { source: "divide_exactly", multiplier: 0n };
  return { source: "divide_by_shift", multiplier: (1n << DIVISION_SHIFT) / divisor };
}

function timestamp({ hist }: HistField, fired: FiredEvent, host: TriggerHost): bigint {
  const time = fired.context.timestamp;
  return hist.attributes.inMicroseconds && host.isClockInNanoseconds() ? time / 1000n : time;
}

function readField({ field, source }: HistField, fired: FiredEvent): HistValue {
  if (field === undefined) return 0n;
  if (source === "string") return readString(field, fired);
  if (source === "stack") return readStack(field, fired);
  const { entry, offset, length } = fired;
  if (field.offset + field.size > length) return 0n;
  const at = offset + field.offset;
  const { signed } = field;
  switch (field.size) {
    case 1:
      return U64(BigInt(signed ? entry.getInt8(at) : entry.getUint8(at)));
    case 2:
      return U64(BigInt(signed ? entry.getInt16(at, true) : entry.getUint16(at, true)));
    case 4:
      return U64(BigInt(signed ? entry.getInt32(at, true) : entry.getUint32(at, true)));
    default:
      return entry.getBigUint64(at, true);
  }
}

/** From the start of the string to its NUL, or to the end of the entry. */
function readString(field: FilterField, { entry, offset, length }: FiredEvent): string {
  const start = stringStart(field, entry, offset);
  let text = "";
  for (let at = start; at < length; at++) {
    const byte = entry.getUint8(offset + at);
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

function stringStart(field: FilterField, entry: DataView, offset: number): number {
  if (field.filterType === "static_string") return field.offset;
  const place = entry.getUint16(offset + field.offset, true);
  return field.filterType === "rdyn_string" ? field.offset + 4 + place : place;
}

/** Addresses of a stack stored with their number in front. */
function readStack(field: FilterField, { entry, offset, length }: FiredEvent): bigint[] {
  const start = entry.getUint16(offset + field.offset, true);
  const word = (index: number) => {
    const at = start + 8 * index;
    return at + 8 <= length ? entry.getBigUint64(offset + at, true) : 0n;
  };
  const count = Math.min(Number(word(0)), MAX_STACK);
  return Array.from({ length: count }, (_, index) => word(index + 1));
}

/** `HIST_STACKTRACE_DEPTH`. */
export const MAX_STACK = 16;
