/**
 * Values of compiled expressions: what an entry gives for them. Integers have C's types, so that
 * they wrap and compare as the kernel's do.
 * @module
 */

import type { EntryBytes } from "../field.ts";

/** The entry that an expression is worked out for. */
export interface Entry {
  readonly source: EntryBytes;
  readonly start: number;
  readonly length: number;
}

/** An integer type: 4 or 8 bytes, as smaller ones are promoted before anything is done to them. */
export interface IntegerType {
  readonly size: 4 | 8;
  readonly signed: boolean;
}

/** Bytes inside an entry. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A compiled expression, by what it gives. */
export type Compiled =
  | {
    readonly kind: "integer";
    readonly type: IntegerType;
    /** The field whose value this is, however it was cast. */
    readonly field?: string;
    get(entry: Entry): bigint;
  }
  /** Text; null where the kernel could not read it. */
  | { readonly kind: "text"; get(entry: Entry): string | null }
  /** An array, or memory that something points to inside the entry. */
  | {
    readonly kind: "span";
    readonly elementSize: number;
    readonly signed: boolean;
    get(entry: Entry): Span;
  };

export type CompiledInteger = Extract<Compiled, { kind: "integer" }>;
export type CompiledText = Extract<Compiled, { kind: "text" }>;
export type CompiledSpan = Extract<Compiled, { kind: "span" }>;

export const INT: IntegerType = { size: 4, signed: true };
export const UNSIGNED_LONG: IntegerType = { size: 8, signed: false };

/** `value` as it is in an integer of `type`. */
export function wrap(value: bigint, { size, signed }: { size: number; signed: boolean }): bigint {
  return signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value);
}

/** An integer that is always the same. */
export function constant(value: bigint, type: IntegerType): CompiledInteger {
  const wrapped = wrap(value, type);
  return { kind: "integer", type, get: () => wrapped };
}

/** What an operand of `size` bytes is promoted to. */
export function promoted(size: number, signed: boolean): IntegerType {
  if (size < 4) return INT;
  return { size: size === 8 ? 8 : 4, signed };
}

/** The type in which two operands are brought together (C11 6.3.1.8). */
export function commonType(a: IntegerType, b: IntegerType): IntegerType {
  if (a.size !== b.size) return a.size > b.size ? a : b;
  return a.signed ? b : a;
}
