/**
 * Reading values out of an entry's bytes.
 * @module
 */

import type { EntryBytes } from "../field.ts";
import type { Span } from "./value.ts";

/** The integer of `size` bytes at `at`. */
export function bigintOf(view: DataView, at: number, size: number, signed: boolean): bigint {
  switch (size) {
    case 8:
      return signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
    case 4:
      return BigInt(signed ? view.getInt32(at, true) : view.getUint32(at, true));
    case 2:
      return BigInt(signed ? view.getInt16(at, true) : view.getUint16(at, true));
    default:
      return BigInt(signed ? view.getInt8(at) : view.getUint8(at));
  }
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** UTF-8 up to a NUL or the end of `span`. */
export function textAt({ bytes }: EntryBytes, { start, end }: Span): string {
  const part = bytes.subarray(start, end);
  const nul = part.indexOf(0);
  return utf8.decode(nul < 0 ? part : part.subarray(0, nul));
}

/** The bytes of `span`, at most `limit`; not a copy. */
export function bytesAt({ bytes }: EntryBytes, { start, end }: Span, limit = Infinity): Uint8Array {
  return bytes.subarray(start, Math.max(start, Math.min(end, start + limit)));
}
