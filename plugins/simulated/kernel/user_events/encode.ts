/**
 * Payloads as a program makes them, from values by field name.
 * @module
 */
import type { EventField } from "../event_field.ts";
import { fromText, toBytes, toText } from "./byte_string.ts";
import { ENTRY_HEADER } from "./layout.ts";

/** What a field can be given: integers, or text and bytes for arrays, structs and dynamic data. */
export type FieldValue = bigint | number | string | Uint8Array;

/** The highest size and offset of dynamic data: a location word has 16 bits for each. */
const MAX_DYNAMIC = 0xffff;

/** Entries are never larger, so fields that need more cannot be written. */
const MAX_FIXED = 0xffff;

/**
 * The payload of an event with these fields. Fields without a value are zero or empty. Dynamic
 * data comes behind all fields, text with a NUL.
 *
 * @param values by field name; text is written in UTF-8
 * @throws RangeError for a name that no field has, and for a value that does not fit its field
 */
export function encodePayload(
  fields: readonly EventField[],
  values: Readonly<Record<string, FieldValue>>,
): Uint8Array {
  const names = new Set(fields.map((field) => toText(field.name)));
  const stranger = Object.keys(values).find((name) => !names.has(name));
  if (stranger !== undefined) throw new RangeError(`The event has no field "${stranger}"`);
  const size = Math.max(ENTRY_HEADER, ...fields.map((field) => field.offset + field.size));
  if (size > MAX_FIXED) throw new RangeError(`Fields of ${size} bytes fit into no record`);

  const entry = new Uint8Array(size);
  const tail: number[] = [];
  for (const field of fields) {
    const value = values[toText(field.name)];
    if (/^__(data|rel)_loc /.test(field.type)) {
      const data = dynamicBytes(field, value);
      // `__data_loc` counts from the start of the entry, common fields included.
      const base = field.type.startsWith("__rel_loc ") ? field.offset + 4 : 0;
      const start = size + tail.length - base;
      if (start > MAX_DYNAMIC || data.length > MAX_DYNAMIC) misfit(field, `${data.length} bytes`);
      new DataView(entry.buffer).setUint32(field.offset, data.length << 16 | start, true);
      tail.push(...data);
    } else if (value !== undefined) {
      entry.set(fixedBytes(field, value), field.offset);
    }
  }
  return Uint8Array.from([...entry.subarray(ENTRY_HEADER), ...tail]);
}

function dynamicBytes(field: EventField, value: FieldValue = new Uint8Array()): Uint8Array {
  if (typeof value === "number" || typeof value === "bigint") misfit(field, `${value}`);
  const data = typeof value === "string" ? toBytes(fromText(value)) : value;
  if (!field.type.includes("char") || data.at(-1) === 0) return data;
  return Uint8Array.from([...data, 0]);
}

function fixedBytes(field: EventField, value: FieldValue): Uint8Array {
  if (typeof value === "string" || value instanceof Uint8Array) {
    const bytes = typeof value === "string" ? toBytes(fromText(value)) : value;
    if (bytes.length > field.size) misfit(field, `${bytes.length} bytes`);
    return bytes;
  }
  const isInteger = typeof value === "bigint" || Number.isInteger(value);
  if (!isInteger || /\[|^struct /.test(field.type)) misfit(field, `${value}`);
  const integer = BigInt(value);
  const bits = field.size * 8;
  const kept = field.signed ? BigInt.asIntN(bits, integer) : BigInt.asUintN(bits, integer);
  if (kept !== integer) misfit(field, `${value}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, integer), true);
  return bytes.subarray(0, field.size);
}

function misfit(field: EventField, what: string): never {
  throw new RangeError(`Field "${toText(field.type)} ${toText(field.name)}" cannot take ${what}`);
}
