/**
 * Growing bytes, and numbers and text written into them without a string or an object in between.
 * @module
 */

/** Bytes that {@link ByteWriter.reserve} keeps free beyond what was asked for. */
const SLACK = 8;

/** Bytes that grow at the end. Room must be reserved before it is written to. */
export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  /** Where the next byte goes; what is before it is written. */
  at = 0;

  constructor(capacity = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** What was written; valid until the next write. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  /** Makes room for `size` bytes more. */
  reserve(size: number): void {
    if (this.at + size + SLACK > this.bytes.length) this.#grow(this.at + size + SLACK);
  }

  clear(): void {
    this.at = 0;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, this.bytes.length * 2));
    grown.set(this.written);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Text that is written often, kept as 8-byte words: copying those is much faster than bytes. */
export interface Template {
  readonly words: Float64Array;
  /** Bytes of the text. */
  readonly length: number;
}

const encoder = new TextEncoder();

/** A template of `text`. */
export function template(text: string): Template {
  const bytes = encoder.encode(text);
  const words = new Float64Array(Math.ceil(bytes.length / 8));
  new Uint8Array(words.buffer).set(bytes);
  return { words, length: bytes.length };
}

/**
 * Writes a template; may touch up to seven bytes behind it.
 *
 * The words are floats because those are the widest numbers that cost no object. None is a NaN,
 * which an engine may change: that takes 0x7f or 0xff after a byte of 0xf0 or more, and UTF-8 has
 * neither there.
 */
export function putTemplate(out: ByteWriter, { words, length }: Template): void {
  const { view, at } = out;
  for (let i = 0; i < words.length; i++) view.setFloat64(at + i * 8, words[i]!, true);
  out.at = at + length;
}

/** Four decimal digits of 0 to 9999 as the bytes of one word. */
const FOUR_DIGITS = new Int32Array(10000);
const digitBytes = new Uint8Array(FOUR_DIGITS.buffer);
for (let n = 0; n < 10000; n++) {
  digitBytes.set(encoder.encode(String(n).padStart(4, "0")), n * 4);
}

const ZERO = 48;
const MINUS = 45;
const HUNDRED_MILLION = 100_000_000;

/** Writes `n`, 0 to 9999, without leading zeros; may touch up to three bytes behind it. */
function putSmall(out: ByteWriter, n: number): void {
  const digits = n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : 4;
  out.view.setInt32(out.at, FOUR_DIGITS[n]! >> ((4 - digits) << 3), true);
  out.at += digits;
}

/** Writes four digits of `n`, 0 to 9999. */
function putFour(out: ByteWriter, n: number): void {
  out.view.setInt32(out.at, FOUR_DIGITS[n]!, true);
  out.at += 4;
}

/** Writes eight digits of `n`, 0 to 99,999,999. */
function putEight(out: ByteWriter, n: number): void {
  // Dividing and cutting off is several times faster than the remainder operator.
  const high = (n / 10000) | 0;
  putFour(out, high);
  putFour(out, n - high * 10000);
}

/** Writes nine digits of `n`, 0 to 999,999,999. */
export function putNineDigits(out: ByteWriter, n: number): void {
  const first = (n / HUNDRED_MILLION) | 0;
  out.bytes[out.at++] = ZERO + first;
  putEight(out, n - first * HUNDRED_MILLION);
}

/** Writes `n`, 0 to 2^32 - 1. */
export function putUint32(out: ByteWriter, n: number): void {
  const rest = (n / 10000) | 0;
  if (rest === 0) {
    putSmall(out, n);
    return;
  }
  const top = (rest / 10000) | 0;
  if (top === 0) {
    putSmall(out, rest);
  } else {
    putSmall(out, top);
    putFour(out, rest - top * 10000);
  }
  putFour(out, n - rest * 10000);
}

/** Writes `n`, -2^31 to 2^31 - 1. */
export function putInt32(out: ByteWriter, n: number): void {
  if (n < 0) out.bytes[out.at++] = MINUS;
  putUint32(out, n < 0 ? -n : n);
}

/** Writes `n`, 0 to 2^53 - 1. */
function putSafeInteger(out: ByteWriter, n: number): void {
  if (n <= 0xffffffff) {
    putUint32(out, n);
    return;
  }
  // The quotient is rounded, so it may be one too large.
  const rounded = Math.floor(n / HUNDRED_MILLION);
  const rest = rounded * HUNDRED_MILLION > n ? rounded - 1 : rounded;
  putUint32(out, rest);
  putEight(out, n - rest * HUNDRED_MILLION);
}

/** Writes `high` * 2^32 + `low`, both 0 to 2^32 - 1. */
export function putUint64(out: ByteWriter, high: number, low: number): void {
  if (high < 0x200000) {
    putSafeInteger(out, high * 0x100000000 + low);
    return;
  }
  // Long division by 10^8, 16 bits at a time: what is carried stays below 2^43.
  const a = (high % HUNDRED_MILLION) * 65536 + (low >>> 16);
  const b = (a % HUNDRED_MILLION) * 65536 + (low & 0xffff);
  const quotient = Math.floor(high / HUNDRED_MILLION) * 0x100000000 +
    Math.floor(a / HUNDRED_MILLION) * 65536 + Math.floor(b / HUNDRED_MILLION);
  putSafeInteger(out, quotient);
  putEight(out, b % HUNDRED_MILLION);
}

/** Writes the two's complement of `high` * 2^32 + `low`, both 0 to 2^32 - 1. */
export function putInt64(out: ByteWriter, high: number, low: number): void {
  if (high < 0x80000000) {
    putUint64(out, high, low);
    return;
  }
  out.bytes[out.at++] = MINUS;
  const carry = low === 0 ? 1 : 0;
  putUint64(out, (~high + carry) >>> 0, -low >>> 0);
}
