/** A user_event that has a field of each kind that filters know, and random data for it. */
import fc from "fast-check";

/** `id` tells the events apart in the trace. */
export const PAYLOAD_EVENT = {
  name: "filtered",
  definition: "filtered u32 id; u8 a; s8 b; u16 c; s16 d; u32 e; s32 f; u64 g; s64 h; " +
    "char[8] s; unsigned char[4] t; __rel_loc char[] r; __data_loc char[] y",
} as const;

/** Bytes of the common fields and of the fixed part of the payload. */
const COMMON = 8;
const FIXED = 4 + 1 + 1 + 2 + 2 + 4 + 4 + 8 + 8 + 8 + 4 + 4 + 4;

const integer = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }),
  fc.constantFrom(255n, 256n, 127n, 128n, 65535n, 0xffff_ffffn, 1n << 63n),
);
const letters = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."ab1*?[]!-\\ "), maxLength });

/** The payload of one event with the given `id`, valid to the kernel. */
export function payload(id: number): fc.Arbitrary<Uint8Array> {
  const values = fc.array(integer, { minLength: 8, maxLength: 8 });
  return fc.tuple(values, letters(8), letters(4), letters(6), letters(6))
    .map(([integers, s, t, r, y]) => encode(id, integers, s, t, r, y));
}

function encode(
  id: number,
  integers: readonly bigint[],
  s: string,
  t: string,
  r: string,
  y: string,
): Uint8Array {
  const data = Buffer.alloc(FIXED + r.length + 1 + y.length + 1);
  let at = data.writeUInt32LE(id, 0);
  for (const [index, size] of [1, 1, 2, 2, 4, 4, 8, 8].entries()) {
    const value = BigInt.asUintN(64, integers[index]);
    for (let byte = 0; byte < size; byte++) {
      data[at++] = Number(value >> BigInt(8 * byte) & 0xffn);
    }
  }
  data.write(s, at, 8, "latin1");
  data.write(t, at + 8, 4, "latin1");
  at += 12;
  const start = FIXED;
  // __rel_loc counts from the end of its own field.
  data.writeUInt32LE((r.length + 1) << 16 | (start - (at + 4)), at);
  data.writeUInt32LE((y.length + 1) << 16 | (COMMON + start + r.length + 1), at + 4);
  data.write(r, start, "latin1");
  data.write(y, start + r.length + 1, "latin1");
  return data;
}
