/**
 * The hash that decides the listing order of user_events.
 *
 * Sources: `jhash` in include/linux/jhash.h (Bob Jenkins' lookup3), `hash_32` in
 * include/linux/hash.h.
 * @module
 */

const GOLDEN_RATIO_32 = 0x61c88647;

/** Jenkins' lookup3 hash of a byte string with the initial value 0; 0 to 2^32 - 1. */
export function jhash(key: string): number {
  let a = (0xdeadbeef + key.length) | 0;
  let b = a;
  let c = a;
  const word = (at: number) =>
    byte(key, at) | byte(key, at + 1) << 8 | byte(key, at + 2) << 16 | byte(key, at + 3) << 24;

  let at = 0;
  for (; key.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  if (key.length === at) return c >>> 0;

  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

/** The bucket, 0 to 255, that a name falls into. */
export function bucketOf(name: string): number {
  return Math.imul(jhash(name), GOLDEN_RATIO_32) >>> 24;
}

function byte(key: string, at: number): number {
  return at < key.length ? key.charCodeAt(at) & 0xff : 0;
}

function rotate(value: number, bits: number): number {
  return value << bits | value >>> (32 - bits);
}
