import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDuration, parseSize, ValueError } from "../../../core/config/units.ts";

function hintOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ValueError);
    return error.hint;
  }
  assert.fail("Expected an error");
}

describe("parseDuration", () => {
  it("reads every unit into nanoseconds", () => {
    assert.equal(parseDuration("1ns"), 1n);
    assert.equal(parseDuration("100us"), 100_000n);
    assert.equal(parseDuration("10ms"), 10_000_000n);
    assert.equal(parseDuration("1s"), 1_000_000_000n);
    assert.equal(parseDuration("5m"), 300_000_000_000n);
    assert.equal(parseDuration("2h"), 7_200_000_000_000n);
    assert.equal(parseDuration("0ns"), 0n);
  });

  it("is exact up to 2^63-1 nanoseconds, and refuses more", () => {
    assert.equal(parseDuration("9223372036854775807ns"), 2n ** 63n - 1n);
    assert.throws(() => parseDuration("9223372036854775808ns"), /above 292 years/);
    assert.throws(() => parseDuration("9999999999999999999h"), /above 292 years/);
  });

  it("refuses a bare number and says what to write", () => {
    assert.match(hintOf(() => parseDuration(100)) ?? "", /100ms/);
    assert.match(hintOf(() => parseDuration("100")) ?? "", /unit|one of ns/);
  });

  it("refuses what is nearly a duration", () => {
    for (
      const text of ["", "ms", "1.5s", "-1s", "1 s", "1S", "1h30m", "1d", " 1s", "1s\n", "0x1s"]
    ) {
      assert.throws(() => parseDuration(text), ValueError, JSON.stringify(text));
    }
    for (const value of [null, true, [], {}, 1n]) {
      assert.throws(() => parseDuration(value), ValueError);
    }
  });
});

describe("parseSize", () => {
  it("reads powers of 1024", () => {
    assert.equal(parseSize("512B"), 512);
    assert.equal(parseSize("64KiB"), 65536);
    assert.equal(parseSize("4MiB"), 4194304);
    assert.equal(parseSize("1GiB"), 1073741824);
  });

  it("refuses units that mean two things, and names the right one", () => {
    for (const text of ["64KB", "64kB", "64K", "64k", "64Kb"]) {
      assert.match(hintOf(() => parseSize(text)) ?? "", /64KiB/, text);
    }
    assert.match(hintOf(() => parseSize("4MB")) ?? "", /4MiB/);
  });

  it("refuses bare numbers and what is too large", () => {
    assert.match(hintOf(() => parseSize(64)) ?? "", /64KiB/);
    assert.throws(() => parseSize("2000GiB"), /above/);
    assert.throws(() => parseSize("9999999999999999999GiB"), /above/);
    assert.throws(() => parseSize("KiB"), ValueError);
  });
});
