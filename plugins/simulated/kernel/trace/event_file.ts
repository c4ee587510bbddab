import { compilePredicate, type EntryPredicate } from "../../../../core/filter/compile.ts";
import type { FilterVersion } from "../../../../core/filter/field.ts";
import {
  type FilterFile,
  readFilterFile,
  writeFilterFile,
  writeSubsystemFilterFile,
} from "../../../../core/filter/file.ts";
import { toByteString } from "../../../../core/filter/bytes.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import type { ErrorLog } from "../dynamic/error_log.ts";
import type { TraceEvent } from "./event.ts";

/** What an event's filter is bound with. */
export interface FilterSettings {
  readonly version: FilterVersion;
  readonly cpuCount: number;
}

/** One event as one instance sees it: whether it is enabled, and its filter (`struct trace_event_file`). */
export class EventFile {
  readonly event: TraceEvent;
  /** Whether its entries go to the instance's ring buffer. */
  enabled = false;
  readonly #settings: FilterSettings;
  readonly #errors: ErrorLog;
  #filter: FilterFile = { kind: "none" };
  #passes: EntryPredicate | undefined;

  constructor(event: TraceEvent, settings: FilterSettings, errors: ErrorLog) {
    this.event = event;
    this.#settings = settings;
    this.#errors = errors;
  }

  /** Text of the `filter` file. */
  get filterText(): string {
    return readFilterFile(this.#filter);
  }

  /** A write to the `filter` file. @throws {KernelError} */
  setFilter(text: string): void {
    const filter = writeFilterFile(text, this.event.fields, this.#settings);
    this.#take(filter);
    if (filter.kind !== "refused") return;
    const { error } = filter;
    const command = toByteString(filter.filter);
    this.#errors.log("event filter parse error", command, error.text, error.position);
    throw new KernelError(error.errno, "write");
  }

  /** A write to the `filter` file of the system that the event belongs to; never refused. */
  setSystemFilter(text: string): void {
    this.#take(writeSubsystemFilterFile(text, this.event.fields, this.#settings));
  }

  #take(filter: FilterFile): void {
    this.#filter = filter;
    this.#passes = filter.kind === "filter" ? compilePredicate(filter.filter) : undefined;
  }

  /** Whether an entry passes the filter. */
  passes(entry: DataView, cpu: number, comm: string): boolean {
    return this.#passes?.(entry, 0, entry.byteLength, { cpu, comm }) ?? true;
  }
}
