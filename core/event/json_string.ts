/**
 * JSON strings written straight from bytes that are meant to be UTF-8. What is not becomes
 * U+FFFD, as a TextDecoder has it (https://encoding.spec.whatwg.org/#utf-8-decoder).
 * @module
 */

import type { ByteWriter } from "./bytes.ts";
import type { EntryBytes } from "./field.ts";

/** The most bytes that one byte of text becomes: `\u0001`. */
export const MAX_ESCAPED = 6;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = new TextEncoder().encode("0123456789abcdef");

/** Second character of the short escapes, by the byte they stand for. */
const SHORT_ESCAPES = new Uint8Array(128);
for (const [byte, letter] of [[8, "b"], [9, "t"], [10, "n"], [12, "f"], [13, "r"]] as const) {
  SHORT_ESCAPES[byte] = letter.charCodeAt(0);
}
SHORT_ESCAPES[QUOTE] = QUOTE;
SHORT_ESCAPES[BACKSLASH] = BACKSLASH;

/** Writes the text from `start` up to a NUL or `end` as a JSON string, quotes included. */
export function putJsonString(
  out: ByteWriter,
  source: EntryBytes,
  start: number,
  end: number,
): void {
  out.reserve(Math.max(0, end - start) * MAX_ESCAPED + 2);
  const { bytes } = out;
  const from = source.bytes;
  let at = start;
  let to = out.at;
  bytes[to++] = QUOTE;
  for (;;) {
    const plain = copyPlain(out.view, to, source.view, at, end);
    at += plain;
    to += plain;
    const byte = at < end ? from[at]! : 0;
    if (byte === 0) break;
    if (byte < 0x80) {
      at++;
      to = putAscii(bytes, to, byte);
      continue;
    }
    const size = sequenceLength(from, at, end);
    if (size > 0) {
      for (let i = 0; i < size; i++) bytes[to++] = from[at++]!;
    } else {
      to = putReplacement(bytes, to);
      at -= size;
    }
  }
  bytes[to++] = QUOTE;
  out.at = to;
}

/**
 * Copies four bytes at a time while none of them is a control character, a quote, a backslash or
 * beyond ASCII; the number of bytes. A byte's top bit tells: a subtraction sets it where the byte
 * is smaller than what is taken away.
 */
function copyPlain(
  to: DataView,
  toStart: number,
  from: DataView,
  start: number,
  end: number,
): number {
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = from.getInt32(at, true);
    const quote = word ^ 0x22222222;
    const backslash = word ^ 0x5c5c5c5c;
    const special = word | (word - 0x20202020) | (quote - 0x01010101) | (backslash - 0x01010101);
    if ((special & 0x80808080) !== 0) break;
    to.setInt32(toStart + at - start, word, true);
  }
  return at - start;
}

/** Writes one character of ASCII, escaped if it has to be; where the next one goes. */
function putAscii(bytes: Uint8Array, at: number, byte: number): number {
  if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
    bytes[at] = byte;
    return at + 1;
  }
  bytes[at] = BACKSLASH;
  const short = SHORT_ESCAPES[byte]!;
  if (short !== 0) {
    bytes[at + 1] = short;
    return at + 2;
  }
  bytes[at + 1] = 0x75;
  bytes[at + 2] = 0x30;
  bytes[at + 3] = 0x30;
  bytes[at + 4] = HEX[byte >> 4]!;
  bytes[at + 5] = HEX[byte & 15]!;
  return at + 6;
}

/** Writes U+FFFD. */
function putReplacement(bytes: Uint8Array, at: number): number {
  bytes[at] = 0xef;
  bytes[at + 1] = 0xbf;
  bytes[at + 2] = 0xbd;
  return at + 3;
}

/**
 * Bytes of the UTF-8 sequence at `at`, whose first byte is 0x80 or more; negative where it is none:
 * so many bytes are one error.
 */
function sequenceLength(source: Uint8Array, at: number, end: number): number {
  const lead = source[at]!;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte leaves out overlong forms, surrogates and what is above U+10FFFF.
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < size; i++) {
    const next = at + i < end ? source[at + i]! : 0;
    if (next < low || next > high) return -i;
    low = 0x80;
    high = 0xbf;
  }
  return size;
}
