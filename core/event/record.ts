/**
 * Records: decoded events as plain values, and batches of entries that are decoded on demand.
 * @module
 */

import { type Args, COMMON_SIZE, compileDecoder, type Decoder, TID_OFFSET } from "./decoder.ts";
import type { EntryBytes } from "./field.ts";
import { parseFormat } from "./format.ts";
import type { PageLayout } from "./header_page.ts";
import { EntryColumns, type PageCursor, PageError, walkPage } from "./page.ts";

/** One decoded event. */
export interface TraceRecord {
  readonly type: "event";
  /** Nanoseconds of the buffer's clock. */
  readonly timeNs: bigint;
  readonly cpu: number;
  readonly tid: number;
  /** Name of the thread, empty where it is not known. */
  readonly comm: string;
  /** Key of the probe in the config. */
  readonly probe: string;
  /** `group/event`. */
  readonly event: string;
  readonly args: Args;
}

/** Events that the kernel could not keep. */
export interface LostRecord {
  readonly type: "lost";
  readonly cpu: number;
  /** How many; null where the kernel cannot say. */
  readonly count: number | null;
}

/** An event whose entries are to be decoded. */
export interface TraceEvent {
  readonly probe: string;
  /** `group/event`. */
  readonly event: string;
  readonly decoder: Decoder;
}

/** The events of a trace by the id that their entries bear. */
export type EventTable = ReadonlyMap<number, TraceEvent>;

/**
 * Makes the table of a trace from the kernel's `format` files.
 * @throws {FormatError} for a format that cannot be understood.
 */
export function compileEvents(
  events: readonly { readonly probe: string; readonly event: string; readonly format: string }[],
  longSize: 4 | 8 = 8,
): EventTable {
  const table = new Map<number, TraceEvent>();
  for (const { probe, event, format } of events) {
    const [system] = event.split("/");
    const parsed = parseFormat(format, { longSize, ...(system === undefined ? {} : { system }) });
    table.set(parsed.id, { probe, event, decoder: compileDecoder(parsed) });
  }
  return table;
}

/** Name of a thread; empty where it is not known. */
export type CommOf = (tid: number) => string;

/**
 * The entries of one page. Holds the page's bytes, not a copy of them: use it before the next
 * page is read. Indexes run from 0 to `count` - 1, in the order of the page.
 */
export class RecordBatch implements EntryBytes {
  readonly #table: EventTable;
  readonly #events: (TraceEvent | undefined)[] = [];
  /** Names the threads. */
  readonly commOf: CommOf;
  /** Places and times of the entries. */
  readonly columns = new EntryColumns();
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  cpu = 0;
  /** Events lost in front of this batch: 0 for none, null where the kernel cannot say how many. */
  lost: number | null = 0;
  /** Entries of events that are not in the table, left out. */
  unknown = 0;
  /** Entries whose fields do not lie inside them, left out. */
  malformed = 0;
  /** What is wrong with the page, or with the first malformed entry. */
  error: PageError | undefined = undefined;

  constructor(table: EventTable, commOf: CommOf) {
    this.#table = table;
    this.commOf = commOf;
  }

  get count(): number {
    return this.columns.count;
  }

  /**
   * Takes on the entries of the sub-buffer at `offset` of `bytes`.
   * @param cursor for a mapped page that the kernel still writes to: where to go on.
   */
  load(cpu: number, bytes: Uint8Array, layout: PageLayout, offset = 0, cursor?: PageCursor): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const { lost, error } = walkPage(this.view, offset, layout, this.columns, cursor);
    this.cpu = cpu;
    this.lost = lost;
    this.error = error;
    this.#resolve(offset);
  }

  /** The event of entry `i`. */
  event(i: number): TraceEvent {
    return this.#events[i]!;
  }

  /** Nanoseconds of the buffer's clock at entry `i`. */
  time(i: number): bigint {
    return BigInt(this.columns.seconds[i]!) * 1_000_000_000n + BigInt(this.columns.nanos[i]!);
  }

  /** Thread that caused entry `i`; 0 is the idle task. */
  tid(i: number): number {
    return this.view.getInt32(this.columns.starts[i]! + TID_OFFSET, true);
  }

  /** Name of that thread; empty where it is not known. */
  comm(i: number): string {
    return this.commOf(this.tid(i));
  }

  /** Entry `i` as a value that outlives the batch. */
  materialise(i: number): TraceRecord {
    const { probe, event, decoder } = this.event(i);
    const { starts, lengths } = this.columns;
    return {
      type: "event",
      timeNs: this.time(i),
      cpu: this.cpu,
      tid: this.tid(i),
      comm: this.comm(i),
      probe,
      event,
      args: decoder.decodeArgs(this, starts[i]!, lengths[i]!),
    };
  }

  /** Finds the event of each entry; those that cannot be decoded are counted and taken out. */
  #resolve(offset: number): void {
    const { starts, lengths, seconds, nanos, count } = this.columns;
    const events = this.#events;
    let id = -1;
    let event: TraceEvent | undefined;
    let kept = 0;
    this.unknown = this.malformed = 0;
    for (let i = 0; i < count; i++) {
      const start = starts[i]!;
      const length = lengths[i]!;
      if (length >= COMMON_SIZE) {
        const own = this.view.getUint16(start, true);
        if (own !== id) {
          id = own;
          event = this.#table.get(id);
        }
        if (event === undefined) {
          this.unknown++;
          continue;
        }
      }
      if (length < COMMON_SIZE || !event!.decoder.fits(this, start, length)) {
        this.malformed++;
        this.error ??= new PageError(start - offset, `an entry of ${length} bytes is cut short`);
        continue;
      }
      events[kept] = event;
      starts[kept] = start;
      lengths[kept] = length;
      seconds[kept] = seconds[i]!;
      nanos[kept] = nanos[i]!;
      kept++;
    }
    this.columns.count = kept;
  }
}
