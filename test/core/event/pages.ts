/** Pages made by hand and read from real kernels, for tests. */

import { readFileSync } from "node:fs";
import { DEFAULT_PAGE_LAYOUT } from "../../../core/event/header_page.ts";
import { EntryColumns, walkPage } from "../../../core/event/page.ts";

/** Words of a page's data: numbers are u32, text is hex. */
export type PageWord = number | string;

/** A sub-buffer of 4 KiB with `time`, the commit word's `flags` and `words` as its data. */
export function pageOf(time: bigint, words: readonly PageWord[], flags = 0): Uint8Array {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  let at = 16;
  for (const word of words) {
    if (typeof word === "number") {
      view.setUint32(at, word, true);
      at += 4;
    } else {
      for (const byte of word.match(/../g) ?? []) page[at++] = parseInt(byte, 16);
    }
  }
  view.setBigUint64(0, time, true);
  view.setUint32(8, (at - 16 + flags) >>> 0, true);
  return page;
}

/** Header of an entry. */
export function word(type: number, delta: number): number {
  return ((delta << 5) | type) >>> 0;
}

/** A page or a text that a real kernel wrote. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
}

/** What a walk over a page finds, as values. */
export function walk(page: Uint8Array) {
  const columns = new EntryColumns();
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const { lost, error } = walkPage(view, 0, DEFAULT_PAGE_LAYOUT, columns);
  const entries = Array.from({ length: columns.count }, (_, i) => ({
    time: BigInt(columns.seconds[i]!) * 1_000_000_000n + BigInt(columns.nanos[i]!),
    start: columns.starts[i]!,
    length: columns.lengths[i]!,
  }));
  return { lost, error, entries };
}
