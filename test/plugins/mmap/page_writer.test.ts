import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHeaderPage } from "../../../core/event/header_page.ts";
import { EntryColumns, walkPage } from "../../../core/event/page.ts";
import { HEADER_PAGE, PageWriter } from "../../../plugins/mmap/page_writer.ts";

const layout = parseHeaderPage(HEADER_PAGE);

type Item =
  | { readonly kind: "entry"; readonly time: bigint; readonly words: number }
  | { readonly kind: "lost"; readonly count: number };

/** What core reads of the pages that are written of `items`. */
function readBack(items: readonly Item[]): Item[] {
  const found: Item[] = [];
  const columns = new EntryColumns();
  const writer = new PageWriter((page) => {
    const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    const { lost, error } = walkPage(view, 0, layout, columns);
    assert.equal(error, undefined);
    if (lost !== 0) found.push({ kind: "lost", count: lost! });
    for (let i = 0; i < columns.count; i++) {
      const words = columns.lengths[i]! / 4;
      // The data are those of this very entry: each is filled with its own length.
      assert.equal(view.getUint32(columns.starts[i]!, true), words);
      const time = BigInt(columns.seconds[i]!) * 1_000_000_000n + BigInt(columns.nanos[i]!);
      found.push({ kind: "entry", time, words });
    }
  });
  for (const item of items) {
    if (item.kind === "lost") {
      writer.lose(item.count);
      continue;
    }
    const at = writer.entry(item.time, item.words * 4);
    new DataView(writer.bytes.buffer).setUint32(at, item.words, true);
  }
  writer.flush();
  return found;
}

/** Losses right behind each other are one. */
function joinLosses(items: readonly Item[]): Item[] {
  const joined: Item[] = [];
  for (const item of items) {
    const last = joined.at(-1);
    if (item.kind === "lost" && last?.kind === "lost") {
      joined[joined.length - 1] = { kind: "lost", count: last.count + item.count };
    } else joined.push(item);
  }
  return joined;
}

describe("PageWriter", () => {
  const entry = fc.record({
    kind: fc.constant("entry" as const),
    time: fc.bigInt({ min: 0n, max: (1n << 58n) - 1n }),
    words: fc.oneof(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 16384 })),
  }, { noNullPrototype: true });
  const lost = fc.record({
    kind: fc.constant("lost" as const),
    count: fc.integer({ min: 1, max: 0xffffffff }),
  }, { noNullPrototype: true });

  it("keeps every entry, time and loss in its place, whatever the order of time", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: entry }, lost)), (items) => {
        assert.deepEqual(readBack(items), joinLosses(items));
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it("keeps times that are close together", () => {
    const items = [0n, 1n, 1n, (1n << 27n) + 1n, 3n << 27n, (3n << 27n) - 1n].map((time) => ({
      kind: "entry" as const,
      time: time + 9_100_000_000_000_000_000n / 64n,
      words: 3,
    }));
    assert.deepEqual(readBack(items), items);
  });
});
