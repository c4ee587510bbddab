import type { LostRecord, RecordBatch } from "../event/record.ts";

/** Where records go. */
export interface Sink {
  /**
   * Takes the entries `from` to `to` (exclusive) of a batch, in the order of time. The batch is
   * used again after the next {@link Sink.flush}: what is to be kept has to be copied.
   */
  write(batch: RecordBatch, from: number, to: number): void;
  /** Takes a loss: it lies before what is written next of that CPU. */
  lost(loss: LostRecord): void;
  /**
   * Hands on what is buffered.
   * @throws {OutputClosedError} if nobody reads any more; the run then ends.
   */
  flush(): Promise<void>;
  /** Flushes and lets go of everything. */
  close(): Promise<void>;
}
