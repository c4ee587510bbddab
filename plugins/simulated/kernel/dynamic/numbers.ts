/**
 * Numbers as the kernel reads them: `kstrtoul` and its kind, and the lenient
 * `simple_strtoul` (lib/kstrtox.c, lib/vsprintf.c).
 * @module
 */

/** Why a text is no number. */
export type NumberError = "EINVAL" | "ERANGE";

/** Number base; 0 takes it from the text: `0x` is 16, a leading `0` is 8, else 10. */
export type Base = 0 | 10;

const U64_END = 1n << 64n;
const S64_END = 1n << 63n;

const DIGITS = { 8: /^[0-7]*/, 10: /^[0-9]*/, 16: /^[0-9a-fA-F]*/ } as const;
const PREFIX = { 8: "0o", 10: "", 16: "0x" } as const;

function radixOf(text: string, base: Base): 8 | 10 | 16 {
  if (base === 10 || !text.startsWith("0")) return 10;
  return /^0[xX][0-9a-fA-F]/.test(text) ? 16 : 8;
}

function digitsOf(text: string, radix: 8 | 10 | 16): string {
  return DIGITS[radix].exec(text)?.[0] ?? "";
}

function parseMagnitude(text: string, base: Base): bigint | NumberError {
  const radix = radixOf(text, base);
  const start = radix === 16 ? 2 : 0;
  const digits = digitsOf(text.slice(start), radix);
  if (digits === "") return "EINVAL";
  const value = BigInt(PREFIX[radix] + digits);
  if (value >= U64_END) return "ERANGE";
  const rest = text.slice(start + digits.length);
  return rest === "" || rest === "\n" ? value : "EINVAL";
}

/**
 * An unsigned number that fills all of `text`; a leading `+` is allowed.
 *
 * @param limit the first value that is out of range, 2^64 unless given
 */
export function parseUnsigned(
  text: string,
  base: Base,
  limit: bigint = U64_END,
): bigint | NumberError {
  const value = parseMagnitude(text.startsWith("+") ? text.slice(1) : text, base);
  return typeof value === "bigint" && value >= limit ? "ERANGE" : value;
}

/** A signed 64-bit number that fills all of `text`; one leading `+` or `-` is allowed. */
export function parseSigned(text: string, base: Base): bigint | NumberError {
  if (!text.startsWith("-")) return parseUnsigned(text, base, S64_END);
  const value = parseMagnitude(text.slice(1), base);
  if (typeof value === "string") return value;
  return value > S64_END ? "ERANGE" : -value;
}

/** The number that `text` starts with, modulo 2^64, and what follows it; no digits read as 0. */
export function scanUnsigned(text: string, base: Base): { value: bigint; rest: string } {
  const radix = radixOf(text, base);
  const start = radix === 16 ? 2 : 0;
  const digits = digitsOf(text.slice(start), radix);
  const value = digits === "" ? 0n : BigInt.asUintN(64, BigInt(PREFIX[radix] + digits));
  return { value, rest: text.slice(start + digits.length) };
}
