import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FormatError, parseFormat } from "../../../core/event/format.ts";
import { parseHeaderPage } from "../../../core/event/header_page.ts";
import { type FieldLine, formatText } from "./format_text.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");

/** The one field of a format that has `line`. */
function fieldOf(...line: FieldLine) {
  return parseFormat(formatText("event", 1, [line])).fields[0]!;
}

describe("parseFormat", () => {
  it("reads a tracepoint of a real kernel", () => {
    const format = parseFormat(fixture("getppid.format"), { system: "syscalls" });
    assert.equal(format.system, "syscalls");
    assert.equal(format.name, "sys_enter_getppid");
    assert.equal(format.id, 305);
    assert.deepEqual(format.common.map(({ name }) => name), [
      "common_type",
      "common_flags",
      "common_preempt_count",
      "common_pid",
    ]);
    assert.deepEqual(format.fields, [{
      name: "__syscall_nr",
      type: "int",
      place: "inline",
      offset: 8,
      size: 4,
      signed: true,
      element: "int",
      array: false,
      elementSize: 4,
    }]);
    assert.equal(format.printFmt, '""');
  });

  it("reads a probe of a real kernel: packed fields, arrays without a count", () => {
    const { fields, printFmt } = parseFormat(fixture("uprobe.format"));
    const shape = fields.map(({ name, place, offset, size, element, elementSize }) =>
      `${name} ${place} ${offset}+${size} ${element}/${elementSize}`
    );
    assert.deepEqual(shape, [
      "__probe_ip inline 8+8 unsigned long/8",
      "a inline 16+4 s32/4",
      "s data_loc 20+4 char/1",
      "x inline 24+8 u64/8",
      "arr inline 32+8 u16/2",
      "bad data_loc 40+4 char/1",
      "strs data_loc 44+4 char/1",
      "b inline 48+4 u32/4",
      "y inline 52+8 s64/8",
      "c inline 60+1 u8/1",
      "p inline 61+8 u64/8",
      "strs2 data_loc 69+8 char/1",
      "i8 inline 77+1 s8/1",
    ]);
    assert.match(printFmt, /^"\(%lx\) a=%d .*REC->i8$/);
  });

  it("finds brackets behind the name and behind the type", () => {
    for (const declaration of ["char comm[16]", "char[16] comm"]) {
      const field = fieldOf(declaration, 8, 16);
      assert.deepEqual(
        [field.name, field.type, field.element, field.array, field.elementSize],
        ["comm", "char[16]", "char", true, 1],
      );
    }
  });

  it("knows dynamic fields and the sizes of their elements", () => {
    const cases: [string, string, string, number][] = [
      ["__data_loc char[] name", "data_loc", "char", 1],
      ["__rel_loc char[] note", "rel_loc", "char", 1],
      ["__data_loc u64[] addrs", "data_loc", "u64", 8],
      ["__data_loc unsigned int[] lengths", "data_loc", "unsigned int", 4],
      ["__data_loc cpumask_t cpumask", "data_loc", "cpumask_t", 8],
    ];
    for (const [declaration, place, element, elementSize] of cases) {
      const field = fieldOf(declaration, 8, 4);
      assert.deepEqual([field.place, field.element, field.elementSize, field.array], [
        place,
        element,
        elementSize,
        true,
      ]);
    }
  });

  it("takes pointers for integers and unknown elements for what their count makes of them", () => {
    assert.deepEqual(fieldOf("const char * fmt", 16, 8).array, false);
    assert.equal(fieldOf("void *const p", 16, 8).name, "p");
    assert.equal(fieldOf("char *const * argv", 16, 8).elementSize, 8);
    assert.equal(fieldOf("struct pair p[4]", 8, 32).elementSize, 8);
    assert.equal(fieldOf("struct odd p[4]", 8, 12).elementSize, 1);
    assert.equal(fieldOf("const unsigned long args[6]", 8, 48).elementSize, 8);
  });

  it("counts a long as 4 bytes where it is told to", () => {
    const text = formatText("event", 1, [["unsigned long args[2]", 8, 8]]);
    assert.equal(parseFormat(text, { longSize: 4 }).fields[0]!.elementSize, 4);
  });

  it("names the line that is wrong", () => {
    const good = fixture("getppid.format");
    const cases: [string, number, RegExp][] = [
      ["", 1, /no "name:"/],
      [good.replace("ID: 305", "ID: 70000"), 2, /"70000" is no number up to 65535/],
      [good.replace("ID: 305", "ID: -1"), 2, /"-1" is no number/],
      [good.replace("format:\n", "\n"), 3, /no "format:"/],
      [good.replace("offset:4;", "offset:x;"), 7, /"x" is no number/],
      [good.replace("\tfield:int __syscall_nr;", "\tfield:;"), 9, /no field name/],
      [good.slice(0, good.indexOf("\nprint fmt")), 10, /no "print fmt:" line/],
      [formatText("e", 1, [["__data_loc char[] s", 8, 3]]), 9, /words of 4 bytes/],
      [formatText("e", 1, [["u8 x", 99999999, 1]]), 9, /is no number up to/],
      [formatText("e", 1, [["u8 " + "x".repeat(10000), 8, 1]]), 9, /more than 8192 characters/],
    ];
    for (const [text, line, reason] of cases) {
      assert.throws(() => parseFormat(text), (error: unknown) => {
        assert.ok(error instanceof FormatError);
        assert.match(error.message, reason);
        assert.equal(error.line, line);
        return true;
      });
    }
  });

  it("answers any text with a format or an error, soon", () => {
    const good = fixture("uprobe.format");
    const edits = fc.array(
      fc.tuple(fc.nat(good.length), fc.nat(40), fc.string({ unit: "binary-ascii", maxLength: 40 })),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(edits, (list) => {
        let text = good;
        for (const [at, cut, put] of list) text = text.slice(0, at) + put + text.slice(at + cut);
        try {
          const format = parseFormat(text);
          assert.ok(format.fields.every(({ size, offset }) => size >= 0 && offset >= 0));
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 500, seed: 1 },
    );
    assert.throws(
      () => parseFormat(`name: x\nID: 1\nformat:\n\tfield:${"[]".repeat(500000)}`),
      FormatError,
    );
  });
});

describe("parseHeaderPage", () => {
  it("reads the layout of a real kernel", () => {
    assert.deepEqual(parseHeaderPage(fixture("header_page")), {
      timeStamp: 0,
      commit: 8,
      longSize: 8,
      data: 16,
      size: 4096,
    });
  });

  it("reads a 32-bit layout and larger sub-buffers", () => {
    const text = fixture("header_page").replace("offset:8;\tsize:8", "offset:8;\tsize:4")
      .replace("offset:16;\tsize:4080", "offset:12;\tsize:16372");
    assert.deepEqual(parseHeaderPage(text), {
      timeStamp: 0,
      commit: 8,
      longSize: 4,
      data: 12,
      size: 16384,
    });
  });

  it("refuses what cannot be a layout", () => {
    const good = fixture("header_page");
    assert.throws(() => parseHeaderPage(""), /no field "timestamp"/);
    // What a second read(2) misses, as readers with small buffers do.
    assert.throws(() => parseHeaderPage(good.slice(0, 32)), FormatError);
    assert.throws(() => parseHeaderPage(good.replace("offset:16", "offset:4")), /overlaps/);
    assert.throws(
      () => parseHeaderPage(good.replace("size:8;\tsigned:1", "size:2;\tsigned:1")),
      /2 bytes/,
    );
  });
});
