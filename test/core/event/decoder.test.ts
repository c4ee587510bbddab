import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileDecoder } from "../../../core/event/decoder.ts";
import type { EntryBytes } from "../../../core/event/field.ts";
import { parseFormat } from "../../../core/event/format.ts";
import { type FieldLine, formatText } from "./format_text.ts";

/** An entry of `length` bytes in the middle of a page, filled by `fill`. */
function entryOf(length: number, fill: (view: DataView, bytes: Uint8Array) => void): EntryBytes {
  const bytes = new Uint8Array(length + 100).fill(0xee);
  const entry = bytes.subarray(START, START + length).fill(0);
  fill(new DataView(entry.buffer, entry.byteOffset, length), entry);
  return { bytes, view: new DataView(bytes.buffer) };
}

const START = 50;

function decoderOf(...fields: FieldLine[]) {
  return compileDecoder(parseFormat(formatText("event", 7, fields)));
}

const text = (value: string) => new TextEncoder().encode(value);

describe("compileDecoder", () => {
  it("reads integers of every width, wherever they are: 8 bytes as bigint, fewer as number", () => {
    const decoder = decoderOf(
      ["s8 a", 8, 1, true],
      ["u8 b", 9, 1],
      ["s16 c", 10, 2, true],
      ["u16 d", 12, 2],
      ["s32 e", 15, 4, true],
      ["u32 f", 19, 4],
      ["s64 g", 23, 8, true],
      ["u64 h", 31, 8],
      ["u64 small", 39, 8],
    );
    const source = entryOf(47, (view, bytes) => {
      bytes.fill(0xff, 8, 39);
      view.setUint8(39, 5);
    });
    assert.deepEqual(decoder.decodeArgs(source, START, 47), {
      a: -1,
      b: 255,
      c: -1,
      d: 65535,
      e: -1,
      f: 4294967295,
      g: -1n,
      h: 2n ** 64n - 1n,
      small: 5n,
    });
  });

  it("reads text up to its NUL, and what is no UTF-8 as replacement characters", () => {
    const decoder = decoderOf(["char comm[8]", 8, 8], ["char tail[4]", 16, 4]);
    const source = entryOf(20, (_, bytes) => {
      bytes.set(text("cat\0dog"), 8);
      bytes.set([0x61, 0xff, 0xe2, 0x82], 16);
    });
    assert.deepEqual(decoder.decodeArgs(source, START, 20), { comm: "cat", tail: "a\ufffd\ufffd" });
  });

  it("reads arrays by the size of their elements", () => {
    const decoder = decoderOf(
      ["u16 pairs[]", 8, 4],
      ["s64 longs[2]", 12, 16, true],
      ["struct odd odd", 28, 3],
    );
    const source = entryOf(32, (view) => {
      view.setUint16(8, 1, true);
      view.setUint16(10, 65535, true);
      view.setBigInt64(12, -2n, true);
      view.setBigInt64(20, 2n ** 60n, true);
      view.setUint8(30, 9);
    });
    assert.deepEqual(decoder.decodeArgs(source, START, 32), {
      pairs: [1, 65535],
      longs: [-2n, 2n ** 60n],
      odd: [0, 0, 9],
    });
  });

  it("follows __data_loc from the entry's start and __rel_loc from behind its word", () => {
    const decoder = decoderOf(
      ["__data_loc char[] name", 8, 4],
      ["__rel_loc char[] note", 12, 4],
      ["__data_loc u32[] list", 16, 4],
      ["__data_loc u32[] none", 20, 4],
      ["__data_loc char[] fault", 24, 4],
      ["__data_loc char[][2] both", 28, 8],
    );
    const source = entryOf(56, (view, bytes) => {
      view.setUint32(8, (5 << 16) | 36, true);
      view.setUint32(12, (3 << 16) | (41 - 16), true);
      view.setUint32(16, (8 << 16) | 44, true);
      view.setUint32(28, (5 << 16) | 36, true);
      bytes.set(text("name\0me\0"), 36);
      view.setUint32(44, 1, true);
      view.setUint32(48, 2, true);
    });
    assert.ok(decoder.fits(source, START, 56));
    assert.deepEqual(decoder.decodeArgs(source, START, 56), {
      name: "name",
      note: "me",
      list: [1, 2],
      none: [],
      fault: null,
      both: ["name", null],
    });
  });

  it("gives an array without a size the rest of the entry", () => {
    const decoder = decoderOf(["u32 id", 8, 4], ["char buf[]", 12, 0]);
    const source = entryOf(20, (_, bytes) => bytes.set(text("hi\n\0"), 12));
    assert.deepEqual(decoder.decodeArgs(source, START, 20), { id: 0, buf: "hi\n" });
    const stack = compileDecoder(parseFormat(formatText("kernel_stack", 4, [
      ["int size", 8, 4, true],
      ["unsigned long caller[8]", 16, 64],
    ])));
    const deep = entryOf(16 + 10 * 8, (view) => view.setUint8(88, 1));
    assert.equal((stack.decodeArgs(deep, START, 96).caller as unknown[]).length, 10);
  });

  it("keeps where a probe is apart from what it captured", () => {
    const decoder = decoderOf(
      ["unsigned long __probe_func", 8, 8],
      ["unsigned long __probe_ret_ip", 16, 8],
      ["s32 ret", 24, 4, true],
    );
    const source = entryOf(28, (view) => {
      view.setInt32(4, 4242, true);
      view.setBigUint64(8, 0xffffffff81000000n, true);
      view.setInt32(24, -2, true);
    });
    assert.deepEqual(decoder.decodeArgs(source, START, 28), { ret: -2 });
    assert.deepEqual(decoder.probe.map(({ field }) => field.name), [
      "__probe_func",
      "__probe_ret_ip",
    ]);
    assert.equal(decoder.find("__probe_func")!.read(source, START, 28), 0xffffffff81000000n);
    assert.equal(decoder.find("common_pid")!.read(source, START, 28), 4242);
    assert.equal(decoder.find("nothing"), undefined);
  });

  it("knows entries that are too short for their fields", () => {
    const decoder = decoderOf(["u64 a", 8, 8], ["__data_loc char[] s", 16, 4]);
    const at = (offset: number, length: number) =>
      entryOf(24, (view) => view.setUint32(16, (length << 16) | offset, true));
    assert.ok(decoder.fits(at(20, 4), START, 24));
    assert.ok(decoder.fits(at(9999, 0), START, 24));
    assert.ok(!decoder.fits(at(20, 5), START, 24));
    assert.ok(!decoder.fits(at(65535, 1), START, 24));
    assert.ok(!decoder.fits(at(20, 0), START, 19));
    // An array that is cut short has fewer elements; an event without fields has a header at least.
    assert.ok(decoderOf(["char c[16]", 8, 16]).fits(at(0, 0), START, 12));
    assert.deepEqual(decoderOf(["u32 c[4]", 8, 16]).decodeArgs(at(0, 0), START, 14), { c: [0] });
    assert.ok(!decoderOf().fits(at(0, 0), START, 7));
  });

  it("takes any field name as a name", () => {
    const decoder = decoderOf(["u32 __proto__", 8, 4], ["u32 constructor", 12, 4]);
    const args = decoder.decodeArgs(entryOf(16, (view) => view.setUint32(8, 1, true)), START, 16);
    assert.deepEqual(Object.entries(args), [["__proto__", 1], ["constructor", 0]]);
    assert.equal(Object.getPrototypeOf(args), Object.prototype);
  });
});
