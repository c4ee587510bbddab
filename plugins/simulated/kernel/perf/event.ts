/**
 * One perf event: what it counts, whom, and where its samples go.
 * @module
 */
import { compilePredicate, type EntryPredicate } from "../../../../core/filter/compile.ts";
import { FORMAT, SAMPLE } from "./abi.ts";
import type { PerfAttr } from "./attr.ts";
import type { PerfBuffer } from "./buffer.ts";
import type { Occurrence } from "./occurrence.ts";
import type { EventProgram } from "./program.ts";
import { type CounterTimes, readGroup, readOne } from "./read.ts";
import { lostRecord, type SampleMoment, sampleRecord, type SampleSource } from "./sample.ts";
import type { EventSource } from "./pmu.ts";

type BoundFilter = Parameters<typeof compilePredicate>[0];

/** Which clock the times in samples are of. */
export type PerfClock = "local" | "monotonic" | "monotonic_raw" | "realtime" | "boottime" | "tai";

/** What an event is made of. */
export interface PerfEventParts {
  readonly id: bigint;
  readonly attr: PerfAttr;
  readonly version: "6.1" | "6.12";
  readonly arch: "x86_64" | "aarch64";
  readonly source: EventSource;
  /** The CPU it counts on; -1 for any. */
  readonly cpu: number;
  /** The thread it counts; absent for all. */
  readonly target: number | undefined;
  readonly clock: PerfClock;
  /** The leader of its group; absent if it leads itself. */
  readonly leader: PerfEvent | undefined;
  /** Nanoseconds of a clock. */
  now(clock: PerfClock): bigint;
}

/** An open perf event (`struct perf_event`). */
export class PerfEvent implements SampleSource {
  readonly id: bigint;
  readonly attr: PerfAttr;
  readonly version: "6.1" | "6.12";
  readonly arch: "x86_64" | "aarch64";
  readonly source: EventSource;
  readonly cpu: number;
  readonly target: number | undefined;
  readonly clock: PerfClock;
  /** Mappings of its ring that were made through it. */
  mappings = 0;
  /** Where its samples go: a ring of its own or another event's. */
  buffer: PerfBuffer | undefined;
  program: EventProgram | undefined;
  lost = 0n;
  #leader: PerfEvent;
  #siblings: PerfEvent[] = [];
  #enabled: boolean;
  #exited = false;
  #count = 0n;
  #samplePeriod: bigint;
  /** The period that the count to the next sample began with. */
  #lastPeriod: bigint;
  /** Events until the next sample, as a number that rises from minus the period. */
  #periodLeft: bigint;
  /** Samples until it is disabled (`REFRESH`); 0 for no limit. */
  #limit = 0;
  #passes: EntryPredicate | undefined;
  #enabledSince: bigint;
  #enabledBefore = 0n;
  readonly #now: PerfEventParts["now"];

  constructor(parts: PerfEventParts) {
    const { attr } = parts;
    this.id = parts.id;
    this.attr = attr;
    this.version = parts.version;
    this.arch = parts.arch;
    this.source = parts.source;
    this.cpu = parts.cpu;
    this.target = parts.target;
    this.clock = parts.clock;
    this.#now = parts.now;
    this.#leader = parts.leader ?? this;
    if (parts.leader !== undefined) parts.leader.#siblings.push(this);
    this.#enabled = !attr.flags.has("disabled");
    this.#enabledSince = this.#now("local");
    // The kernel starts with samples of every event, and adapts to the frequency that was asked for.
    this.#samplePeriod = attr.flags.has("freq") && this.isSampling ? 1n : attr.samplePeriod;
    this.#lastPeriod = this.#samplePeriod;
    this.#periodLeft = -this.#samplePeriod;
  }

  /** Whether it makes samples, and does not only count. */
  get isSampling(): boolean {
    return this.attr.samplePeriod !== 0n;
  }

  /** The event that its group is switched and read with; itself if it is in none. */
  get leader(): PerfEvent {
    return this.#leader;
  }

  /** The group, its leader first. */
  get group(): readonly PerfEvent[] {
    return [this.#leader, ...this.#leader.#siblings];
  }

  /** Whether the thread that it counted has ended. */
  get exited(): boolean {
    return this.#exited;
  }

  /** What it has counted; nanoseconds for the clocks. */
  get count(): bigint {
    return this.#count + (this.#isClock ? this.#times().running : 0n);
  }

  get #isClock(): boolean {
    return this.source.pmu === "software" && this.source.counts === "clock";
  }

  /** Whether it counts what happens now. */
  get isActive(): boolean {
    return this.#enabled && this.#leader.#enabled && !this.#exited;
  }

  enable(): void {
    if (this.#enabled || this.#exited) return;
    this.#enabled = true;
    this.#enabledSince = this.#now("local");
  }

  disable(): void {
    if (!this.#enabled || this.#exited) return;
    this.#enabledBefore = this.#times().enabled;
    this.#enabled = false;
  }

  /** Lets it make `count` samples more before it is disabled, and enables it. */
  refresh(count: number): void {
    this.#limit += count;
    this.enable();
  }

  reset(): void {
    this.#count = this.#isClock ? -this.#times().running : 0n;
    this.showCounter();
  }

  /** Another period. The count to the next sample is over at once, with the old one. */
  setPeriod(period: bigint): void {
    if (!this.attr.flags.has("freq")) this.#samplePeriod = period;
    this.#periodLeft = 0n;
  }

  setFilter(filter: BoundFilter): void {
    this.#passes = compilePredicate(filter);
  }

  get hasFilter(): boolean {
    return this.#passes !== undefined;
  }

  /** The thread that it counted ends: so does the counting. */
  exit(): void {
    this.disable();
    this.#exited = true;
  }

  /** It is gone: what it led are groups of their own. */
  leaveGroup(): void {
    for (const sibling of this.#siblings) sibling.#leader = sibling;
    this.#siblings = [];
    if (this.#leader === this) return;
    const others = this.#leader.#siblings;
    others.splice(others.indexOf(this), 1);
    this.#leader = this;
  }

  /** What read(2) answers. */
  values(): bigint[] {
    const { readFormat } = this.attr;
    const times = this.#leader.#times();
    return readFormat & FORMAT.group
      ? readGroup(readFormat, this.group, times)
      : readOne(readFormat, this, times);
  }

  /** Tells the reader of the ring what is counted. */
  showCounter(): void {
    const { enabled, running } = this.#times();
    this.buffer?.showCounter(this.count, enabled, running);
  }

  /** Whether it is where and who this happens to. */
  concerns({ task }: Occurrence): boolean {
    return this.isActive && (this.cpu === -1 || this.cpu === task.cpu) &&
      (this.target === undefined || this.target === task.tid);
  }

  /** Counts an entry of its trace event that it concerns, and makes a sample when one is due. */
  record(raw: Uint8Array, occurrence: Occurrence): void {
    if (this.attr.flags.has("excludeKernel") && !occurrence.user) return;
    if (this.#passes !== undefined && !this.#filter(this.#passes, raw, occurrence)) return;
    this.#count++;
    if (!this.isSampling) return;
    for (let due = this.#samplesDue(); due > 0n; due--) {
      this.emit(raw, occurrence);
      if (this.#limit === 0 || --this.#limit > 0) continue;
      this.disable();
      break;
    }
  }

  #filter(passes: EntryPredicate, raw: Uint8Array, { task }: Occurrence): boolean {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    return passes(view, 0, raw.length, { cpu: task.cpu, comm: task.comm });
  }

  /** Samples that one more event brings (`perf_swevent_event`, `perf_swevent_set_period`). */
  #samplesDue(): bigint {
    const { flags, sampleType } = this.attr;
    // One that tells its periods makes a sample each time, whatever the period.
    if (!flags.has("freq") && (sampleType & SAMPLE.period || this.#samplePeriod === 1n)) return 1n;
    this.#periodLeft++;
    if (this.#periodLeft < 0n) return 0n;
    const period = this.#lastPeriod;
    const due = (period + this.#periodLeft) / period;
    this.#periodLeft -= due * period;
    this.#lastPeriod = this.#samplePeriod;
    return due;
  }

  /** Makes a sample, whatever is counted: whether there was room for it. */
  emit(raw: Uint8Array, occurrence: Occurrence): boolean {
    if (this.buffer === undefined) return false;
    const { flags, sampleType } = this.attr;
    const periodIsTold = sampleType & SAMPLE.period && !flags.has("freq");
    const moment: SampleMoment = {
      occurrence,
      time: this.#now(this.clock),
      period: periodIsTold ? 1n : this.#samplePeriod,
      raw,
    };
    const written = this.buffer.write(
      sampleRecord(this, moment),
      flags.has("writeBackward"),
      (count) => lostRecord(this, moment, count),
    );
    // A buffer without a ring loses nothing: it was never asked to keep anything.
    if (!written && this.buffer.pages > 0) this.lost++;
    return written;
  }

  #times(): CounterTimes {
    const now = this.#enabled ? this.#now("local") - this.#enabledSince : 0n;
    const enabled = this.#enabledBefore + now;
    return { enabled, running: enabled };
  }
}
