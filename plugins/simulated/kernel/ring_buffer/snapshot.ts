/**
 * Reading a ring buffer without consuming it, as the `trace` file does
 * (kernel/trace/ring_buffer.c, `rb_iter_peek`).
 * @module
 */

import type { CpuBuffer } from "./cpu_buffer.ts";
import type { ReadEntry } from "./reader.ts";
import {
  dataAt,
  type DataPage,
  deltaAt,
  restoreHighBits,
  sizeAt,
  stampAt,
  TYPE_PADDING,
  TYPE_TIME_EXTEND,
  TYPE_TIME_STAMP,
  typeAt,
} from "./sub_buffer.ts";

/** The entries of one CPU, oldest first. The buffer must not change while this is read. */
export function* entriesOf(buffer: CpuBuffer, readStamp: bigint): Generator<ReadEntry> {
  const { reader, head, tail } = buffer.pages;
  const start = reader.read === 0 ? reader.data.timeStamp : readStamp;
  yield* entriesOfPage(buffer.cpu, reader.data, reader.read, start);
  if (tail === reader) return;
  for (let page = head;; page = page.next) {
    yield* entriesOfPage(buffer.cpu, page.data, 0, page.data.timeStamp);
    if (page === tail) return;
  }
}

function* entriesOfPage(
  cpu: number,
  page: DataPage,
  from: number,
  stamp: bigint,
): Generator<ReadEntry> {
  let time = stamp;
  for (let at = from; at < page.commit; at += sizeAt(page, at)) {
    const type = typeAt(page, at);
    if (type === TYPE_TIME_EXTEND) time += stampAt(page, at);
    else if (type === TYPE_TIME_STAMP) time = restoreHighBits(stampAt(page, at), time);
    else if (type !== TYPE_PADDING) {
      time += BigInt(deltaAt(page, at));
      yield { cpu, time, data: dataAt(page, at), lost: 0 };
    }
  }
}
