/**
 * The records in a ring, told in words that are the same on every kernel: times, ids of events and
 * threads, and addresses are left out.
 * @module
 */
import type { Memory } from "../../../../../core/kernel/port.ts";

const PAGE = 4096;
const HEAD = 1024;
const TAIL = 1032;

function control(ring: Memory): DataView {
  return new DataView(ring.bytes.buffer, ring.bytes.byteOffset, PAGE);
}

export function head(ring: Memory): bigint {
  return control(ring).getBigUint64(HEAD, true);
}

export function setTail(ring: Memory, tail: bigint): void {
  control(ring).setBigUint64(TAIL, tail, true);
}

/** Bytes `from` to `to` of what was written to the ring. */
function bytesBetween(ring: Memory, from: bigint, to: bigint): Uint8Array<ArrayBuffer> {
  const size = BigInt(ring.bytes.length - PAGE);
  const bytes = new Uint8Array(Number(to - from));
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = ring.bytes[PAGE + Number(BigInt.asUintN(64, from + BigInt(i)) % size)];
  }
  return bytes;
}

/** The records between two places. */
export function recordsBetween(
  ring: Memory,
  from: bigint,
  to: bigint,
): { readonly type: number; readonly misc: number; readonly body: DataView }[] {
  const bytes = bytesBetween(ring, from, to);
  const view = new DataView(bytes.buffer);
  const records = [];
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint16(at + 6, true);
    if (size < 8 || size % 8 !== 0 || at + size > bytes.length) {
      throw new RangeError(`record of ${size} bytes at ${at} of ${bytes.length}`);
    }
    records.push({
      type: view.getUint32(at, true),
      misc: view.getUint16(at + 4, true),
      body: new DataView(bytes.buffer, at + 8, size - 8),
    });
    at += size;
  }
  return records;
}

/** Takes what is new out of a ring. */
export function drain(ring: Memory): ReturnType<typeof recordsBetween> {
  const from = control(ring).getBigUint64(TAIL, true);
  const to = head(ring);
  const records = recordsBetween(ring, from, to);
  setTail(ring, to);
  return records;
}

/** What a record is made of. */
export interface Layout {
  readonly sample: number;
  readonly sampleIdAll?: boolean;
  /** Values that read(2) answers. */
  readonly readValues?: number;
  readonly registers?: { readonly user: number; readonly interrupted: number };
  /** Addresses at the start of a probe's entry; 1 unless told. */
  readonly addresses?: number;
}

const has = (layout: Layout, bit: number) => (layout.sample >> bit & 1) === 1;

/** Walks a record's body. */
class Reader {
  readonly words: string[] = [];
  #at = 0;
  readonly #body: DataView;

  constructor(body: DataView) {
    this.#body = body;
  }

  u64(): bigint {
    this.#at += 8;
    return this.#body.getBigUint64(this.#at - 8, true);
  }

  u32(): number {
    this.#at += 4;
    return this.#body.getUint32(this.#at - 4, true);
  }

  take(length: number): Uint8Array {
    this.#at += length;
    return new Uint8Array(this.#body.buffer, this.#body.byteOffset + this.#at - length, length);
  }

  get left(): number {
    return this.#body.byteLength - this.#at;
  }
}

/** One record in words. */
export function describeRecord(
  { type, misc, body }: { readonly type: number; readonly misc: number; readonly body: DataView },
  layout: Layout,
): string {
  const reader = new Reader(body);
  const words = type === 9
    ? describeSample(reader, layout)
    : type === 2
    ? describeLost(reader, layout)
    : [`${reader.left} bytes`];
  const name = { 2: "LOST", 9: "SAMPLE" }[type] ?? `type ${type}`;
  return [name, `misc=${misc}`, ...words, ...(reader.left > 0 ? [`${reader.left} left`] : [])]
    .join(" ");
}

const some = (name: string, value: bigint | number) => `${name}=${value ? "some" : "0"}`;

function describeLost(reader: Reader, layout: Layout): string[] {
  const words = [some("id", reader.u64()), `lost=${reader.u64()}`];
  if (!layout.sampleIdAll) return words;
  if (has(layout, 1)) words.push(some("pid", reader.u32()), some("tid", reader.u32()));
  if (has(layout, 2)) words.push(some("time", reader.u64()));
  if (has(layout, 6)) words.push(some("ID", reader.u64()));
  if (has(layout, 9)) words.push(some("stream", reader.u64()));
  if (has(layout, 7)) words.push(`cpu=${reader.u32()}`, `res=${reader.u32()}`);
  if (has(layout, 16)) words.push(some("identifier", reader.u64()));
  return words;
}

function describeSample(reader: Reader, layout: Layout): string[] {
  const words: string[] = [];
  if (has(layout, 16)) words.push(some("identifier", reader.u64()));
  if (has(layout, 0)) words.push(some("ip", reader.u64()));
  if (has(layout, 1)) words.push(some("pid", reader.u32()), some("tid", reader.u32()));
  if (has(layout, 2)) words.push(some("time", reader.u64()));
  if (has(layout, 3)) words.push(`addr=${reader.u64()}`);
  if (has(layout, 6)) words.push(some("ID", reader.u64()));
  if (has(layout, 9)) words.push(some("stream", reader.u64()));
  if (has(layout, 7)) words.push(`cpu=${reader.u32()}`, `res=${reader.u32()}`);
  if (has(layout, 8)) words.push(`period=${reader.u64()}`);
  if (has(layout, 4)) {
    for (let i = 0; i < (layout.readValues ?? 0); i++) words.push(some(`read${i}`, reader.u64()));
  }
  if (has(layout, 5)) {
    const count = Number(reader.u64());
    const first = count > 0 ? BigInt.asIntN(64, reader.u64()) : "none";
    for (let i = 1; i < count; i++) reader.u64();
    words.push(`callchain=${first}`);
  }
  if (has(layout, 10)) words.push(describeRaw(reader.take(reader.u32()), layout.addresses ?? 1));
  if (has(layout, 12)) words.push(describeRegisters("user", reader, layout.registers!.user));
  if (has(layout, 13)) {
    const size = Number(reader.u64());
    words.push(`stack=${size}`);
    if (size > 0) {
      reader.take(size);
      words.push(Number(reader.u64()) <= size ? "copied" : "copied too much");
    }
  }
  if (has(layout, 14)) words.push(`weight=${reader.u64()}`);
  if (has(layout, 15)) words.push(`data=0x${reader.u64().toString(16)}`);
  if (has(layout, 17)) words.push(`txn=${reader.u64()}`);
  if (has(layout, 18)) words.push(describeRegisters("intr", reader, layout.registers!.interrupted));
  if (has(layout, 19)) words.push(`phys=${reader.u64()}`);
  if (has(layout, 21)) words.push(some("cgroup", reader.u64()));
  if (has(layout, 22)) words.push(`page=${reader.u64()}`);
  if (has(layout, 23)) words.push(some("code", reader.u64()));
  if (has(layout, 20)) words.push(`aux=${reader.u64()}`);
  return words;
}

/** The entry's size, its common fields, and what follows the addresses behind them. */
function describeRaw(raw: Uint8Array, addresses: number): string {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const type = view.getUint16(0, true) === 0 ? "none" : "some";
  const rest = Array.from(
    raw.subarray(8 + 8 * addresses),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
  return `raw=${raw.length}:type ${type} flags ${raw[2]} preempt ${raw[3]}:${rest}`;
}

function describeRegisters(name: string, reader: Reader, count: number): string {
  const abi = reader.u64();
  for (let i = 0; i < count && abi !== 0n; i++) reader.u64();
  return `${name}=abi ${abi}`;
}
