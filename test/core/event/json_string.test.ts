import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteWriter } from "../../../core/event/bytes.ts";
import { putJsonString } from "../../../core/event/json_string.ts";

/** `bytes` between other bytes, as a JSON string. */
function jsonOf(bytes: Uint8Array): string {
  const padded = new Uint8Array(bytes.length + 20).fill(0x41);
  padded.set(bytes, 10);
  const out = new ByteWriter(16);
  const source = { bytes: padded, view: new DataView(padded.buffer) };
  putJsonString(out, source, 10, 10 + bytes.length);
  return new TextDecoder().decode(out.written);
}

/** What a TextDecoder makes of `bytes` up to a NUL. */
function textOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    nul < 0 ? bytes : bytes.slice(0, nul),
  );
}

const encode = (text: string) => new TextEncoder().encode(text);

describe("putJsonString", () => {
  it("escapes what JSON wants escaped, and nothing else", () => {
    assert.equal(
      jsonOf(encode('plain "quoted" back\\slash')),
      '"plain \\"quoted\\" back\\\\slash"',
    );
    assert.equal(
      jsonOf(encode("\b\t\n\f\r\u0001\u001f\u007f/")),
      '"\\b\\t\\n\\f\\r\\u0001\\u001f\u007f/"',
    );
    assert.equal(jsonOf(encode("größe 猫 😀")), '"größe 猫 😀"');
    assert.equal(jsonOf(new Uint8Array()), '""');
  });

  it("stops at a NUL", () => {
    assert.equal(jsonOf(encode("cat\0dog")), '"cat"');
    assert.equal(jsonOf(encode("\0")), '""');
  });

  it("finds every special byte at every place", () => {
    for (let byte = 0; byte < 256; byte++) {
      for (let at = 0; at < 9; at++) {
        const bytes = encode("abcdefghi");
        bytes[at] = byte;
        assert.equal(JSON.parse(jsonOf(bytes)), textOf(bytes));
      }
    }
  });

  it("reads UTF-8 and its errors as a TextDecoder does", () => {
    // Every start of a sequence, with continuations, without, and cut off by the end.
    for (let lead = 0x80; lead < 256; lead++) {
      for (const second of [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]) {
        for (const rest of [[], [0x80], [0x80, 0x80], [0x41], [0x80, 0xc3]]) {
          const bytes = new Uint8Array([lead, second, ...rest]);
          assert.equal(JSON.parse(jsonOf(bytes)), textOf(bytes), String(bytes));
        }
      }
    }
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(fc.constantFrom(0xc3, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0x22, 0x41, 0xed), {
        maxLength: 40,
      }).map((list) => new Uint8Array(list)),
    );
    fc.assert(
      fc.property(hostile, (bytes) => assert.equal(JSON.parse(jsonOf(bytes)), textOf(bytes))),
      { numRuns: 1500, seed: 1 },
    );
  });
});
