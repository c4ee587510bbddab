import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { DEFAULT_PAGE_LAYOUT } from "../../../../../core/event/header_page.ts";
import { EntryColumns, walkPage } from "../../../../../core/event/page.ts";
import { RingBuffer } from "../../../../../plugins/simulated/kernel/ring_buffer/ring_buffer.ts";

/** A page that Linux 6.18 handed out; it writes the missed flag as 6.1 does. */
function realPage(name: string): Uint8Array {
  const fixtures = new URL("../../../../core/event/fixtures/", import.meta.url);
  return new Uint8Array(readFileSync(new URL(name, fixtures)));
}

function entriesOf(page: Uint8Array): { time: bigint; data: Uint8Array }[] {
  const columns = new EntryColumns();
  walkPage(new DataView(page.buffer), 0, DEFAULT_PAGE_LAYOUT, columns);
  return Array.from({ length: columns.count }, (_, i) => {
    const start = columns.starts[i]!;
    return {
      time: BigInt(columns.seconds[i]!) * 1_000_000_000n + BigInt(columns.nanos[i]!),
      data: page.subarray(start, start + columns.lengths[i]!),
    };
  });
}

/** An instance as it is made, then set to `buffer_size_kb`. */
function ringOf(kib: number): RingBuffer {
  const ring = new RingBuffer({ cpus: 1, kernel: "6.1" });
  ring.resize(kib * 1024);
  return ring;
}

function readPage(ring: RingBuffer): Uint8Array {
  const page = new Uint8Array(4096);
  assert.equal(ring.openRaw(0).read(page), 4096);
  return page;
}

describe("what a real kernel wrote", () => {
  it("is written byte for byte: time extends", () => {
    const page = realPage("getppid-extend.page");
    const ring = ringOf(64);
    for (const { time, data } of entriesOf(page)) ring.write(0, data, time);
    // The statistics that the kernel showed before the page was read.
    assert.match(ring.stats(0, 0n), /^entries: 12\noverrun: 0\n.*\nbytes: 280\n/);
    assert.deepEqual(readPage(ring), page);
  });

  it("is written byte for byte: overwritten pages, full to the last byte", () => {
    const pages = [0, 1, 2].map((n) => realPage(`getppid-loss-${n}.page`));
    const ring = ringOf(8);
    const entries = pages.flatMap(entriesOf);
    const [first] = entries;
    for (let i = 4488n; i > 0n; i--) ring.write(0, first!.data, first!.time - i);
    for (const { time, data } of entries) ring.write(0, data, time);
    assert.match(ring.stats(0, 0n), /^entries: 512\noverrun: 4488\n.*\nbytes: 10240\n/);
    for (const page of pages) assert.deepEqual(readPage(ring), page);
    assert.match(
      ring.stats(0, 0n),
      /^entries: 0\noverrun: 4488\n.*\nbytes: 0\n[^]*read events: 512\n/,
    );
  });

  it("is written byte for byte: padding at the end and the number of lost events behind it", () => {
    const page = realPage("marker-loss.page");
    const kept = new Map(
      entriesOf(page).map((
        entry,
      ) => [new DataView(entry.data.slice().buffer).getUint32(8, true), entry]),
    );
    const [first] = kept.values();
    const ring = ringOf(8);
    for (let i = 0; i < 60; i++) {
      const data = new Uint8Array(8 + 4 + 300 + i % 7).fill(65 + i % 26);
      data.set(first!.data.subarray(0, 8));
      new DataView(data.buffer).setUint32(8, i, true);
      ring.write(0, data, kept.get(i)?.time ?? first!.time - 60n + BigInt(i));
    }
    assert.match(ring.stats(0, 0n), /^entries: 36\noverrun: 24\n.*\nbytes: 12052\n/);
    assert.deepEqual(readPage(ring), page);
    assert.match(ring.stats(0, 0n), /^entries: 24\n[^]*\nbytes: 7972\n[^]*read events: 12\n/);
  });
});
