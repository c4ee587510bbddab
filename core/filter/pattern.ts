/**
 * How filters compare strings: whole, at the front, in the middle, at the end, or
 * as a glob (`filter_parse_regex()` and `regex_match_*()`,
 * kernel/trace/trace_events_filter.c).
 * @module
 */

import { bytesOf, isDigit, toByteString } from "./bytes.ts";
import { matchGlob } from "./glob.ts";

/** A string operand, ready to compare. */
export interface Pattern {
  readonly kind: "full" | "front" | "middle" | "end" | "glob";
  /** What is compared: the operand, without the `*` of the kinds that need none. */
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Whether a string that matches fails. */
  readonly negated: boolean;
}

/** Bytes to compare: those of `data` from `start`. */
export interface StringBytes {
  readonly data: Uint8Array;
  readonly start: number;
  /** Bytes of the string with its NUL; 0 if it is known by its NUL alone. */
  readonly length: number;
}

/** The pattern of `field operator "operand"`. */
export function compilePattern(operator: "==" | "!=" | "~", operand: string): Pattern {
  if (operator !== "~") return makePattern("full", operand, operator === "!=");
  const negated = operand.startsWith("!");
  const glob = negated ? operand.slice(1) : operand;
  // A glob that starts with a digit is taken literally.
  if (isDigit(glob[0])) return makePattern("full", glob, negated);
  const open = glob.startsWith("*");
  const closed = glob.length > 1 && glob.endsWith("*");
  const inner = glob.slice(open ? 1 : 0, closed ? -1 : undefined);
  if (/[*?[\\]/.test(inner)) return makePattern("glob", glob, negated);
  const kind = open ? (closed ? "middle" : "end") : (closed ? "front" : "full");
  return makePattern(kind, inner, negated);
}

function makePattern(kind: Pattern["kind"], text: string, negated: boolean): Pattern {
  return { kind, text, bytes: bytesOf(toByteString(text)), negated };
}

/** Whether a string fits a pattern, `negated` included. */
export function matchPattern(pattern: Pattern, string: StringBytes): boolean {
  return compare(pattern, string) !== pattern.negated;
}

/** The same for a string of this program, up to its NUL if it has one. */
export function matchText(pattern: Pattern, value: string): boolean {
  const end = value.indexOf("\0");
  return compareText(pattern, end < 0 ? value : value.slice(0, end)) !== pattern.negated;
}

function compareText({ kind, text, bytes }: Pattern, value: string): boolean {
  switch (kind) {
    case "full":
      return value === text;
    case "front":
      return value.startsWith(text);
    case "middle":
      return value.includes(text);
    case "end":
      return value.endsWith(text);
    case "glob":
      return matchGlob(bytes, bytesOf(toByteString(value)));
  }
}

function compare({ kind, bytes }: Pattern, { data, start, length }: StringBytes): boolean {
  switch (kind) {
    case "full":
      return (length === 0 || length >= bytes.length) &&
        equalStrings(data, start, bytes, length === 0 ? Infinity : length);
    case "front":
      return (length === 0 || length >= bytes.length) &&
        equalStrings(data, start, bytes, bytes.length);
    case "middle":
      return includes(data, start, length === 0 ? lengthOf(data, start) : length, bytes);
    case "end":
      return length > bytes.length &&
        equalBytes(data, start + length - 1 - bytes.length, bytes);
    case "glob":
      return matchGlob(bytes, data.subarray(start, start + length));
  }
}

/** `strncmp(data + start, pattern, limit) == 0`. */
function equalStrings(data: Uint8Array, start: number, pattern: Uint8Array, limit: number) {
  for (let i = 0; i < limit; i++) {
    const byte = data[start + i] ?? 0;
    if (byte !== (pattern[i] ?? 0)) return false;
    if (byte === 0) return true;
  }
  return true;
}

/** `memcmp(data + start, pattern) == 0`. */
function equalBytes(data: Uint8Array, start: number, pattern: Uint8Array): boolean {
  for (let i = 0; i < pattern.length; i++) {
    if ((data[start + i] ?? 0) !== pattern[i]) return false;
  }
  return true;
}

/** `strnstr()` of the kernel: it does not stop at a NUL. */
function includes(data: Uint8Array, start: number, length: number, pattern: Uint8Array): boolean {
  for (let i = 0; i + pattern.length <= length; i++) {
    if (equalBytes(data, start + i, pattern)) return true;
  }
  return false;
}

function lengthOf(data: Uint8Array, start: number): number {
  const end = data.indexOf(0, start);
  return (end < 0 ? data.length : end) - start;
}
