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
  /** Ids that were given back, the lowest last. */
  readonly #free: number[] = [];
  #next: number;

  /** @param first the id of the first event that is not there from the start */
  constructor(version: DynamicHost["version"], first: number) {
    this.#reuse = version === "6.12";
    this.#next = first;
  }

  /** An id for a new event, or nothing if all are taken. */
  allocate(): number | undefined {
    const exhausted = this.#next > MAX_ID;
    const reused = this.#reuse || exhausted ? this.#free.pop() : undefined;
    return reused ?? (exhausted ? undefined : this.#next++);
  }

  release(id: number): void {
    const lower = this.#free.findLastIndex((free) => free > id);
    this.#free.splice(lower + 1, 0, id);
  }
}
