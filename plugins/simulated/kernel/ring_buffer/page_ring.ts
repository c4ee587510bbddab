/**
 * The sub-buffers of one CPU: a ring that the writer goes round, and one page beside it that
 * belongs to the reader. To get at the oldest data the reader swaps its empty page for the head
 * of the ring (kernel/trace/ring_buffer.c, `rb_get_reader_page`).
 * @module
 */

import { SubBuffer } from "./sub_buffer.ts";

/** Ring of sub-buffers and the reader's page. */
export class PageRing {
  /** Oldest page in the ring. */
  head: SubBuffer;
  /** Page that is written to; may be the reader's, which has left the ring. */
  tail: SubBuffer;
  /** Page that is read from. Not in the ring; its `next` is where the writer goes on. */
  reader = new SubBuffer();
  #size: number;
  /** Some page of the ring: where a reset starts anew (`cpu_buffer->pages`). */
  #anchor: SubBuffer;

  /** A ring of `size` pages, at least two. */
  constructor(size: number) {
    const first = new SubBuffer();
    this.head = this.tail = this.#anchor = first;
    this.#size = 1;
    this.insert(size - 1);
  }

  /** Pages in the ring; the reader's is not counted. */
  get size(): number {
    return this.#size;
  }

  /** Moves the writer on to `page` and empties it. */
  moveTail(page: SubBuffer): void {
    page.write = 0;
    page.entries = 0;
    page.data.commit = 0;
    this.tail = page;
  }

  /** Gives the reader the head of the ring; its own page, emptied, takes that place. */
  swapReader(): SubBuffer {
    const empty = this.reader;
    const oldest = this.head;
    empty.write = 0;
    empty.entries = 0;
    empty.data.commit = 0;
    empty.realEnd = 0;
    empty.next = oldest.next;
    empty.previous = oldest.previous;
    empty.previous.next = empty;
    empty.next.previous = empty;
    this.#anchor = empty.previous;
    this.head = empty.next;
    this.reader = oldest;
    oldest.read = 0;
    return oldest;
  }

  /** Adds `count` empty pages in front of the head (`rb_insert_pages`). */
  insert(count: number): void {
    for (let i = 0; i < count; i++) {
      const page = new SubBuffer();
      page.next = this.head;
      page.previous = this.head.previous;
      page.previous.next = page;
      this.head.previous = page;
    }
    this.#size += count;
  }

  /** Takes out the `count` pages after the tail, oldest data first, and returns them. */
  remove(count: number): SubBuffer[] {
    const before = this.tail === this.reader ? this.tail.next : this.tail;
    const removed: SubBuffer[] = [];
    let page = before.next;
    while (removed.length < count) {
      removed.push(page);
      page = page.next;
    }
    before.next = page;
    page.previous = before;
    if (removed.includes(this.head)) this.head = page;
    this.#anchor = page;
    this.#size -= count;
    return removed;
  }

  /** Empties every page; time stamps and old bytes stay, as in the kernel. */
  reset(): void {
    let page = this.#anchor;
    do {
      page.clear();
      page = page.next;
    } while (page !== this.#anchor);
    this.reader.clear();
    this.head = this.tail = this.#anchor;
  }
}
