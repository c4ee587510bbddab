import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteWriter } from "../../../core/event/bytes.ts";
import { DEFAULT_PAGE_LAYOUT } from "../../../core/event/header_page.ts";
import { JsonLines } from "../../../core/event/json.ts";
import {
  type CommOf,
  compileEvents,
  type EventTable,
  RecordBatch,
} from "../../../core/event/record.ts";
import { formatText } from "./format_text.ts";
import { fixture, pageOf, word } from "./pages.ts";

const decoder = new TextDecoder();

/** JSON of a value that may have bigints in it. */
function json(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(json).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${json(v)}`).join(",")}}`;
}

/** The lines that the records of a batch are to have, made the slow way. */
function expectedLines(batch: RecordBatch): string[] {
  return Array.from({ length: batch.count }, (_, i) => {
    const { type, timeNs, cpu, tid, comm, probe, event, args } = batch.materialise(i);
    return json({ type, time_ns: timeNs, cpu, tid, comm, probe, event, args });
  });
}

function linesOf(out: ByteWriter): string[] {
  const text = decoder.decode(out.written);
  assert.ok(text === "" || text.endsWith("\n"));
  return text.split("\n").slice(0, -1);
}

/** Loads pages and checks the lines that are written for them, with one writer. */
function check(pages: readonly Uint8Array[], table: EventTable, commOf: CommOf): void {
  const batch = new RecordBatch(table, commOf);
  const out = new ByteWriter(16);
  const lines = new JsonLines(out);
  const expected: string[] = [];
  pages.forEach((page, cpu) => {
    batch.load(cpu, page, DEFAULT_PAGE_LAYOUT);
    if (batch.lost !== 0) expected.push(json({ type: "lost", cpu, count: batch.lost }));
    expected.push(...expectedLines(batch));
    lines.addBatch(batch);
  });
  assert.deepEqual(linesOf(out), expected);
}

const getppid = {
  probe: "calls",
  event: "syscalls/sys_enter_getppid",
  format: decoder.decode(fixture("getppid.format")),
};

describe("JsonLines", () => {
  it("writes a record as one line, with names in order and integers exact", () => {
    const batch = new RecordBatch(compileEvents([getppid]), () => "cat");
    const time = 2n ** 63n + 1n;
    batch.load(3, pageOf(time, [word(3, 0), 305, 42, 110]), DEFAULT_PAGE_LAYOUT);
    const out = new ByteWriter();
    new JsonLines(out).addBatch(batch);
    assert.equal(
      decoder.decode(out.written),
      `{"type":"event","time_ns":9223372036854775809,"cpu":3,"tid":42,"comm":"cat",` +
        `"probe":"calls","event":"syscalls/sys_enter_getppid","args":{"__syscall_nr":110}}\n`,
    );
  });

  it("writes losses, with null where the kernel cannot say", () => {
    const out = new ByteWriter();
    const lines = new JsonLines(out);
    lines.addLost({ type: "lost", cpu: 1, count: 24 });
    lines.addLost({ type: "lost", cpu: 0, count: null });
    assert.equal(
      decoder.decode(out.written),
      `{"type":"lost","cpu":1,"count":24}\n{"type":"lost","cpu":0,"count":null}\n`,
    );
  });

  it("writes the pages of a real kernel as they decode", () => {
    const hit = {
      probe: "hit",
      event: "sonde_test/hit",
      format: decoder.decode(fixture("uprobe.format")),
    };
    const names = [
      "uprobe",
      "getppid-loss-0",
      "getppid-loss-1",
      "getppid-loss-2",
      "getppid-extend",
    ];
    const pages = names.map((name) => fixture(`${name}.page`));
    check(pages, compileEvents([getppid, hit]), (tid) => `a "${tid}"\n`);
  });

  it("pads nanoseconds, and prints none in front in the first second", () => {
    const entry = [word(3, 0), 305, 42, 110];
    const pages = [0n, 7n, 999_999_999n, 1_000_000_000n, 1_000_000_001n, 2n ** 64n - 1n]
      .map((time) => pageOf(time, entry));
    check(pages, compileEvents([getppid]), () => "");
  });

  it("sees a thread change its name and its CPU", () => {
    let name = "before";
    const batch = new RecordBatch(compileEvents([getppid]), () => name);
    const page = pageOf(1n, [word(3, 0), 305, 42, 110, word(3, 1), 305, 43, 110]);
    const out = new ByteWriter();
    const lines = new JsonLines(out);
    const expected: string[] = [];
    for (const [cpu, next] of [[0, "before"], [0, "after"], [1, "after"]] as const) {
      name = next;
      batch.load(cpu, page, DEFAULT_PAGE_LAYOUT);
      lines.addBatch(batch);
      expected.push(...expectedLines(batch));
    }
    assert.deepEqual(linesOf(out), expected);
  });

  it("escapes names from configs and formats", () => {
    const format = formatText("e", 9, [["u32 __proto__", 8, 4]]);
    const event = { probe: 'p"\\\u{1f600}', event: "g/\u0001", format };
    const page = pageOf(1n, [word(3, 0), 9, 1, 5]);
    check([page], compileEvents([event]), () => "\ud800 lone");
    const none = { probe: "none", event: "g/none", format: formatText("none", 9, []) };
    check([page], compileEvents([none]), () => "");
  });

  it("writes every kind of field as it is decoded", () => {
    const formats = [
      formatText("ints", 1, [
        ["s8 a", 8, 1, true],
        ["u16 b", 9, 2],
        ["s32 c", 11, 4, true],
        ["u64 d", 15, 8],
        ["s64 e", 23, 8, true],
      ]),
      formatText("texts", 2, [
        ["char s[10]", 8, 10],
        ["__data_loc char[] t", 18, 4],
        ["__rel_loc char[] u", 22, 4],
        ["__data_loc char[][2] v", 26, 8],
      ]),
      formatText("arrays", 3, [
        ["s8 a[]", 8, 5, true],
        ["u64 b[2]", 13, 16],
        ["__data_loc s16[] c", 29, 4, true],
        ["struct odd d", 33, 3],
        ["unsigned long e[]", 36, 0],
      ]),
    ];
    const table = compileEvents(formats.map((format, i) => ({
      probe: `p${i}`,
      event: `g/e${i}`,
      format,
    })));
    // Where the words of dynamic fields are, by format.
    const dynamic = [[], [18, 22, 26, 30], [29]];
    const entry = fc.record({
      kind: fc.nat({ max: 2 }),
      words: fc.integer({ min: 9, max: 27 }),
      bytes: fc.uint8Array({ minLength: 108, maxLength: 108 }),
      spots: fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { minLength: 4, maxLength: 4 }),
    }).map(({ kind, words, bytes, spots }) => {
      const data = bytes.slice(0, words * 4);
      data.set([kind + 1, 0, 0, 0]);
      const view = new DataView(data.buffer);
      for (const [i, at] of dynamic[kind]!.entries()) {
        view.setUint32(at, (spots[i]![1] << 16) | spots[i]![0], true);
      }
      return [word(words, 1), Array.from(data, (b) => b.toString(16).padStart(2, "0")).join("")];
    });
    fc.assert(
      fc.property(fc.array(fc.array(entry, { maxLength: 20 }), { maxLength: 3 }), (pages) => {
        check(pages.map((entries) => pageOf(5n, entries.flat())), table, (tid) => `c${tid % 3}`);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
