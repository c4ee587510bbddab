import type { FiredEvent, TriggerHost } from "../host.ts";
import type { HistData } from "./data.ts";
import { evaluate, type HistValue, MAX_STACK } from "./evaluate.ts";
import { FLAG, type HistField } from "./field.ts";

/** The key of the entry that an event belongs to: the values of the key fields one after another. */
export function keyOf(hist: HistData, fired: FiredEvent, host: TriggerHost): Uint8Array {
  const key = new Uint8Array(hist.keySize);
  for (const field of hist.keys) putKey(key, field, keyValue(field, fired, host), fired);
  return key;
}

function keyValue(field: HistField, fired: FiredEvent, host: TriggerHost): HistValue {
  if ((field.flags & FLAG.STACKTRACE) !== 0 && field.field === undefined) {
    return (fired.context.stack ?? []).slice(0, MAX_STACK);
  }
  return evaluate(field, { fired, host, references: [] });
}

function putKey(key: Uint8Array, field: HistField, value: HistValue, fired: FiredEvent): void {
  if (typeof value === "string") {
    const room = Math.min(stringRoom(field, fired), field.size - 1);
    for (let i = 0; i < Math.min(value.length, room); i++) {
      key[field.offset + i] = value.charCodeAt(i);
    }
    return;
  }
  const words = typeof value === "bigint" ? [value] : value;
  const view = new DataView(key.buffer, key.byteOffset + field.offset, field.size);
  for (const [i, word] of words.entries()) view.setBigUint64(8 * i, word, true);
}

/** Bytes that a string has in the event, its NUL included. */
function stringRoom({ field }: HistField, { entry, offset }: FiredEvent): number {
  if (field === undefined) return Infinity;
  if (field.filterType === "static_string") return field.size;
  return entry.getUint16(offset + field.offset + 2, true);
}

/** The integer that a key holds for `field`. */
export function keyInteger(key: Uint8Array, field: HistField): bigint {
  return new DataView(key.buffer, key.byteOffset).getBigUint64(field.offset, true);
}

/** The string that a key holds for `field`, one character a byte. */
export function keyString(key: Uint8Array, field: HistField): string {
  const bytes = key.subarray(field.offset, field.offset + field.size);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

/** The addresses that a key holds for `field`. */
export function keyStack(key: Uint8Array, field: HistField): bigint[] {
  const view = new DataView(key.buffer, key.byteOffset + field.offset);
  const addresses = Array.from({ length: MAX_STACK }, (_, i) => view.getBigUint64(8 * i, true));
  const end = addresses.indexOf(0n);
  return end < 0 ? addresses : addresses.slice(0, end);
}
