/**
 * Integers as the kernel reads them: `kstrtoull()` and `kstrtoll()` with base 0
 * (lib/kstrtox.c): `0x` is hexadecimal, a leading `0` octal, the rest decimal.
 * @module
 */

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const S64_MAX = 0x7fff_ffff_ffff_ffffn;

/** The value of `text` from 0 to 2^64-1, or `undefined` where `kstrtoull()` refuses it. */
export function parseUnsigned(text: string): bigint | undefined {
  const digits = (text.startsWith("+") ? text.slice(1) : text).replace(/\n$/, "");
  const value = magnitude(digits);
  return value === undefined || value > U64_MAX ? undefined : value;
}

/** The value of `text` from -2^63 to 2^63-1, or `undefined` where `kstrtoll()` refuses it. */
export function parseSigned(text: string): bigint | undefined {
  if (!text.startsWith("-")) {
    const value = parseUnsigned(text);
    return value === undefined || value > S64_MAX ? undefined : value;
  }
  const value = magnitude(text.slice(1).replace(/\n$/, ""));
  return value === undefined || value > S64_MAX + 1n ? undefined : -value;
}

function magnitude(digits: string): bigint | undefined {
  if (/^0x[0-9a-f]+$/i.test(digits)) return BigInt(`0x${digits.slice(2)}`);
  if (/^0[0-7]*$/.test(digits)) return BigInt(`0o${digits}`);
  if (/^[1-9][0-9]*$/.test(digits)) return BigInt(digits);
  return undefined;
}
