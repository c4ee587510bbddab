import type { LostRecord, RecordBatch, TraceRecord } from "../../core/event/record.ts";
import type { Sink } from "../../core/pipeline/sink.ts";

/** A sink that keeps all it gets, in the order in which it got it. */
export class CollectingSink implements Sink {
  readonly entries: (TraceRecord | LostRecord)[] = [];
  /** How often it was closed. */
  closed = 0;

  write(batch: RecordBatch, from: number, to: number): void {
    for (let i = from; i < to; i++) this.entries.push(batch.materialise(i));
  }

  lost(loss: LostRecord): void {
    this.entries.push(loss);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }

  get records(): TraceRecord[] {
    return this.entries.filter((entry) => entry.type === "event");
  }

  get losses(): LostRecord[] {
    return this.entries.filter((entry) => entry.type === "lost");
  }
}
