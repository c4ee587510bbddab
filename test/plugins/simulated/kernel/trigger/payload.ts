/** The events that trigger scenarios run on: two user_events and some synthetic ones. */
import { Buffer } from "node:buffer";
import fc from "fast-check";

const FIELDS = "u32 a; s32 b; u64 c; s64 d; u8 e; char[8] s; __rel_loc char[] r";

/** Definitions of the user_events, in the order of their write indexes. */
export const USER_EVENTS = {
  "user_events/first": `first ${FIELDS}`,
  "user_events/second": `second ${FIELDS}`,
};

/** Definitions of the synthetic events. */
export const SYNTHETIC_EVENTS = [
  "one u64 lat",
  "two u32 x; s32 y",
  "task pid_t pid; u64 lat",
  "text char name[8]; u64 n",
  "dynamic char name[]; s64 d",
];

/** Values of the fields; absent ones are 0 or empty. */
export interface Values {
  readonly a?: number;
  readonly b?: number;
  readonly c?: bigint;
  readonly d?: bigint;
  readonly e?: number;
  readonly s?: string;
  readonly r?: string;
}

const FIXED = 4 + 4 + 8 + 8 + 1 + 8 + 4;

/** The payload of one of the user_events, in hex. */
export function payloadOf({ a = 0, b = 0, c = 0n, d = 0n, e = 0, s = "", r = "" }: Values): string {
  const data = Buffer.alloc(FIXED + r.length + 1);
  let at = data.writeUInt32LE(a, 0);
  at = data.writeInt32LE(b, at);
  at = data.writeBigUInt64LE(c, at);
  at = data.writeBigInt64LE(d, at);
  at = data.writeUInt8(e, at);
  data.write(s, at, 8, "latin1");
  // __rel_loc counts from the end of its own field, which is the last.
  data.writeUInt32LE((r.length + 1) << 16, at + 8);
  data.write(r, FIXED, "latin1");
  return data.toString("hex");
}

const word = fc.string({ unit: fc.constantFrom(..."abz"), maxLength: 8 });

/** Values from a small range, so that keys meet again. */
export const values: fc.Arbitrary<Values> = fc.record({
  a: fc.oneof(fc.nat(3), fc.constantFrom(17, 4096, 0xffff_ffff)),
  b: fc.integer({ min: -2, max: 2 }),
  c: fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.constantFrom(1000n, 1n << 20n, 1n << 63n)),
  d: fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom(-(1n << 40n), 123456789n)),
  e: fc.nat(2),
  s: fc.constantFrom("", "ab", "abcdefgh", "zz"),
  r: word,
});
