import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  encodePayload,
  type FieldValue,
} from "../../../../../plugins/simulated/kernel/user_events/encode.ts";
import { parseLayout } from "../../../../../plugins/simulated/kernel/user_events/layout.ts";
import { payloadIsValid } from "../../../../../plugins/simulated/kernel/user_events/validate.ts";

const fieldsOf = (list: string) => parseLayout(list, true).fields;

describe("encodePayload", () => {
  it("packs integers, arrays and dynamic data", () => {
    const payload = encodePayload(
      fieldsOf("u64 id; char[4] stage; s32 cents; __rel_loc char[] note; u8 last"),
      { id: 2n ** 64n - 1n, stage: "paid", cents: -2, note: "ü", last: 9 },
    );
    assert.deepEqual([...payload], [
      ...[255, 255, 255, 255, 255, 255, 255, 255],
      ...[112, 97, 105, 100],
      ...[254, 255, 255, 255],
      ...[1, 0, 3, 0],
      9,
      ...[0xc3, 0xbc, 0],
    ]);
  });

  it("counts __data_loc from the start of the entry", () => {
    const payload = encodePayload(fieldsOf("__data_loc u8[] a"), { a: Uint8Array.of(1, 2) });
    assert.deepEqual([...payload], [12, 0, 2, 0, 1, 2]);
  });

  it("leaves fields without a value empty", () => {
    const payload = encodePayload(fieldsOf("u16 a; __rel_loc char[] b; __rel_loc u8[] c"), {});
    assert.deepEqual([...payload], [0, 0, 4, 0, 1, 0, 1, 0, 0, 0, 0]);
  });

  it("refuses what does not fit", () => {
    const fields = fieldsOf("u8 a; s8 b; char[2] c; __rel_loc char[] d; struct s e 4");
    const wrong: Record<string, FieldValue>[] = [
      { a: 256 },
      { a: -1 },
      { b: 128n },
      { a: 1.5 },
      { c: "abc" },
      { c: 1 },
      { d: 1 },
      { e: 1 },
      { x: 1 },
    ];
    for (const values of wrong) {
      assert.throws(
        () => encodePayload(fields, values),
        RangeError,
        JSON.stringify(Object.keys(values)),
      );
    }
    assert.throws(() => encodePayload(fieldsOf("struct s a 2147483647"), {}), RangeError);
  });

  it("makes payloads that the kernel finds valid", () => {
    const { fields, validators, minSize } = parseLayout(
      "__data_loc char[] a; __rel_loc char[] b; u8 c; __rel_loc u8[] d",
      true,
    );
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array(), (a, b, d) => {
        const payload = encodePayload(fields, { a, b, d });
        const entry = Uint8Array.from([...new Uint8Array(8).fill(1), ...payload]);
        assert.ok(payload.length >= minSize);
        assert.ok(payloadIsValid(entry, validators));
      }),
      { seed: 3 },
    );
  });
});
