import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DEFAULT_PAGE_LAYOUT } from "../../../core/event/header_page.ts";
import { EntryColumns, type PageCursor, PageError, walkPage } from "../../../core/event/page.ts";
import { fixture, pageOf, walk, word } from "./pages.ts";

const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
const MISSED = 0x80000000;
const STORED = 0x40000000;

const times = (page: Uint8Array) => walk(page).entries.map(({ time }) => time);

describe("walkPage", () => {
  it("finds entries with their length in the header or in a word of their own", () => {
    const page = pageOf(100n, [word(2, 0), "0102030405060708", word(0, 5), 8, "0a0b0c0d"]);
    assert.deepEqual(walk(page), {
      lost: 0,
      error: undefined,
      entries: [{ time: 100n, start: 20, length: 8 }, { time: 105n, start: 36, length: 4 }],
    });
  });

  it("adds time extends, and leaves the deltas of padding out", () => {
    const page = pageOf(2n ** 63n, [
      word(1, 0),
      7,
      word(PADDING, 1000),
      8,
      0,
      word(TIME_EXTEND, 3),
      0xffffffff,
      word(1, 0),
      7,
      word(1, 0x7ffffff),
      7,
    ]);
    const extended = 2n ** 63n + 3n + 0xffffffffn * 2n ** 27n;
    assert.deepEqual(times(page), [2n ** 63n, extended, extended + 0x7ffffffn]);
  });

  it("stops at the null entry that ends a page", () => {
    const page = pageOf(1n, [word(1, 0), 7, word(PADDING, 0), word(1, 1), 7]);
    assert.deepEqual(times(page), [1n]);
    assert.equal(walk(page).error, undefined);
  });

  it("takes absolute stamps, with the high bits of the page's time", () => {
    const stamp = (time: bigint) => [
      word(TIME_STAMP, Number(time & 0x7ffffffn)),
      Number((time >> 27n) & 0xffffffffn),
    ];
    const low = 2n ** 59n - 5n;
    assert.deepEqual(times(pageOf(3n, [...stamp(low), word(1, 0), 7, word(1, 6), 7])), [
      low,
      low + 6n,
    ]);
    // A clock such as tai is past 2^59 ns; one that has just wrapped is in the next round.
    const page = pageOf(5n * 2n ** 59n + low, [...stamp(low + 1n), word(1, 0), 7]);
    assert.deepEqual(times(page), [5n * 2n ** 59n + low + 1n]);
    const wrapped = pageOf(5n * 2n ** 59n + low, [...stamp(2n), word(1, 0), 7]);
    assert.deepEqual(times(wrapped), [6n * 2n ** 59n + 2n]);
  });

  it("keeps times exact, whatever they are", () => {
    const step = fc.record({
      extend: fc.option(fc.bigInt({ min: 0n, max: 2n ** 59n - 1n })),
      delta: fc.nat(0x7ffffff),
    });
    const start = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 50 }), (time, steps) => {
        const words: number[] = [];
        const expected: bigint[] = [];
        let now = time;
        for (const { extend, delta } of steps) {
          if (extend !== null) {
            words.push(word(TIME_EXTEND, Number(extend & 0x7ffffffn)), Number(extend >> 27n));
            now += extend;
          }
          words.push(word(1, delta), 7);
          now += BigInt(delta);
          expected.push(now);
        }
        assert.deepEqual(times(pageOf(time, words)), expected);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("says how many events were lost, or that it cannot be known", () => {
    const entry = [word(1, 0), 7];
    assert.equal(walk(pageOf(1n, entry)).lost, 0);
    assert.equal(walk(pageOf(1n, entry, MISSED)).lost, null);
    const stored = pageOf(1n, entry, MISSED + STORED);
    new DataView(stored.buffer).setBigUint64(24, 1800n, true);
    assert.equal(walk(stored).lost, 1800);
    assert.equal(walk(stored).entries.length, 1);
  });

  it("takes the walk up again where a mapped page had ended", () => {
    const view = new DataView(pageOf(50n, [word(1, 0), 7, word(1, 3), 7, word(1, 4), 8]).buffer);
    const columns = new EntryColumns();
    const cursor: PageCursor = { position: 0, seconds: 0, nanos: 0 };
    view.setUint32(8, 16, true);
    walkPage(view, 0, DEFAULT_PAGE_LAYOUT, columns, cursor);
    assert.equal(columns.count, 2);
    walkPage(view, 0, DEFAULT_PAGE_LAYOUT, columns, cursor);
    assert.equal(columns.count, 0);
    view.setUint32(8, 24, true);
    walkPage(view, 0, DEFAULT_PAGE_LAYOUT, columns, cursor);
    assert.deepEqual([columns.count, columns.nanos[0], columns.starts[0]], [1, 57, 36]);
  });

  it("reads pages of other kernels: bigger, and with a 32-bit commit word", () => {
    const layout = { timeStamp: 0, commit: 8, longSize: 4, data: 12, size: 8192 } as const;
    const page = new Uint8Array(layout.size);
    const view = new DataView(page.buffer);
    view.setBigUint64(0, 9n, true);
    view.setUint32(8, 8 + 0xc0000000, true);
    view.setUint32(12, word(1, 0), true);
    view.setUint32(20, 77, true);
    const columns = new EntryColumns();
    assert.equal(walkPage(view, 0, layout, columns).lost, 77);
    assert.deepEqual([columns.count, columns.starts[0], columns.nanos[0]], [1, 16, 9]);
  });
});

describe("pages of a real kernel", () => {
  it("have as many events as their statistics said, and a loss of unknown size", () => {
    const pages = [0, 1, 2].map((n) => walk(fixture(`getppid-loss-${n}.page`)));
    assert.deepEqual(pages.map(({ entries }) => entries.length), [204, 204, 104]);
    assert.deepEqual(pages.map(({ lost }) => lost), [null, 0, 0]);
    assert.ok(pages.every(({ error }) => error === undefined));
    const all = pages.flatMap(({ entries }) => entries.map(({ time }) => time));
    assert.ok(all.every((time, i) => i === 0 || time > all[i - 1]!));
  });

  it("tell the number of lost events where there is room for it", () => {
    const { lost, entries } = walk(fixture("marker-loss.page"));
    assert.equal(lost, 24);
    assert.equal(entries.length, 12);
  });
});

describe("damaged pages", () => {
  const broken = (page: Uint8Array) => {
    const { error, entries } = walk(page);
    assert.ok(error instanceof PageError);
    return { offset: error.offset, message: error.message, kept: entries.length };
  };

  it("keep what was readable and name the byte", () => {
    const good = [word(1, 0), 7];
    assert.deepEqual(broken(pageOf(1n, [...good, word(5, 0), 1])), {
      offset: 24,
      message: "Damaged page at byte 24: an entry of 24 bytes, where 8 are left",
      kept: 1,
    });
    assert.match(broken(pageOf(1n, [...good, word(0, 0), 3, 0])).message, /entry of 7 bytes/);
    assert.match(broken(pageOf(1n, [...good, word(0, 0)])).message, /second word/);
    assert.match(broken(pageOf(1n, [...good, word(TIME_EXTEND, 0)])).message, /second word/);
    assert.match(broken(pageOf(1n, [...good, "0102"])).message, /2 bytes that are no entry/);
    assert.match(broken(pageOf(1n, [...good, word(PADDING, 1), 0xfffffff0])).message, /4294967284/);
  });

  it("end where their bytes end", () => {
    const page = pageOf(1n, [word(1, 0), 7, word(1, 1), 8]);
    assert.equal(broken(page.subarray(0, 30)).kept, 1);
    assert.deepEqual(broken(page.subarray(0, 12)), {
      offset: 0,
      message: "Damaged page at byte 0: 12 bytes are less than a page header",
      kept: 0,
    });
    new DataView(page.buffer).setUint32(8, 5000, true);
    assert.equal(broken(page).offset, 8);
  });

  it("never crash the walk, whatever their bytes are", () => {
    const flips = fc.array(fc.tuple(fc.nat(4095), fc.nat(255)), { maxLength: 30 });
    const page = fixture("getppid-loss-0.page");
    fc.assert(
      fc.property(flips, fc.nat(4096), (list, length) => {
        const copy = page.slice(0, length);
        for (const [at, value] of list) copy[at % length] = value;
        const { entries } = walk(copy);
        for (const { start, length: size } of entries) assert.ok(start + size <= length);
      }),
      { numRuns: 600, seed: 1 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 4200 }), (bytes) => {
        walk(bytes);
      }),
      { numRuns: 500, seed: 2 },
    );
  });
});
