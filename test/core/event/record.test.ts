import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DEFAULT_PAGE_LAYOUT } from "../../../core/event/header_page.ts";
import { compileEvents, type EventTable, RecordBatch } from "../../../core/event/record.ts";
import { formatText } from "./format_text.ts";
import { fixture, pageOf, word } from "./pages.ts";

const decoder = new TextDecoder();
const getppid = {
  probe: "calls",
  event: "syscalls/sys_enter_getppid",
  format: decoder.decode(fixture("getppid.format")),
};
const hit = {
  probe: "hit",
  event: "sonde_test/hit",
  format: decoder.decode(fixture("uprobe.format")),
};

/** A batch with `page` of CPU 1 loaded. */
function load(page: Uint8Array, table: EventTable): RecordBatch {
  const batch = new RecordBatch(table, (tid) => `thread ${tid}`);
  batch.load(1, page, DEFAULT_PAGE_LAYOUT);
  return batch;
}

const recordsOf = (batch: RecordBatch) =>
  Array.from({ length: batch.count }, (_, i) => batch.materialise(i));

/** Thread and time of each line of the kernel's `trace` file, in microseconds. */
function traceLines(name: string) {
  const text = new TextDecoder("latin1").decode(fixture(name));
  return [...text.matchAll(/-(\d+) +\[\d+\] \S+ +(\d+)\.(\d+): /g)].map(([, tid, s, us]) => ({
    tid: Number(tid),
    us: BigInt(s!) * 1_000_000n + BigInt(us!),
  }));
}

describe("RecordBatch", () => {
  it("has the threads and times that the kernel's own text has", () => {
    const cases = [["getppid-extend", getppid], ["uprobe", hit]] as const;
    for (const [name, event] of cases) {
      const batch = load(fixture(`${name}.page`), compileEvents([event]));
      const seen = recordsOf(batch).map(({ tid, timeNs }) => ({
        tid,
        us: (timeNs + 500n) / 1000n,
      }));
      assert.ok(seen.length > 5);
      assert.deepEqual(seen, traceLines(`${name}.trace`));
      assert.equal(batch.error, undefined);
    }
  });

  it("decodes what a probe of a real kernel captured", () => {
    const batch = load(fixture("uprobe.page"), compileEvents([hit]));
    const texts = [
      "plain",
      'quote"back\\slash',
      "tab\tnewline\n",
      "grüß",
      "\ufffd\ufffd bad \ufffd",
      "",
    ];
    const expected = texts.map((s, i) => ({
      a: i - 3,
      s,
      x: 0xfffffffffffffff0n + BigInt(i),
      arr: [1, 2, 65535, 4],
      bad: null,
      strs: s,
      b: [14, 15, 15, 0, 0, 1][i],
      y: -16n + BigInt(i),
      c: ["p".charCodeAt(0), "q".charCodeAt(0), "t".charCodeAt(0), "g".charCodeAt(0), 0xff, 0][i],
      p: [4202500n, 4202506n, 4202523n, 4202536n, 4202543n, 4202535n][i],
      strs2: [s, "two"],
      i8: i - 3,
    }));
    assert.deepEqual(recordsOf(batch).map(({ args }) => args), expected);
    const [first] = recordsOf(batch);
    assert.deepEqual(
      [first!.type, first!.cpu, first!.probe, first!.event, first!.comm],
      ["event", 1, "hit", "sonde_test/hit", `thread ${first!.tid}`],
    );
  });

  it("leaves out and counts entries of unknown events", () => {
    const page = pageOf(1n, [
      ...[word(3, 0), 305, 42, 110],
      ...[word(3, 1), 999, 42, 110],
      ...[word(3, 1), 305, 43, 111],
    ]);
    const batch = load(page, compileEvents([getppid]));
    assert.deepEqual([batch.count, batch.unknown, batch.malformed], [2, 1, 0]);
    assert.deepEqual(recordsOf(batch).map(({ timeNs, tid }) => [timeNs, tid]), [[1n, 42], [
      3n,
      43,
    ]]);
    assert.equal(load(page, new Map()).unknown, 3);
  });

  it("leaves out and counts entries that are cut short, and names the first", () => {
    const batch = load(
      pageOf(1n, [
        ...[word(1, 0), 305],
        ...[word(2, 0), 305, 42],
        ...[word(3, 0), 305, 42, 110],
      ]),
      compileEvents([getppid]),
    );
    assert.deepEqual([batch.count, batch.malformed], [1, 2]);
    assert.equal(batch.error?.offset, 20);
    assert.match(batch.error!.message, /an entry of 4 bytes is cut short/);
  });

  it("tells losses in front of it and damage in it", () => {
    assert.equal(load(fixture("marker-loss.page"), new Map()).lost, 24);
    assert.equal(load(fixture("getppid-loss-0.page"), new Map()).lost, null);
    const damaged = fixture("getppid-loss-2.page");
    new DataView(damaged.buffer).setUint32(16 + 20 * 50, word(28, 0), true);
    const batch = load(damaged, compileEvents([getppid]));
    assert.ok(batch.count >= 50);
    assert.ok(batch.error !== undefined || batch.malformed + batch.unknown > 0);
  });

  it("reads the pages of one big read one after the other", () => {
    const pages = [0, 1, 2].map((n) => fixture(`getppid-loss-${n}.page`));
    const all = new Uint8Array(3 * 4096);
    pages.forEach((page, i) => all.set(page, i * 4096));
    const batch = new RecordBatch(compileEvents([getppid]), () => "");
    const times: bigint[] = [];
    for (let offset = 0; offset < all.length; offset += 4096) {
      batch.load(0, all, DEFAULT_PAGE_LAYOUT, offset);
      for (let i = 0; i < batch.count; i++) times.push(batch.time(i));
    }
    assert.deepEqual(
      times,
      pages.flatMap((page) => recordsOf(load(page, compileEvents([getppid]))).map((r) => r.timeNs)),
    );
  });

  it("decodes whatever fits, and crashes on nothing", () => {
    const fields = [
      ["u8 tiny[]", 8, 3],
      ["__data_loc char[] s", 11, 4],
      ["__rel_loc u64[] list", 15, 4],
      ["__data_loc char[][3] names", 19, 12],
      ["char rest[]", 31, 0],
    ] as const;
    const format = formatText("wild", 1, fields);
    const table = compileEvents([{ probe: "wild", event: "a/wild", format }]);
    const entry = fc.uint8Array({ minLength: 4, maxLength: 112 }).map((bytes) => {
      const size = bytes.length & ~3;
      return `${(size / 4).toString(16).padStart(2, "0")}0000000100${
        [...bytes.subarray(2, size)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
      }`;
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        const batch = load(pageOf(1n, entries), table);
        assert.equal(batch.count + batch.malformed, entries.length);
        recordsOf(batch);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
