import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  ByteWriter,
  putInt32,
  putInt64,
  putNineDigits,
  putTemplate,
  putUint32,
  putUint64,
  template,
} from "../../../core/event/bytes.ts";

const decoder = new TextDecoder();

/** What `put` writes. */
function written(put: (out: ByteWriter) => void): string {
  const out = new ByteWriter(16);
  out.reserve(64);
  put(out);
  return decoder.decode(out.written);
}

/** Powers of two and ten up to 2^64, and what is next to them. */
const edges = [0n];
for (let i = 0n; i <= 64n; i++) edges.push(2n ** i - 1n, 2n ** i, 2n ** i + 1n);
for (let i = 0n; i <= 19n; i++) edges.push(10n ** i - 1n, 10n ** i, 10n ** i + 1n);

const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  // Multiples of 10^8 and what is below them, where a rounded quotient would be wrong.
  fc.bigInt({ min: 1n, max: 90_000_000n }).map((n) => n * 100_000_000n - 1n),
);
const high = (n: bigint) => Number(BigInt.asUintN(64, n) >> 32n);
const low = (n: bigint) => Number(BigInt.asUintN(32, n));

describe("integers", () => {
  it("writes every unsigned 64-bit value exactly", () => {
    const check = (n: bigint) =>
      assert.equal(written((out) => putUint64(out, high(n), low(n))), String(n));
    for (const n of edges) if (n < 2n ** 64n) check(n);
    fc.assert(fc.property(uint64, check), { numRuns: 5000, seed: 1 });
  });

  it("writes every signed 64-bit value exactly", () => {
    const check = (n: bigint) => {
      const signed = BigInt.asIntN(64, n);
      assert.equal(written((out) => putInt64(out, high(n), low(n))), String(signed));
    };
    for (const n of edges) [n, -n].forEach(check);
    fc.assert(fc.property(uint64, check), { numRuns: 5000, seed: 2 });
  });

  it("writes every 32-bit value exactly", () => {
    for (const edge of edges) {
      const n = low(edge);
      assert.equal(written((out) => putUint32(out, n)), String(n));
      assert.equal(written((out) => putInt32(out, n | 0)), String(n | 0));
    }
    fc.assert(
      fc.property(fc.nat(0xffffffff), (n) => {
        assert.equal(written((out) => putUint32(out, n)), String(n));
        assert.equal(written((out) => putInt32(out, n | 0)), String(n | 0));
      }),
      { numRuns: 2000, seed: 3 },
    );
  });

  it("writes nanoseconds with their zeros", () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), (n) => {
        assert.equal(written((out) => putNineDigits(out, n)), String(n).padStart(9, "0"));
      }),
      { seed: 4 },
    );
  });
});

describe("templates", () => {
  it("writes text of any length at any place", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 30 })), (texts) => {
        const out = new ByteWriter(16);
        for (const text of texts) {
          const made = template(text);
          out.reserve(made.length);
          putTemplate(out, made);
        }
        assert.equal(decoder.decode(out.written), texts.join(""));
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  it("writes every pair of bytes that UTF-8 allows unchanged", () => {
    for (const text of ["\u007f", "\u{10ffff}\u007f", "\u{10000}", "\ud7ff\uffff\u007f\u{fffff}"]) {
      for (let shift = 0; shift < 8; shift++) {
        const shifted = "x".repeat(shift) + text;
        assert.equal(
          written((out) => {
            out.reserve(shifted.length * 4);
            putTemplate(out, template(shifted));
          }),
          shifted,
        );
      }
    }
  });
});
