import type { Backend, TraceRequest } from "../backend.ts";
import type { LostRecord, TraceRecord } from "../event/record.ts";
import type { Sink } from "../pipeline/sink.ts";
import { type RunOptions, type RunSummary, runTrace } from "./run.ts";

/** Options of {@link streamRecords}. */
export interface StreamOptions extends RunOptions {
  /** Told of every loss, where it happened. */
  readonly onLost?: (loss: LostRecord) => void;
  /** Told how the run went, once everything is removed. */
  readonly onEnd?: (summary: RunSummary) => void;
}

/**
 * Runs a trace and yields its records. Leaving the loop ends the run and removes everything; a
 * loop that is slower than the events lets them wait in the kernel's buffers, and be lost there.
 *
 * @throws as {@link runTrace} does.
 */
export async function* streamRecords(
  backend: Backend,
  request: TraceRequest,
  options: StreamOptions = {},
): AsyncGenerator<TraceRecord, void, void> {
  const stop = new AbortController();
  const signal = options.signal === undefined
    ? stop.signal
    : AbortSignal.any([stop.signal, options.signal]);
  const queue = new RecordQueue(options.onLost);
  const run = runTrace(backend, request, [queue], { ...options, signal });
  const ended = run.then(() => {}, () => {}).then(() => queue.end());
  try {
    for (;;) {
      const records = await queue.take();
      if (records === undefined) break;
      yield* records;
    }
    const summary = await run;
    options.onEnd?.(summary);
  } finally {
    stop.abort("the loop was left");
    queue.discard();
    await ended;
  }
}

/** A sink that keeps what it is given until it is taken; the pipeline waits meanwhile. */
class RecordQueue implements Sink {
  readonly #onLost: ((loss: LostRecord) => void) | undefined;
  #records: TraceRecord[] = [];
  #ended = false;
  #discarding = false;
  /** Wakes whoever waits: the reader for records, the pipeline for room. */
  #wake: (() => void)[] = [];

  constructor(onLost: ((loss: LostRecord) => void) | undefined) {
    this.#onLost = onLost;
  }

  write: Sink["write"] = (batch, from, to) => {
    for (let i = from; i < to; i++) this.#records.push(batch.materialise(i));
  };

  lost(loss: LostRecord): void {
    this.#onLost?.(loss);
  }

  async flush(): Promise<void> {
    this.#wakeAll();
    while (this.#records.length > 0 && !this.#discarding) await this.#sleep();
    if (this.#discarding) this.#records = [];
  }

  close(): Promise<void> {
    return this.flush();
  }

  /** All records that are there, as soon as there are any; undefined at the end. */
  async take(): Promise<TraceRecord[] | undefined> {
    while (this.#records.length === 0) {
      if (this.#ended) return undefined;
      await this.#sleep();
    }
    const records = this.#records;
    this.#records = [];
    this.#wakeAll();
    return records;
  }

  end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  /** Nobody takes any more: throws away what comes. */
  discard(): void {
    this.#discarding = true;
    this.#wakeAll();
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
