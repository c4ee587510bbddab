import type { Capture, RawPage } from "../backend.ts";
import { parseHeaderPage } from "../event/header_page.ts";
import { type CommOf, compileEvents, type EventTable, RecordBatch } from "../event/record.ts";
import { mergeByTime } from "./merge.ts";
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

/** Takes raw pages of a capture to its sinks: decoded, in the order of time, losses shown. */
export class Pipeline {
  readonly counts: PipelineCounts = { events: 0, lost: 0, lostUnknown: 0, undecoded: 0 };
  readonly #capture: Capture;
  readonly #sinks: readonly Sink[];
  readonly #table: EventTable;
  readonly #commOf: CommOf;
  readonly #layout: ReturnType<typeof parseHeaderPage>;
  readonly #limit: number;
  /** Batches with pages of their own, used again in every round. */
  readonly #pool: { readonly batch: RecordBatch; readonly page: Uint8Array }[] = [];
  readonly #lostOfCpu = new Map<number, number>();
  readonly #lostBefore: ReadonlyMap<number, number>;

  /** @param limit events after which no more are handed on. @throws {FormatError} */
  constructor(capture: Capture, sinks: readonly Sink[], commOf: CommOf, limit = Infinity) {
    this.#capture = capture;
    this.#sinks = sinks;
    this.#commOf = commOf;
    this.#layout = parseHeaderPage(capture.headerPage);
    this.#table = compileEvents(capture.events, this.#layout.longSize);
    this.#limit = limit;
    this.#lostBefore = new Map(capture.counts().map(({ cpu, lost }) => [cpu, lost]));
  }

  /** Whether as many events were handed on as were asked for. */
  get full(): boolean {
    return this.counts.events >= this.#limit;
  }

  /** Reads what is there and hands it to the sinks; the number of pages read. */
  async drain(): Promise<number> {
    const queues = new Map<number, RecordBatch[]>();
    let pages = 0;
    this.#capture.read((page) => this.#load(page, pages++, queues));
    mergeByTime([...queues.values()], (batch, from, to) => this.#emit(batch, from, to));
    await this.#flush();
    return pages;
  }

  /**
   * Compares what was seen of losses with what the kernel counted: what was lost behind the last
   * page that was read shows there only.
   */
  async settle(): Promise<void> {
    for (const { cpu, lost } of this.#capture.counts()) {
      const unseen = lost - (this.#lostBefore.get(cpu) ?? 0) - (this.#lostOfCpu.get(cpu) ?? 0);
      if (unseen > 0) this.#lose(cpu, unseen);
    }
    await this.#flush();
  }

  #load(page: RawPage, index: number, queues: Map<number, RecordBatch[]>): void {
    const slot = this.#pool[index] ??= {
      batch: new RecordBatch(this.#table, this.#commOf),
      page: new Uint8Array(this.#layout.size),
    };
    slot.page.set(page.bytes);
    slot.batch.load(page.cpu, slot.page, this.#layout);
    if (slot.batch.lost !== 0) this.#lose(page.cpu, slot.batch.lost);
    this.counts.undecoded += slot.batch.unknown + slot.batch.malformed;
    const queue = queues.get(page.cpu);
    if (queue === undefined) queues.set(page.cpu, [slot.batch]);
    else queue.push(slot.batch);
  }

  #emit(batch: RecordBatch, from: number, to: number): void {
    const end = Math.min(to, from + this.#limit - this.counts.events);
    if (end <= from) return;
    this.counts.events += end - from;
    for (const sink of this.#sinks) sink.write(batch, from, end);
  }

  #lose(cpu: number, count: number | null): void {
    if (count === null) this.counts.lostUnknown++;
    else {
      this.counts.lost += count;
      this.#lostOfCpu.set(cpu, (this.#lostOfCpu.get(cpu) ?? 0) + count);
    }
    for (const sink of this.#sinks) sink.lost({ type: "lost", cpu, count });
  }

  async #flush(): Promise<void> {
    for (const sink of this.#sinks) await sink.flush();
  }
}
