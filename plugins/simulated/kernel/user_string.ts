import type { AddressSpace } from "./memory.ts";

/** Bytes that are looked at in one go. */
const STEP = 64;

/**
 * A string in a process's memory, one character a byte, without its NUL (`strndup_user`).
 *
 * @param limit bytes it may have, the NUL among them
 * @returns `fault` where it cannot be read to its end, `too long` if that is beyond `limit`
 */
export function readUserString(
  memory: AddressSpace,
  address: bigint,
  limit: number,
): { readonly text: string } | "fault" | "too long" {
  let text = "";
  while (text.length < limit) {
    const at = address + BigInt(text.length);
    const wanted = Math.min(STEP, limit - text.length);
    const bytes = memory.read(at, wanted) ?? memory.read(at, 1);
    if (bytes === null) return "fault";
    const end = bytes.indexOf(0);
    text += String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
    if (end >= 0) return { text };
  }
  return "too long";
}
