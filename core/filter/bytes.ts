/**
 * The kernel's view of text: bytes, classified as include/linux/ctype.h does.
 *
 * A "byte string" holds one byte in each character, so that its indexes are the
 * kernel's. For ASCII text it is the text itself.
 * @module
 */
import { Buffer } from "node:buffer";

// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** The byte string of `text` in UTF-8, cut at the first NUL as a C string is. */
export function toByteString(text: string): string {
  const bytes = ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
  const end = bytes.indexOf("\0");
  return end < 0 ? bytes : bytes.slice(0, end);
}

/** The text that a byte string is the UTF-8 of. */
export function fromByteString(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

/** The index in the text of byte `at` of its byte string. */
export function textOffset(bytes: string, at: number): number {
  return fromByteString(bytes.slice(0, at)).length;
}

/** The bytes of a byte string. */
export function bytesOf(bytes: string): Uint8Array {
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

/** Whether `character` is white space to the kernel: also the byte 0xa0 (lib/ctype.c). */
export function isSpace(character: string | undefined): boolean {
  return character !== undefined && /^[\t-\r \xa0]$/.test(character);
}

/** Whether `character` is a decimal digit. */
export function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

/** Whether `character` is a letter or digit to the kernel, whose letters are those of Latin-1. */
export function isAlphanumeric(character: string | undefined): boolean {
  return character !== undefined && /^[0-9A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]$/.test(character);
}

/** `text` without the white space at its end, as `strim()` leaves it (lib/string_helpers.c). */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end--;
  return text.slice(0, end);
}
