import { Buffer } from "node:buffer";
import type { HistValue } from "./evaluate.ts";

/** One entry of a histogram (`struct tracing_map_elt`). */
export interface HistEntry {
  /** The compound key: integers as 8 bytes, little endian. */
  readonly key: Uint8Array;
  /** Sums of the values, the hit count first; modulo 2^64. */
  readonly sums: bigint[];
  /** Values of the variables. */
  readonly variables: Map<number, HistValue>;
  /** Variables that are set and not spent. */
  readonly set: Set<number>;
  /** Name of the task that made the entry. */
  readonly comm: string;
}

/** The entries of a histogram, up to its size (kernel/trace/tracing_map.c). */
export class HistMap {
  readonly #size: number;
  readonly #entries = new Map<string, HistEntry>();
  /** Variables that entries have room for. */
  variableCount = 0;
  hits = 0n;
  drops = 0n;

  /** @param size entries, a power of two */
  constructor(size: number) {
    this.#size = size;
  }

  get entries(): IterableIterator<HistEntry> {
    return this.#entries.values();
  }

  lookup(key: Uint8Array): HistEntry | undefined {
    return this.#entries.get(toText(key));
  }

  /** The entry with that key, made if need be; `undefined`, and a drop, if there is no room. */
  insert(key: Uint8Array, comm: string): HistEntry | undefined {
    const text = toText(key);
    let entry = this.#entries.get(text);
    if (entry === undefined) {
      if (this.#entries.size >= this.#size) {
        this.drops++;
        return undefined;
      }
      entry = { key: key.slice(), sums: [], variables: new Map(), set: new Set(), comm };
      this.#entries.set(text, entry);
    }
    this.hits++;
    return entry;
  }

  clear(): void {
    this.#entries.clear();
    this.hits = 0n;
    this.drops = 0n;
  }
}

function toText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}
