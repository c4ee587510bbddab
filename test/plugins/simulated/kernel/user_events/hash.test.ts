import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bucketOf, jhash } from "../../../../../plugins/simulated/kernel/user_events/hash.ts";

describe("the hash of user_events", () => {
  const known: [string, number, number][] = [
    ["alpha", 0x2290c2d9, 206],
    ["beta", 0x308fe32b, 141],
    ["gamma", 0x2c48d269, 145],
    ["delta", 0x83a2adc6, 113],
    ["eps", 0x2e6922b9, 32],
    ["zeta", 0x15675cc, 244],
    ["eta", 0x39362d55, 217],
    ["theta", 0x78096714, 82],
    ["iota", 0x114e23d2, 65],
    ["kappa", 0x72e582a5, 149],
    ["", 0xdeadbeef, 109],
    ["__test_event", 0x08941436, 35],
  ];
  for (const [name, hash, bucket] of known) {
    it(`puts "${name}" into bucket ${bucket}`, () => {
      assert.equal(jhash(name), hash);
      assert.equal(bucketOf(name), bucket);
    });
  }
});
