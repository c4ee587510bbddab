import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DEFAULT_PAGE_LAYOUT } from "../../../../../core/event/header_page.ts";
import { EntryColumns, walkPage } from "../../../../../core/event/page.ts";
import type { ReadEntry } from "../../../../../plugins/simulated/kernel/ring_buffer/reader.ts";
import { RingBuffer } from "../../../../../plugins/simulated/kernel/ring_buffer/ring_buffer.ts";

/** What can be done to a ring buffer of one CPU. */
type Step =
  | { readonly do: "write"; readonly length: number; readonly after: bigint }
  | { readonly do: "discard"; readonly length: number }
  | { readonly do: "read"; readonly size: number }
  | { readonly do: "consume" | "snapshot" | "reset" }
  | { readonly do: "resize"; readonly kib: number }
  | { readonly do: "overwrite" | "absolute"; readonly on: boolean };

const length = fc.oneof(
  fc.integer({ min: 4, max: 200 }),
  fc.integer({ min: 4, max: 4100 }),
  fc.constantFrom(8, 16, 20, 108, 112, 113, 4064, 4072),
);
const after = fc.oneof(
  fc.bigInt({ min: 0n, max: 10_000n }),
  fc.bigInt({ min: 0n, max: 2n ** 50n }),
  fc.constantFrom(2n ** 27n - 1n, 2n ** 27n, 2n ** 27n + 1n, 2n ** 51n + 1n),
);
const write = fc.record({ do: fc.constant("write" as const), length, after });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: write, weight: 40 },
  fc.record({ do: fc.constant("discard" as const), length }),
  {
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      size: fc.constantFrom(4096, 4096, 8192, 2000, 100),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({ do: fc.constantFrom("consume" as const, "snapshot" as const) }),
    weight: 3,
  },
  fc.record({ do: fc.constant("reset" as const) }),
  fc.record({ do: fc.constant("resize" as const), kib: fc.constantFrom(1, 8, 16, 32) }),
  fc.record({ do: fc.constantFrom("overwrite" as const, "absolute" as const), on: fc.boolean() }),
);

/** An entry that was written. Behind its number, its bytes are the lowest byte of that. */
interface Entry {
  readonly number: number;
  readonly time: bigint;
  readonly length: number;
}

/** Runs steps and keeps account of what must come out. */
class Run {
  readonly ring = new RingBuffer({ cpus: 1, bytes: 1 });
  readonly #pipe = this.ring.openRaw(0);
  readonly #page = new Uint8Array(4096);
  readonly #columns = new EntryColumns();
  /** Bytes of the page in {@link #page}; reads may come in parts. */
  #filled = 0;
  /** In the buffer, or overwritten since. */
  #written: Entry[] = [];
  #number = 0;
  #now: bigint;
  #dropped = 0;
  #out = 0;
  #lost = 0;
  #unknownLoss = false;

  constructor(start: bigint) {
    this.#now = start;
  }

  step(step: Step): void {
    switch (step.do) {
      case "write":
        return this.#write(step.length, step.after);
      case "discard":
        return this.#discard(step.length);
      case "read":
        return this.#read(step.size);
      case "consume":
        return this.#consume(this.ring.consume(0));
      case "snapshot":
        return this.#snapshot();
      case "reset":
        this.ring.reset();
        this.#written = [];
        this.#dropped = this.#out = this.#lost = 0;
        this.#unknownLoss = false;
        return;
      case "resize":
        this.ring.resize(step.kib * 1024);
        return;
      case "overwrite":
        this.ring.overwrite = step.on;
        return;
      case "absolute":
        this.ring.absoluteStamps = step.on;
    }
  }

  /** Reads what is left; then every entry is out, lost or dropped. */
  finish(): void {
    const counters = () => this.ring.cpu(0).counters;
    const waiting = counters().entries;
    const before = this.#out;
    for (let i = 0; i < 100 && !this.ring.empty(); i++) this.#read(4096);
    for (let i = 0; i < 2; i++) this.#read(4096);
    assert.ok(this.ring.empty());
    assert.equal(this.#out - before, waiting);
    assert.deepEqual(
      { ...counters(), bytes: 0 },
      {
        entries: 0,
        overrun: counters().overrun,
        bytes: 0,
        dropped: this.#dropped,
        read: this.#out,
      },
    );
    if (!this.#unknownLoss) assert.ok(this.#lost <= counters().overrun);
    // What is gone was overwritten; all else came out in order.
    assert.equal(this.#written.length, 0);
  }

  #write(length: number, after: bigint): void {
    this.#now += after;
    const data = new Uint8Array(length).fill(this.#number & 0xff);
    new DataView(data.buffer).setUint32(0, this.#number, true);
    const dropped = this.ring.cpu(0).counters.dropped;
    if (this.ring.write(0, data, this.#now)) {
      this.#written.push({ number: this.#number, time: this.#now, length });
    } else {
      const counted = this.ring.cpu(0).counters.dropped - dropped;
      assert.ok(counted === 1 || length > 4056);
      this.#dropped += counted;
    }
    this.#number++;
  }

  /** For want of room it may be dropped before it is discarded. */
  #discard(length: number): void {
    const { dropped } = this.ring.cpu(0).counters;
    this.ring.discard(0, length, this.#now);
    this.#dropped += this.ring.cpu(0).counters.dropped - dropped;
  }

  #read(size: number): void {
    const target = new Uint8Array(Math.min(size, 4096 - this.#filled));
    const count = this.#pipe.read(target);
    if (count === undefined) return assert.ok(this.ring.empty());
    this.#page.set(target.subarray(0, count), this.#filled);
    this.#filled += count;
    if (this.#filled < 4096) return count > 0 ? this.#read(4096) : undefined;
    this.#filled = 0;
    const view = new DataView(this.#page.buffer);
    const { lost, error } = walkPage(view, 0, DEFAULT_PAGE_LAYOUT, this.#columns);
    assert.equal(error, undefined);
    if (lost === null) this.#unknownLoss = true;
    else this.#lost += lost;
    const { count: entries, starts, lengths, seconds, nanos } = this.#columns;
    for (let i = 0; i < entries; i++) {
      const time = BigInt(seconds[i]!) * 1_000_000_000n + BigInt(nanos[i]!);
      this.#take(time, this.#page.subarray(starts[i]!, starts[i]! + lengths[i]!));
    }
  }

  #consume(entry: ReadEntry | undefined): void {
    if (entry === undefined) return assert.ok(this.ring.empty());
    this.#lost += entry.lost;
    this.#take(entry.time, entry.data);
  }

  /** An entry came out: it was written, later than those before, and is as it was. */
  #take(time: bigint, data: Uint8Array): void {
    const number = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    while (this.#written.length > 0 && this.#written[0]!.number < number) this.#written.shift();
    const expected = this.#written.shift();
    assert.ok(expected !== undefined, `entry ${number} was never written, or came out before`);
    assert.equal(number, expected.number);
    assert.equal(time, expected.time);
    assert.ok(data.length >= expected.length && data.length < expected.length + 8);
    assert.ok(data.subarray(4, expected.length).every((byte) => byte === (number & 0xff)));
    this.#out++;
  }

  /** `trace` has as many entries as there are, of those that were written, in order. */
  #snapshot(): void {
    const seen = [...this.ring.entries(0)].map(({ time, data }) => ({
      number: new DataView(data.buffer, data.byteOffset).getUint32(0, true),
      time,
    }));
    assert.equal(seen.length, this.ring.cpu(0).counters.entries);
    const numbers = new Set(seen.map(({ number }) => number));
    // Entries on the reader's page survive newer ones that are overwritten.
    const written = this.#written.filter(({ number }) => numbers.has(number));
    assert.deepEqual(seen, written.map(({ number, time }) => ({ number, time })));
  }
}

describe("what is written to a ring buffer", () => {
  it("comes out as it was, in order, at its exact time, or is counted as lost", () => {
    // Not across 2^59: a page from before cannot tell the high bits of an absolute stamp.
    const start = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 57n }),
      fc.bigInt({ min: 2n ** 59n, max: 2n ** 62n }),
    );
    fc.assert(
      fc.property(
        start,
        fc.array(step, { minLength: 1, maxLength: 150, size: "max" }),
        (time, steps) => {
          const run = new Run(time);
          for (const one of steps) run.step(one);
          run.finish();
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });
});
