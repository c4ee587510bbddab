import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  FieldError,
  type Fields,
  type FieldType,
  PayloadEncoder,
  type ValuesOf,
} from "../../../core/user_events/encode.ts";
import { ERAS, makeEra, record, startProvider } from "./fixture.ts";

const SEED = 20_260_101;

/** Text that a field can hold: no NUL, and no half of a surrogate pair. */
const text = fc.string({ unit: "binary", maxLength: 40 }).map((s) => s.replaceAll("\0", ""));

/** A type, and a value of it. */
const field: fc.Arbitrary<readonly [FieldType, unknown]> = fc.oneof(
  ...([8, 16, 32] as const).flatMap((bits) => [
    fc.integer({ min: 0, max: 2 ** bits - 1 }).map((n) => [`u${bits}` as FieldType, n] as const),
    fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
      .map((n) => [`s${bits}` as FieldType, n] as const),
  ]),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => ["u64", n] as const),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => ["s64", n] as const),
  text.map((s) => ["string", s] as const),
  fc.uint8Array({ maxLength: 60 }).map((b) => ["bytes", b] as const),
  fc.tuple(fc.integer({ min: 1, max: 64 }), text)
    .map(([size, s]) => [`char[${size}]` as FieldType, s] as const),
);

/** What a recorder reads where `value` was written. */
function asRead([type, value]: readonly [FieldType, unknown]): unknown {
  if (value instanceof Uint8Array) return [...value];
  const size = /\[(\d+)\]$/.exec(type)?.[1];
  if (size === undefined) return value;
  let cut = "";
  for (const letter of value as string) {
    if (Buffer.byteLength(cut + letter) > Number(size) - 1) break;
    cut += letter;
  }
  return cut;
}

describe("payloads", () => {
  for (const era of ERAS) {
    it(`arrive as they were given on ${era}, whatever the fields and values`, async () => {
      const events = fc.sample(fc.array(field, { minLength: 1, maxLength: 8 }), {
        seed: SEED,
        numRuns: 120,
      });
      const kernel = makeEra(era);
      const { provider } = startProvider(kernel, { namespace: "any" });
      const writes = events.map((fields, i) => {
        const named = fields.map(([type], at) => [`f${at}`, type] as const);
        const event = provider.event(`event${i}`, Object.fromEntries(named) as Fields);
        const values = Object.fromEntries(fields.map(([, value], at) => [`f${at}`, value]));
        return () => event.write(values as ValuesOf<Fields>);
      });
      const names = events.map((_, i) => `any/event${i}`);
      const records = await record(kernel, names, () => writes.forEach((write) => write()));
      assert.equal(records.length, events.length);
      for (const { probe, args } of records) {
        const fields = events[Number(probe.slice("event".length))];
        const expected = Object.fromEntries(fields.map((one, at) => [`f${at}`, asRead(one)]));
        assert.deepEqual({ ...args }, expected, probe);
      }
    });
  }

  it("throw nothing but a FieldError that names the field, whatever they are given", () => {
    const fields = { a: "u8", b: "s64", c: "string", d: "bytes", e: "char[4]" } as const;
    const encoder = new PayloadEncoder(fields);
    const wrong = fc.oneof(
      fc.anything(),
      fc.record({
        a: fc.anything(),
        b: fc.anything(),
        c: fc.anything(),
        d: fc.anything(),
        e: fc.anything(),
      }),
    );
    fc.assert(
      fc.property(wrong, (values) => {
        try {
          encoder.encode(values as ValuesOf<typeof fields>);
        } catch (error) {
          assert.ok(error instanceof FieldError, String(error));
          assert.ok(Object.hasOwn(fields, error.field));
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  for (
    const [type, value] of [
      ["u8", 256],
      ["u8", -1],
      ["s8", 128],
      ["u16", 1.5],
      ["u32", 2 ** 32],
      ["s32", NaN],
      ["u32", 7n],
      ["u64", 7],
      ["u64", 2n ** 64n],
      ["u64", -1n],
      ["s64", 2n ** 63n],
      ["string", 7],
      ["string", "a\0b"],
      ["char[8]", undefined],
      ["bytes", "text"],
      ["bytes", [1, 2]],
    ] as const
  ) {
    it(`refuse ${String(JSON.stringify(String(value)))} for ${type}`, () => {
      const encoder = new PayloadEncoder({ field: type as FieldType });
      assert.throws(
        () => encoder.encode({ field: value } as never),
        (error) => error instanceof FieldError && error.field === "field",
      );
    });
  }
});
