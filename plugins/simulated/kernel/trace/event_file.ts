import { type BoundFilter } from "../../../../core/filter/ast.ts";
import { FilterError, filterErrorText } from "../../../../core/filter/error.ts";
import type { FilterVersion } from "../../../../core/filter/field.ts";
import { bindFilter } from "../../../../core/filter/parse.ts";
import { compilePredicate, type Predicate } from "../../../../core/filter/predicate.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import type { TraceEvent } from "./event.ts";

/** What an event's filter is bound with. */
export interface FilterSettings {
  readonly version: FilterVersion;
  readonly cpuCount: number;
  /** Adds to the instance's `error_log`. */
  logError(subsystem: string, text: string, command: string, caret: number): void;
}

/** One event as one instance sees it: whether it is enabled, and its filter (`struct trace_event_file`). */
export class EventFile {
  readonly event: TraceEvent;
  /** Whether its entries go to the instance's ring buffer. */
  enabled = false;
  readonly #settings: FilterSettings;
  #filter: { readonly text: string; readonly matches?: Predicate } | undefined;

  constructor(event: TraceEvent, settings: FilterSettings) {
    this.event = event;
    this.#settings = settings;
  }

  /** Text of the `filter` file. */
  get filterText(): string {
    return `${this.#filter?.text ?? "none"}\n`;
  }

  /**
   * A write to the `filter` file; `0` clears. A filter that is refused takes the old one's place:
   * the file then shows it with the reason, and everything passes
   * (kernel/trace/trace_events_filter.c, `apply_event_filter`).
   *
   * @throws {KernelError}
   */
  setFilter(written: string): void {
    const text = written.trim();
    if (text === "0") {
      this.#filter = undefined;
      return;
    }
    try {
      this.#filter = { text, matches: compilePredicate(this.#bind(text)) };
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.#filter = { text: filterErrorText(text, error) };
      this.#settings.logError("event filter parse error", error.text, text, error.position);
      throw new KernelError(error.errno, "write");
    }
  }

  #bind(text: string): BoundFilter {
    const { version, cpuCount } = this.#settings;
    return bindFilter(text, this.event.fields, { version, cpuCount });
  }

  /** Whether an entry passes the filter. */
  passes(entry: DataView, cpu: number, comm: string): boolean {
    return this.#filter?.matches?.(entry, { cpu, comm }) ?? true;
  }
}
