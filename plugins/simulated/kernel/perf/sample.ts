/**
 * The records that events write: SAMPLE and LOST (kernel/events/core.c, `perf_output_sample`).
 * @module
 */
import { MISC, PAGE_SIZE, RECORD, SAMPLE } from "./abi.ts";
import type { PerfAttr } from "./attr.ts";
import type { Occurrence } from "./occurrence.ts";
import { INSTRUCTION_POINTER, PROGRAM_REGISTERS, sampledRegisters } from "./registers.ts";

/** What a record takes from the event that writes it. */
export interface SampleSource {
  readonly id: bigint;
  readonly attr: PerfAttr;
  readonly version: "6.1" | "6.12";
  readonly arch: "x86_64" | "aarch64";
  /** What read(2) would answer. */
  values(): readonly bigint[];
}

/** What a record takes from the moment in which it is written. */
export interface SampleMoment {
  readonly occurrence: Occurrence;
  /** Nanoseconds of the event's clock. */
  readonly time: bigint;
  readonly period: bigint;
  /** The entry of the trace event, or null for an event that has none. */
  readonly raw: Uint8Array | null;
}

/** Records are at most this long: their size is 16 bits. */
const MAX_SIZE = 0xffff;

/** Bytes of the memory that records are made in: the longest, and what is cut off from it. */
const SCRATCH_SIZE = 0x20000;

/** Registers of a 64-bit task (`PERF_SAMPLE_REGS_ABI_64`). */
const ABI_64 = 2n;

/** What stands before the addresses of the kernel and of a program (`PERF_CONTEXT_*`). */
const CONTEXT_KERNEL = BigInt.asUintN(64, -128n);
const CONTEXT_USER = BigInt.asUintN(64, -512n);

/** `PERF_MEM_NA`: nothing is known of the memory that was accessed. */
const NO_DATA_SOURCE = { "6.1": 0x508_0021n, "6.12": 0x1e_0508_0021n } as const;

const PAGE = BigInt(PAGE_SIZE);

/** Writes one record, field after field. */
class RecordWriter {
  static readonly #scratch = new Uint8Array(SCRATCH_SIZE);
  static readonly #view = new DataView(RecordWriter.#scratch.buffer);
  length = 8;

  u64(value: bigint): void {
    RecordWriter.#view.setBigUint64(this.length, value, true);
    this.length += 8;
  }

  u32(value: number): void {
    RecordWriter.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Bytes, with zeros behind them up to `size`. */
  bytes(bytes: Uint8Array, size: number): void {
    const { length } = this;
    RecordWriter.#scratch.fill(0, length + bytes.length, length + size);
    RecordWriter.#scratch.set(bytes, length);
    this.length += size;
  }

  /** The record, with its header. */
  finish(type: number, misc: number): Uint8Array {
    const view = RecordWriter.#view;
    view.setUint32(0, type, true);
    view.setUint16(4, misc, true);
    view.setUint16(6, this.length, true);
    return RecordWriter.#scratch.slice(0, this.length);
  }
}

/** A SAMPLE record. */
export function sampleRecord(source: SampleSource, moment: SampleMoment): Uint8Array {
  const { attr, id, arch } = source;
  const { occurrence, raw } = moment;
  const { task } = occurrence;
  const { sampleType } = attr;
  const has = (bit: number) => (sampleType & bit) !== 0;
  const writer = new RecordWriter();
  if (has(SAMPLE.identifier)) writer.u64(id);
  if (has(SAMPLE.ip)) writer.u64(occurrence.register(INSTRUCTION_POINTER[arch]));
  if (has(SAMPLE.tid)) putPair(writer, task.pid, task.tid);
  if (has(SAMPLE.time)) writer.u64(moment.time);
  if (has(SAMPLE.addr)) writer.u64(0n);
  if (has(SAMPLE.id)) writer.u64(id);
  if (has(SAMPLE.streamId)) writer.u64(id);
  if (has(SAMPLE.cpu)) putPair(writer, task.cpu, 0);
  if (has(SAMPLE.period)) writer.u64(moment.period);
  if (has(SAMPLE.read)) { for (const value of source.values()) writer.u64(value); }
  if (has(SAMPLE.callchain)) putCallchain(writer, source, occurrence);
  if (has(SAMPLE.raw)) putRaw(writer, raw);
  if (has(SAMPLE.regsUser)) {
    putRegisters(writer, arch, attr.regsUser, occurrence.user ? occurrence : PROGRAM_REGISTERS);
  }
  if (has(SAMPLE.stackUser)) putStack(writer, attr.stackUser);
  if (has(SAMPLE.weight | SAMPLE.weightStruct)) writer.u64(0n);
  if (has(SAMPLE.dataSource)) writer.u64(NO_DATA_SOURCE[source.version]);
  if (has(SAMPLE.transaction)) writer.u64(0n);
  if (has(SAMPLE.regsIntr)) putRegisters(writer, arch, attr.regsIntr, occurrence);
  if (has(SAMPLE.physAddr)) writer.u64(0n);
  if (has(SAMPLE.cgroup)) writer.u64(1n);
  if (has(SAMPLE.dataPageSize)) writer.u64(0n);
  if (has(SAMPLE.codePageSize)) writer.u64(PAGE);
  if (has(SAMPLE.aux)) writer.u64(0n);
  return writer.finish(RECORD.sample, occurrence.user ? MISC.user : MISC.kernel);
}

/** A LOST record: `count` records of the ring are lost, and this event found out. */
export function lostRecord(source: SampleSource, moment: SampleMoment, count: bigint): Uint8Array {
  const { attr: { flags, sampleType }, id } = source;
  const { task } = moment.occurrence;
  const has = (bit: number) => (sampleType & bit) !== 0;
  const writer = new RecordWriter();
  writer.u64(id);
  writer.u64(count);
  if (flags.has("sampleIdAll")) {
    if (has(SAMPLE.tid)) putPair(writer, task.pid, task.tid);
    if (has(SAMPLE.time)) writer.u64(moment.time);
    if (has(SAMPLE.id)) writer.u64(id);
    if (has(SAMPLE.streamId)) writer.u64(id);
    if (has(SAMPLE.cpu)) putPair(writer, task.cpu, 0);
    if (has(SAMPLE.identifier)) writer.u64(id);
  }
  return writer.finish(RECORD.lost, 0);
}

function putPair(writer: RecordWriter, first: number, second: number): void {
  writer.u32(first);
  writer.u32(second);
}

/** Nobody walks stacks here: a callchain has the place itself and nothing above. */
function putCallchain(
  writer: RecordWriter,
  { attr: { flags }, arch }: SampleSource,
  occurrence: Occurrence,
): void {
  const excluded = flags.has(occurrence.user ? "excludeCallchainUser" : "excludeCallchainKernel");
  if (excluded) {
    writer.u64(0n);
    return;
  }
  writer.u64(2n);
  writer.u64(occurrence.user ? CONTEXT_USER : CONTEXT_KERNEL);
  writer.u64(occurrence.register(INSTRUCTION_POINTER[arch]));
}

/** The entry, filled up so that the next field is aligned; its size counts what fills it up. */
function putRaw(writer: RecordWriter, raw: Uint8Array | null): void {
  const size = Math.ceil(((raw?.length ?? 0) + 4) / 8) * 8 - 4;
  writer.u32(size);
  writer.bytes(raw ?? new Uint8Array(), size);
}

function putRegisters(
  writer: RecordWriter,
  arch: SampleSource["arch"],
  mask: bigint,
  registers: Pick<Occurrence, "register">,
): void {
  writer.u64(ABI_64);
  for (const value of sampledRegisters(arch, mask, registers)) writer.u64(value);
}

/** A user stack of which nothing could be copied (`perf_output_sample_ustack`). */
function putStack(writer: RecordWriter, asked: number): void {
  const room = MAX_SIZE - writer.length - 16;
  const size = Math.floor(Math.min(asked, room) / 8) * 8;
  writer.u64(BigInt(size));
  if (size === 0) return;
  writer.bytes(new Uint8Array(), size);
  writer.u64(0n);
}
