/**
 * C strings as JavaScript strings: one character, 0 to 255, stands for one byte.
 *
 * user_events takes any bytes as names, and hashes, splits and compares bytes. Text that is
 * not ASCII would lose that: the kernel takes the byte 0xA0 for white space, which is part of
 * the UTF-8 of "à".
 * @module
 */

/** The bytes as a byte string. */
export function fromBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes of a byte string; only the low eight bits of each character count. */
export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A byte string of `text` in UTF-8. */
export function fromText(text: string): string {
  return fromBytes(new TextEncoder().encode(text));
}

/** What a byte string says in UTF-8; bytes that are no UTF-8 become U+FFFD. */
export function toText(text: string): string {
  return new TextDecoder().decode(toBytes(text));
}

/** The part before the first NUL. */
export function untilNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
