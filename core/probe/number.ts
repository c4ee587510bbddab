import { DefinitionError } from "./error.ts";

const NUMBER = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/**
 * An integer as the kernel reads it (`kstrtol` with base 0, lib/kstrtox.c): decimal, `0x` for
 * hexadecimal, a leading `0` for octal; undefined for anything else.
 */
export function parseInteger(text: string): bigint | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, digits] = match;
  const octal = digits.length > 1 && digits[0] === "0" && /^[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits}` : digits);
  return sign === "-" ? -value : value;
}

/** Shortest form that {@link parseInteger} reads back: decimal, or hexadecimal where shorter. */
export function formatInteger(value: bigint): string {
  const size = value < 0n ? -value : value;
  const decimal = String(size);
  const hex = formatHex(size);
  return `${value < 0n ? "-" : ""}${hex.length < decimal.length ? hex : decimal}`;
}

/** `0x` and the digits, as offsets and addresses are written. `value` is not negative. */
export function formatHex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** The signed 64-bit number `digits`, which start at `offset` of `text`. */
export function requireSigned(text: string, offset: number, digits: string): bigint {
  return requireInteger(text, offset, digits, -(1n << 63n), (1n << 63n) - 1n);
}

/** The unsigned 64-bit number `digits`, which start at `offset` of `text`. */
export function requireUnsigned(text: string, offset: number, digits: string): bigint {
  return requireInteger(text, offset, digits, 0n, (1n << 64n) - 1n);
}

function requireInteger(
  text: string,
  offset: number,
  digits: string,
  least: bigint,
  most: bigint,
): bigint {
  const value = parseInteger(digits);
  if (value === undefined) {
    const hint = "Decimal, 0x for hexadecimal, a leading 0 for octal";
    throw new DefinitionError(`"${digits}" is not a number`, text, offset, hint);
  }
  if (value < least || value > most) {
    throw new DefinitionError(`${digits} is not within ${least} to ${most}`, text, offset);
  }
  return value;
}
