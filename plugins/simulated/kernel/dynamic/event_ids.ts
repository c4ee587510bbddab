import type { DynamicHost } from "./host.ts";

/** Ids below are ftrace's own (`__TRACE_LAST_TYPE`, kernel/trace/trace.h); ids have 16 bits. */
const MAX_ID = 65535;

/**
 * Ids of trace events (`register_trace_event`, kernel/trace/trace_output.c). 6.12
 * gives out the lowest free one, 6.1 one after the other, and free ones only when
 * it is through.
 */
export class EventIds {
  readonly #reuse: boolean;
  readonly #free = new Set<number>();
  #next: number;

  /** @param first the id of the first event that is not there from the start */
  constructor(version: DynamicHost["version"], first: number) {
    this.#reuse = version === "6.12";
    this.#next = first;
  }

  /** An id for a new event, or nothing if all are taken. */
  allocate(): number | undefined {
    const exhausted = this.#next > MAX_ID;
    if (this.#free.size > 0 && (this.#reuse || exhausted)) {
      const lowest = Math.min(...this.#free);
      this.#free.delete(lowest);
      return lowest;
    }
    return exhausted ? undefined : this.#next++;
  }

  release(id: number): void {
    this.#free.add(id);
  }
}
