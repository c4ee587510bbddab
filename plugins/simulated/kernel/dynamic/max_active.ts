import { startsWithDigit } from "./ctype.ts";
import { parseUnsigned } from "./numbers.ts";
import type { ProbeLog } from "./probe_log.ts";

/** Longest number that the kernel has a buffer for. */
const MAX_DIGITS = 63;
/** `KRETPROBE_MAXACTIVE_MAX`, `RETHOOK_MAXACTIVE_MAX`. */
const MAX_ACTIVE = 4096n;

/** The text after the first `:` of a definition's first word, and where it starts; nothing without one. */
export function nameIn(
  word: string,
): { readonly text: string; readonly start: number } | undefined {
  const colon = word.indexOf(":", 1);
  return colon < 0 ? undefined : { text: word.slice(colon + 1), start: colon + 1 };
}

/** Whether a number stands behind the letter of a definition, as in `r10:name`. */
export function hasMaxActive(word: string): boolean {
  return startsWithDigit(word.slice(1));
}

/**
 * The number of `r10:name`, 1 to 4096; 0 if there is none. Other text before the
 * `:` is ignored.
 *
 * @throws {KernelError} EINVAL if it is no such number
 */
export function parseMaxActive(word: string, log: ProbeLog): number {
  if (!hasMaxActive(word)) return 0;
  const end = word.indexOf(":", 1);
  const digits = word.slice(1, end < 0 ? undefined : end);
  const value = digits.length > MAX_DIGITS ? "EINVAL" : parseUnsigned(digits, 0, 1n << 32n);
  if (typeof value === "string" || value === 0n) log.fail(1, "BAD_MAXACT");
  if (value > MAX_ACTIVE) log.fail(1, "MAXACT_TOO_BIG");
  return Number(value);
}
