import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RingBuffer } from "../../../../../plugins/simulated/kernel/ring_buffer/ring_buffer.ts";

const SIXTEEN = new Uint8Array(16);

/** A ring of two sub-buffers for one CPU. */
const small = () => new RingBuffer({ cpus: 1, bytes: 1 });

/** An entry of 16 bytes that starts with `n`. */
function numbered(n: number): Uint8Array {
  const entry = new Uint8Array(16);
  new DataView(entry.buffer).setUint32(0, n, true);
  return entry;
}

const numberOf = ({ data }: { readonly data: Uint8Array }) =>
  new DataView(data.buffer, data.byteOffset).getUint32(0, true);

function read(ring: RingBuffer, size = 4096): DataView | number | undefined {
  const target = new Uint8Array(size);
  const count = ring.openRaw(0).read(target);
  return count === size ? new DataView(target.buffer) : count;
}

function page(ring: RingBuffer): DataView {
  const view = read(ring);
  assert.ok(view instanceof DataView);
  return view;
}

/** One line of `stats`. */
function stat(ring: RingBuffer, name: string): string {
  return new RegExp(`^${name}: (.*)$`, "m").exec(ring.stats(0, 0n))![1]!;
}

describe("size", () => {
  it("is rounded up to whole sub-buffers, and to two", () => {
    // As /sys/kernel/tracing/instances/*/buffer_size_kb shows for what is written to it.
    const cases = [[1, 7], [4, 7], [7, 7], [8, 11], [9, 11], [12, 15], [64, 67], [1408, 1410]];
    const ring = small();
    for (const [asked, shown] of cases) {
      ring.resize(asked! * 1024);
      assert.equal(ring.cpu(0).size >> 10, shown);
    }
    assert.equal(new RingBuffer({ cpus: 1 }).cpu(0).size >> 10, 1410);
  });

  it("of one CPU or of all, and not while it is held", () => {
    const ring = new RingBuffer({ cpus: 2, bytes: 1 });
    assert.ok(ring.resize(16384, 1));
    assert.deepEqual([ring.cpu(0).size, ring.cpu(1).size], [8160, 20400]);
    ring.holdSize();
    assert.equal(ring.resize(8192), false);
    ring.releaseSize();
    assert.ok(ring.resize(8192));
    assert.deepEqual([ring.cpu(0).size, ring.cpu(1).size], [12240, 12240]);
    assert.throws(() => ring.cpu(2), /No CPU 2: there are 2/);
  });

  it("grows and shrinks around the data", () => {
    const ring = new RingBuffer({ cpus: 1, bytes: 5 * 4080 });
    for (let i = 0; i < 900; i++) ring.write(0, numbered(i), BigInt(i));
    ring.resize(10 * 4080);
    for (let i = 900; i < 1800; i++) ring.write(0, numbered(i), BigInt(i));
    assert.deepEqual([...ring.entries()].map(numberOf), Array.from({ length: 1800 }, (_, i) => i));
    // What follows the writer's page goes first: the oldest, here half of the pages and empty ones.
    ring.resize(3 * 4080);
    const left = [...ring.entries()].map(numberOf);
    assert.equal(left.at(-1), 1799);
    assert.equal(Number(stat(ring, "overrun")), 1800 - left.length);
    assert.equal(Number(stat(ring, "entries")), left.length);
  });
});

describe("writing", () => {
  it("refuses what no page can hold, without counting it", () => {
    const ring = small();
    assert.equal(ring.write(0, new Uint8Array(4073), 1n), false);
    assert.equal(ring.write(0, new Uint8Array(4072), 1n), true);
    assert.equal(stat(ring, "dropped events"), "0");
    assert.equal(stat(ring, "entries"), "1");
    assert.equal(page(ring).getUint32(8, true), 4080);
  });

  it("is off while recording is", () => {
    const ring = small();
    ring.recording = false;
    assert.equal(ring.write(0, SIXTEEN, 1n), false);
    ring.discard(0, 16, 1n);
    ring.recording = true;
    assert.equal(stat(ring, "entries"), "0");
    assert.equal(stat(ring, "bytes"), "0");
    assert.ok(ring.empty());
  });

  it("puts the length into the header, or into a word of its own beyond 112 bytes", () => {
    const ring = small();
    const lengths = [0, 1, 4, 5, 8, 112, 113];
    for (const length of lengths) ring.write(0, new Uint8Array(length), 1n);
    const view = page(ring);
    const words: number[][] = [];
    for (let at = 16; at < 16 + view.getUint32(8, true);) {
      const type = view.getUint8(at) & 31;
      const size = type === 0 ? view.getUint32(at + 4, true) : type * 4;
      words.push([type, size]);
      at += 4 + size;
    }
    // 8 bytes with their header would be 12, too little to become a stamp and padding: 16.
    assert.deepEqual(words, [[1, 4], [1, 4], [1, 4], [3, 12], [3, 12], [28, 112], [0, 120]]);
  });

  it("marks what is too late for a delta, and does not where a page begins", () => {
    const ring = small();
    ring.write(0, SIXTEEN, 1n);
    ring.write(0, SIXTEEN, 2n + (1n << 40n));
    ring.write(0, SIXTEEN, 1n + (1n << 40n));
    const view = page(ring);
    assert.equal(view.getBigUint64(0, true), 1n);
    assert.deepEqual(
      [view.getUint32(16, true), view.getUint32(36, true), view.getUint32(40, true)],
      [4, (1 << 5) | 30, 1 << 13],
    );
    assert.equal(view.getUint32(44, true), 4);
    // A clock that goes back: no delta can say so.
    assert.deepEqual([view.getUint32(64, true), view.getUint32(68, true)], [30, 0]);
  });

  it("gives every entry the whole clock where that is asked for", () => {
    const ring = small();
    ring.absoluteStamps = true;
    ring.write(0, SIXTEEN, 5n);
    ring.write(0, SIXTEEN, (1n << 27n) + 6n);
    const view = page(ring);
    assert.deepEqual([view.getUint32(16, true), view.getUint32(20, true)], [(5 << 5) | 31, 0]);
    assert.deepEqual([view.getUint32(44, true), view.getUint32(48, true)], [(6 << 5) | 31, 1]);
    assert.equal(ring.write(0, new Uint8Array(4060), 7n), false);
    assert.deepEqual([...ring.entries()].map(({ time }) => time), []);
  });

  it("takes a discarded entry back; the next one has the whole clock", () => {
    const ring = small();
    ring.write(0, numbered(1), 100n);
    ring.discard(0, 16, 101n);
    ring.write(0, numbered(2), 102n);
    assert.deepEqual([...ring.entries()].map((entry) => [numberOf(entry), entry.time]), [
      [1, 100n],
      [2, 102n],
    ]);
    assert.equal(stat(ring, "bytes"), "48");
    assert.equal(page(ring).getUint32(36, true), (102 << 5) | 31);
  });

  it("overwrites the oldest page, or drops the newest entry", () => {
    // Figures of a real kernel: 5,000 entries of 16 bytes in 8 KiB.
    const overwriting = new RingBuffer({ cpus: 1, bytes: 8192 });
    const dropping = new RingBuffer({ cpus: 1, bytes: 8192 });
    dropping.overwrite = false;
    for (let i = 0; i < 5000; i++) {
      assert.equal(overwriting.write(0, numbered(i), BigInt(i)), true);
      assert.equal(dropping.write(0, numbered(i), BigInt(i)), i < 612);
    }
    const names = ["entries", "overrun", "bytes", "dropped events"];
    assert.deepEqual(names.map((name) => stat(overwriting, name)), ["512", "4488", "10240", "0"]);
    assert.deepEqual(names.map((name) => stat(dropping, name)), ["612", "0", "12240", "4388"]);
    assert.equal(numberOf(overwriting.consume()!), 4488);
    assert.equal(numberOf(dropping.consume()!), 0);
  });
});

describe("trace_pipe_raw", () => {
  it("gives whole sub-buffers, zero behind the data, also of a page that is not full", () => {
    const ring = small();
    ring.write(0, SIXTEEN.map(() => 0xaa), 1n);
    const view = page(ring);
    assert.equal(view.getUint32(8, true), 20);
    assert.ok(new Uint8Array(view.buffer).subarray(36).every((byte) => byte === 0));
    ring.write(0, SIXTEEN, 3n);
    const next = page(ring);
    // The rest of the same page: its time is that of the entry before.
    assert.deepEqual([next.getBigUint64(0, true), next.getUint32(16, true)], [1n, (2 << 5) | 4]);
  });

  it("has nothing for an empty buffer and no entry for a small read", () => {
    const ring = small();
    assert.equal(read(ring), undefined);
    ring.write(0, SIXTEEN, 1n);
    assert.equal(read(ring, 16), 0);
    assert.equal(read(ring, 35), 0);
    assert.equal(ring.openRaw(0).read(new Uint8Array(0)), 0);
    assert.ok(read(ring, 36) instanceof DataView);
    assert.equal(read(ring), undefined);
    assert.equal(stat(ring, "read events"), "1");
  });

  it("continues a page that was read in part", () => {
    const ring = small();
    for (let i = 0; i < 300; i++) ring.write(0, numbered(i), BigInt(i));
    const whole = new RingBuffer({ cpus: 1, bytes: 1 });
    for (let i = 0; i < 300; i++) whole.write(0, numbered(i), BigInt(i));
    const pipe = whole.openRaw(0);
    const parts = new Uint8Array(4096);
    // The first read must have room for the page, or only part of it is taken.
    assert.equal(pipe.read(parts.subarray(0, 4096)), 4096);
    const pieces = new Uint8Array(4096);
    const other = ring.openRaw(0);
    for (let at = 0; at < 4096;) at += other.read(pieces.subarray(at, at + 1000))!;
    assert.equal(new DataView(pieces.buffer).getUint32(8, true), 980);
    assert.equal(new DataView(parts.buffer).getUint32(8, true), 4080);
  });

  it("flags a loss in front of the page, with the number if there is room", () => {
    // 145 entries of 28 bytes leave 20 bytes of the page, 170 of 24 bytes none.
    for (const [length, commit] of [[24, 0xc0000000 + 4060], [20, 0x80000000 + 4080]]) {
      const ring = small();
      for (let i = 0; i < 1000; i++) ring.write(0, new Uint8Array(length!), BigInt(i));
      const lost = Number(stat(ring, "overrun"));
      const view = page(ring);
      assert.equal(view.getUint32(8, true), commit);
      if (length === 24) assert.equal(view.getUint32(16 + 4060, true), lost);
      assert.equal(page(ring).getUint32(8, true) >>> 30, 0);
    }
  });

  it("fills the upper half of the commit word with the flag where the kernel does", () => {
    for (const kernel of ["6.1", "6.12"] as const) {
      const ring = new RingBuffer({ cpus: 1, bytes: 1, kernel });
      for (let i = 0; i < 1000; i++) ring.write(0, SIXTEEN, BigInt(i));
      assert.equal(page(ring).getInt32(12, true), kernel === "6.1" ? -1 : 0);
    }
  });

  it("is readable by any data, or by so many percent of the pages", () => {
    const ring = new RingBuffer({ cpus: 1, bytes: 10 * 4080 });
    assert.equal(ring.readable(0, 0), false);
    for (let i = 0; i < 204 * 4; i++) ring.write(0, SIXTEEN, BigInt(i));
    assert.equal(ring.readable(0, 0), true);
    assert.equal(ring.readable(0, 50), false);
    for (let i = 0; i < 204; i++) ring.write(0, SIXTEEN, BigInt(i + 1000));
    assert.equal(ring.readable(0, 50), true);
    assert.equal(ring.readable(0, 100), false);
    for (let i = 0; i < 204 * 6; i++) ring.write(0, SIXTEEN, BigInt(i + 2000));
    assert.equal(ring.readable(0, 100), true);
  });
});

describe("trace and trace_pipe", () => {
  it("show the entries of all CPUs by time; trace takes none, trace_pipe takes them", () => {
    const ring = new RingBuffer({ cpus: 3 });
    const writes = [[2, 10n], [0, 12n], [1, 12n], [2, 13n], [0, 20n]] as const;
    writes.forEach(([cpu, time], i) => ring.write(cpu, numbered(i), time));
    const expected = writes.map(([cpu, time], i) => [cpu, time, i]);
    const shape = (entry: Parameters<typeof numberOf>[0] & { cpu: number; time: bigint }) => [
      entry.cpu,
      entry.time,
      numberOf(entry),
    ];
    assert.deepEqual([...ring.entries()].map(shape), expected);
    assert.deepEqual([...ring.entries(2)].map(shape), expected.filter(([cpu]) => cpu === 2));
    const taken = [];
    for (let entry = ring.consume(); entry !== undefined; entry = ring.consume()) {
      taken.push(shape(entry));
    }
    assert.deepEqual(taken, expected);
    assert.deepEqual([...ring.entries()], []);
    assert.ok(ring.empty());
  });

  it("tell how many entries were lost before the one that follows", () => {
    const ring = small();
    for (let i = 0; i < 1000; i++) ring.write(0, numbered(i), BigInt(i));
    const first = ring.consume(0)!;
    assert.equal(first.lost, numberOf(first));
    assert.equal(ring.consume(0)!.lost, 0);
  });

  it("show what is left of a page that was read in part", () => {
    const ring = small();
    for (let i = 0; i < 5; i++) ring.write(0, numbered(i), BigInt(i) << 30n);
    ring.consume();
    ring.consume();
    assert.deepEqual(
      [...ring.entries()].map((entry) => [numberOf(entry), entry.time]),
      [2, 3, 4].map((n) => [n, BigInt(n) << 30n]),
    );
  });
});

describe("stats and reset", () => {
  it("print what the kernel prints", () => {
    const ring = small();
    ring.write(0, SIXTEEN, 5_801_614_563_999n);
    assert.equal(
      ring.stats(0, 58_010_000_000_000n),
      "entries: 1\noverrun: 0\ncommit overrun: 0\nbytes: 20\noldest event ts:  5801.614563\n" +
        "now ts: 58010.000000\ndropped events: 0\nread events: 0\n",
    );
    assert.match(ring.stats(0, 7n, false), /^oldest event ts: 5801614563999\nnow ts: 7$/m);
    assert.match(small().stats(0, 0n), /^oldest event ts: {5}0.000000$/m);
  });

  it("start again after a reset, but for the oldest time stamp", () => {
    const ring = small();
    for (let i = 0; i < 1000; i++) ring.write(0, numbered(i), 7_000_000_000n + BigInt(i));
    ring.consume();
    ring.reset();
    assert.ok(ring.empty());
    assert.deepEqual([...ring.entries()], []);
    assert.equal(
      ring.stats(0, 0n).replace(/oldest.*\n/, ""),
      "entries: 0\noverrun: 0\ncommit overrun: 0\nbytes: 0\nnow ts:     0.000000\n" +
        "dropped events: 0\nread events: 0\n",
    );
    assert.equal(stat(ring, "oldest event ts"), "    7.000000");
    ring.write(0, numbered(3), 8_000_000_000n);
    assert.deepEqual([numberOf(ring.consume()!), ring.consume()], [3, undefined]);
  });
});
