/** Numbers as the files of tracefs take them. */
import { KernelError } from "../../../../core/kernel/error.ts";

/** Characters that are looked at (`kstrtoul_from_user`, lib/kstrtox.c): a sign, 64 digits, a line end. */
const MAX_TEXT = 66;

/**
 * A decimal number, with `+` in front and one line end behind it at most.
 *
 * @throws {KernelError} EINVAL if it is none, ERANGE from 2^64 on
 */
export function parseUlong(text: string): bigint {
  const end = text.indexOf("\0");
  const seen = (end < 0 ? text : text.slice(0, end)).slice(0, MAX_TEXT);
  const digits = /^\+?(\d+)/.exec(seen);
  if (digits === null) throw new KernelError("EINVAL", "write");
  const value = BigInt(digits[1]);
  if (value >= 1n << 64n) throw new KernelError("ERANGE", "write");
  if (!/^\n?$/.test(seen.slice(digits[0].length))) throw new KernelError("EINVAL", "write");
  return value;
}

/** 0 or 1. @throws {KernelError} as {@link parseUlong}, EINVAL for another number */
export function parseSwitch(text: string): boolean {
  const value = parseUlong(text);
  if (value > 1n) throw new KernelError("EINVAL", "write");
  return value === 1n;
}
