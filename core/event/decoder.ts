/**
 * Decoders: made once for each event format, they read fields straight from the bytes of a page.
 *
 * They are built of closures, as the shipped binary does not allow code to be made from strings.
 * @module
 */

import {
  dynamicFits,
  dynamicStart,
  type EntryBytes,
  type Field,
  type FieldValue,
  inlineEnd,
  isProbeField,
  leastLength,
  planField,
} from "./field.ts";
import type { EventFormat } from "./format.ts";

/** Offset of `common_pid`, the thread, in every entry (struct trace_entry). */
export const TID_OFFSET = 4;
/** Bytes of struct trace_entry. */
export const COMMON_SIZE = 8;

/** A field that can be read. The entry must have passed {@link Decoder.fits}. */
export interface FieldReader {
  readonly field: Field;
  /** Value of the field in the entry of `length` bytes at `start`. */
  read(source: EntryBytes, start: number, length: number): FieldValue;
}

/** Named values of an entry. */
export type Args = Readonly<Record<string, FieldValue>>;

/** What reads the entries of one event. */
export interface Decoder {
  readonly format: EventFormat;
  /** What the event carries, in the order of the format. */
  readonly args: readonly FieldReader[];
  /** Where a probe sits: `__probe_ip`, or `__probe_func` and `__probe_ret_ip`. */
  readonly probe: readonly FieldReader[];
  /** The field called `name`: one of the event's, the probe's or the common ones. */
  find(name: string): FieldReader | undefined;
  /** Whether all fields of an entry lie inside it. */
  fits(source: EntryBytes, start: number, length: number): boolean;
  /** All of {@link args} by name. */
  decodeArgs(source: EntryBytes, start: number, length: number): Args;
}

/** Compiles the decoder of a format. */
export function compileDecoder(format: EventFormat): Decoder {
  const readers = format.fields.map((field) => readerOf(planField(field, format)));
  const common = format.common.map((field) => readerOf(planField(field, format)));
  const args = readers.filter(({ field }) => !isProbeField(field.name));
  const byName = new Map([...common, ...readers].map((reader) => [reader.field.name, reader]));
  const least = Math.max(COMMON_SIZE, leastLength(readers.map(({ field }) => field)));
  const dynamic = readers.map(({ field }) => field).filter(({ place }) => place !== "inline");
  return {
    format,
    args,
    probe: readers.filter(({ field }) => isProbeField(field.name)),
    find: (name) => byName.get(name),
    fits: fitsCheck(least, dynamic),
    decodeArgs(source, start, length) {
      const values: Record<string, FieldValue> = {};
      for (const { field, read } of args) put(values, field.name, read(source, start, length));
      return values;
    },
  };
}

/** Sets a property of its own, also for the name `__proto__`. */
function put(values: Record<string, FieldValue>, name: string, value: FieldValue): void {
  if (name !== "__proto__") values[name] = value;
  else Object.defineProperty(values, name, { value, enumerable: true, configurable: true });
}

function fitsCheck(least: number, dynamic: readonly Field[]): Decoder["fits"] {
  if (dynamic.length === 0) return (_source, _start, length) => length >= least;
  return ({ view }, start, length) => {
    if (length < least) return false;
    for (const field of dynamic) if (!allFit(view, field, start, length)) return false;
    return true;
  };
}

function allFit(view: DataView, field: Field, start: number, length: number): boolean {
  const first = start + field.offset;
  for (let at = first; at + 4 <= first + field.size; at += 4) {
    if (!dynamicFits(view, field, at, start, length)) return false;
  }
  return true;
}

type Read = FieldReader["read"];

function readerOf(field: Field): FieldReader {
  return { field, read: readOf(field) };
}

function readOf(field: Field): Read {
  const element = readInteger(field.elementSize, field.signed);
  switch (field.kind) {
    case "int":
      return ({ view }, start) => element(view, start + field.offset);
    case "string":
      return field.place === "inline" ? inlineString(field) : dynamicString(field);
    case "strings":
      return dynamicStrings(field);
    case "array":
    case "bytes":
      return field.place === "inline" ? inlineArray(field, element) : dynamicArray(field, element);
  }
}

type ReadInteger = (view: DataView, at: number) => number | bigint;

function readInteger(size: number, signed: boolean): ReadInteger {
  switch (size) {
    case 8:
      return signed
        ? (view, at) => view.getBigInt64(at, true)
        : (view, at) => view.getBigUint64(at, true);
    case 4:
      return signed
        ? (view, at) => view.getInt32(at, true)
        : (view, at) => view.getUint32(at, true);
    case 2:
      return signed
        ? (view, at) => view.getInt16(at, true)
        : (view, at) => view.getUint16(at, true);
    default:
      return signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at);
  }
}

function inlineString(field: Field): Read {
  return ({ bytes }, start, length) =>
    text(bytes, start + field.offset, inlineEnd(field, start, length));
}

function dynamicString(field: Field): Read {
  return (source, start) => textAt(source, field, start + field.offset, start);
}

function dynamicStrings(field: Field): Read {
  return (source, start) => {
    const first = start + field.offset;
    const values: FieldValue[] = [];
    for (let at = first; at + 4 <= first + field.size; at += 4) {
      values.push(textAt(source, field, at, start));
    }
    return values;
  };
}

/** The string whose u32 is at `at`; length 0 is a fault, as a string has at least its NUL. */
function textAt({ bytes, view }: EntryBytes, field: Field, at: number, start: number) {
  const size = view.getUint16(at + 2, true);
  if (size === 0) return null;
  const from = dynamicStart(view, field, at, start);
  return text(bytes, from, from + size);
}

function inlineArray(field: Field, element: ReadInteger): Read {
  return ({ view }, start, length) =>
    integers(view, start + field.offset, inlineEnd(field, start, length), field, element);
}

function dynamicArray(field: Field, element: ReadInteger): Read {
  return ({ view }, start) => {
    const at = start + field.offset;
    const from = dynamicStart(view, field, at, start);
    return integers(view, from, from + view.getUint16(at + 2, true), field, element);
  };
}

function integers(view: DataView, from: number, end: number, field: Field, element: ReadInteger) {
  const values: FieldValue[] = [];
  for (let at = from; at + field.elementSize <= end; at += field.elementSize) {
    values.push(element(view, at));
  }
  return values;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** UTF-8 up to a NUL or `end`; what is no UTF-8 becomes U+FFFD. */
function text(bytes: Uint8Array, start: number, end: number): string {
  const nul = bytes.subarray(start, end).indexOf(0);
  return utf8.decode(bytes.subarray(start, nul < 0 ? end : start + nul));
}
