import type { Capture, RawPage } from "../backend.ts";
import { parseHeaderPage } from "../event/header_page.ts";
import { type CommOf, compileEvents, RecordBatch, type TraceEvent } from "../event/record.ts";
import { BatchQueue, earlier, END_OF_TIME, type Instant, mergeByTime } from "./merge.ts";
import type { Sink } from "./sink.ts";

/** What went through a pipeline. */
export interface PipelineCounts {
  events: number;
  /** Events that the kernel could not keep, as far as it says how many. */
  lost: number;
  /** Places where events were lost and the kernel cannot say how many. */
  lostUnknown: number;
  /** Entries that could not be decoded. */
  undecoded: number;
}

/** Options of a {@link Pipeline}. */
export interface PipelineOptions {
  /** Names threads. */
  readonly commOf: CommOf;
  /** Nanoseconds on the clock of the buffers; absent if that cannot be read. */
  readonly now?: () => bigint;
  /** Events after which no more are handed on; none without. */
  readonly limit?: number;
}

/** A batch with a page of its own, used again and again. */
interface Slot {
  readonly batch: RecordBatch;
  readonly page: Uint8Array;
}

/** Losses of one CPU that were handed on. */
interface Losses {
  known: number;
  /** Places where the kernel did not say how many. */
  unknown: number;
}

/**
 * Takes raw pages of a capture to its sinks: decoded, in the order of time, losses shown where they
 * happened. CPUs are read one after the other, so events that are newer than what is known of
 * another CPU wait for the next round.
 */
export class Pipeline {
  readonly counts: PipelineCounts = { events: 0, lost: 0, lostUnknown: 0, undecoded: 0 };
  readonly #capture: Capture;
  readonly #sinks: readonly Sink[];
  readonly #table: Map<number, TraceEvent>;
  readonly #options: PipelineOptions;
  readonly #layout: ReturnType<typeof parseHeaderPage>;
  readonly #limit: number;
  readonly #queues = new Map<number, BatchQueue>();
  readonly #free: Slot[] = [];
  /** The slots of batches that wait, and of those that sinks may still look at. */
  readonly #taken = new Map<RecordBatch, Slot>();
  readonly #ended: RecordBatch[] = [];
  readonly #losses = new Map<number, Losses>();
  readonly #lostBefore: ReadonlyMap<number, number>;

  /** @throws {FormatError} */
  constructor(capture: Capture, sinks: readonly Sink[], options: PipelineOptions) {
    this.#capture = capture;
    this.#sinks = sinks;
    this.#options = options;
    this.#layout = parseHeaderPage(capture.headerPage);
    this.#table = new Map(compileEvents(capture.events, this.#layout.longSize));
    this.#limit = options.limit ?? Infinity;
    this.#lostBefore = new Map(capture.counts().map(({ cpu, lost }) => [cpu, lost]));
  }

  /** Whether as many events were handed on as were asked for. */
  get full(): boolean {
    return this.counts.events >= this.#limit;
  }

  /** Takes on events that were registered after the start. @throws {FormatError} */
  discover(): void {
    const found = this.#capture.discover();
    for (const [id, event] of compileEvents(found, this.#layout.longSize)) {
      this.#table.set(id, event);
    }
  }

  /** Reads what is there and hands it to the sinks, but for what waits; the number of pages read. */
  async drain(): Promise<number> {
    const start = this.#now();
    const read = new Set<number>();
    const pages = this.#capture.read((page) => {
      this.#load(page);
      read.add(page.cpu);
    });
    // All that a CPU had at the start was read, unless it had more than it may give in one round:
    // then, and if more came meanwhile, all up to its last entry was.
    let until = start;
    for (const cpu of read) until = earlier(until, this.#queues.get(cpu)!.last ?? until);
    await this.#handOn(until);
    return pages;
  }

  /**
   * Hands on what waits, when nothing more is read, and compares what was seen of losses with what
   * the kernel counted: what was lost behind the last page that was read shows there only.
   */
  async settle(): Promise<void> {
    await this.#handOn(END_OF_TIME);
    for (const { cpu, lost } of this.#capture.counts()) {
      const seen = this.#lossesOf(cpu);
      const unseen = lost - (this.#lostBefore.get(cpu) ?? 0) - seen.known;
      if (unseen <= 0) continue;
      // These are the ones whose number was not known, too.
      this.counts.lostUnknown -= seen.unknown;
      seen.unknown = 0;
      this.#lose(cpu, unseen);
    }
    await this.#flush();
  }

  #now(): Instant {
    const now = this.#options.now?.();
    if (now === undefined) return END_OF_TIME;
    return { seconds: Number(now / 1_000_000_000n), nanos: Number(now % 1_000_000_000n) };
  }

  #load(page: RawPage): void {
    const slot = this.#free.pop() ?? {
      batch: new RecordBatch(this.#table, this.#options.commOf),
      page: new Uint8Array(this.#layout.size),
    };
    const { batch } = slot;
    slot.page.set(page.bytes);
    batch.load(page.cpu, slot.page, this.#layout);
    this.counts.undecoded += batch.unknown + batch.malformed;
    this.#taken.set(batch, slot);
    let queue = this.#queues.get(page.cpu);
    if (queue === undefined) this.#queues.set(page.cpu, queue = new BatchQueue());
    queue.add(batch);
  }

  async #handOn(until: Instant): Promise<void> {
    mergeByTime([...this.#queues.values()], until, {
      begin: (batch) => {
        if (batch.lost !== 0 && !this.full) this.#lose(batch.cpu, batch.lost);
      },
      emit: (batch, from, to) => this.#emit(batch, from, to),
      end: (batch) => this.#ended.push(batch),
    });
    await this.#flush();
    for (const batch of this.#ended.splice(0)) {
      this.#free.push(this.#taken.get(batch)!);
      this.#taken.delete(batch);
    }
  }

  #emit(batch: RecordBatch, from: number, to: number): void {
    const end = Math.min(to, from + this.#limit - this.counts.events);
    if (end <= from) return;
    this.counts.events += end - from;
    for (const sink of this.#sinks) sink.write(batch, from, end);
  }

  #lose(cpu: number, count: number | null): void {
    const losses = this.#lossesOf(cpu);
    if (count === null) {
      this.counts.lostUnknown++;
      losses.unknown++;
    } else {
      this.counts.lost += count;
      losses.known += count;
    }
    for (const sink of this.#sinks) sink.lost({ type: "lost", cpu, count });
  }

  #lossesOf(cpu: number): Losses {
    let losses = this.#losses.get(cpu);
    if (losses === undefined) this.#losses.set(cpu, losses = { known: 0, unknown: 0 });
    return losses;
  }

  async #flush(): Promise<void> {
    for (const sink of this.#sinks) await sink.flush();
  }
}
