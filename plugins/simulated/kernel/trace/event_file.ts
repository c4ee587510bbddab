import { compilePredicate, type EntryPredicate } from "../../../../core/filter/compile.ts";
import type { FilterVersion } from "../../../../core/filter/field.ts";
import {
  type FilterFile,
  readFilterFile,
  writeFilterFile,
  writeSubsystemFilterFile,
} from "../../../../core/filter/file.ts";
import { toByteString } from "../../../../core/filter/bytes.ts";
import { SYNTHETIC_GROUP } from "../dynamic/synthetic_event.ts";
import { EventTriggers } from "../trigger/event_triggers.ts";
import type { TriggerEvent, TriggerHost } from "../trigger/host.ts";
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
  /** Whether it was enabled by its `enable` file or one above it. */
  enabled = false;
  /** Whether entries of an event that only triggers want are kept from the buffer. */
  softDisabled = false;
  /** Triggers that want the event to fire. */
  #armed = 0;
  #triggers: EventTriggers | undefined;
  readonly #settings: FilterSettings;
  readonly #errors: ErrorLog;
  readonly #triggerHost: () => TriggerHost;
  #filter: FilterFile = { kind: "none" };
  #passes: EntryPredicate | undefined;

  constructor(
    event: TraceEvent,
    settings: FilterSettings,
    errors: ErrorLog,
    triggerHost: () => TriggerHost,
  ) {
    this.event = event;
    this.#settings = settings;
    this.#errors = errors;
    this.#triggerHost = triggerHost;
  }

  /** Whether anything wants the event to fire: the buffer or a trigger. */
  get active(): boolean {
    return this.enabled || this.#armed > 0;
  }

  /** Whether what fires goes to the buffer. */
  get recording(): boolean {
    return this.enabled || (this.#armed > 0 && !this.softDisabled);
  }

  /** A trigger comes. */
  arm(): void {
    if (this.#armed++ === 0) this.softDisabled = !this.enabled;
  }

  /** A trigger goes. */
  disarm(): void {
    this.#armed--;
  }

  /** The event's triggers, made at the first use. */
  get triggers(): EventTriggers {
    return this.#triggers ??= new EventTriggers(this.asTriggerEvent, this.#triggerHost());
  }

  /** The event as triggers see it. */
  get asTriggerEvent(): TriggerEvent {
    return this.#asTriggerEvent ??= this.#makeTriggerEvent();
  }

  #asTriggerEvent: TriggerEvent | undefined;

  #makeTriggerEvent(): TriggerEvent {
    const triggers = () => this.triggers;
    const { system, name, fields } = this.event;
    const synthetic = system === SYNTHETIC_GROUP
      ? this.#triggerHost().findSynthetic(name)
      : undefined;
    return {
      system,
      name,
      fields,
      ...(synthetic && { synthetic }),
      get triggers() {
        return triggers();
      },
    };
  }

  /** Whether it has triggers; asking makes none. */
  get hasTriggers(): boolean {
    return this.#triggers !== undefined && !this.#triggers.isEmpty;
  }

  /** Text of the `enable` file; a star where triggers have the event armed (`event_enable_read`). */
  get enableText(): string {
    return `${this.enabled ? 1 : this.recording ? 1 : 0}${this.#armed > 0 ? "*" : ""}\n`;
  }

  /** Text of the `filter` file. */
  get filterText(): string {
    return readFilterFile(this.#filter);
  }

  /** A write to the `filter` file. @throws {KernelError} */
  setFilter(text: string): void {
    const filter = writeFilterFile(text, this.event.fields, this.#settings);
    this.#take(filter);
    if (filter.kind === "refused") throw new KernelError(filter.error.errno, "write");
  }

  /** A write to the `filter` file of the system that the event belongs to; never refused, but logged. */
  setSystemFilter(text: string): void {
    this.#take(writeSubsystemFilterFile(text, this.event.fields, this.#settings));
  }

  #take(filter: FilterFile): void {
    this.#filter = filter;
    this.#passes = filter.kind === "filter" ? compilePredicate(filter.filter) : undefined;
    if (filter.kind !== "refused") return;
    const { error } = filter;
    const command = toByteString(filter.filter);
    this.#errors.log("event filter parse error", command, error.text, error.position);
  }

  /** Whether an entry passes the filter. */
  passes(entry: DataView, cpu: number, comm: string): boolean {
    return this.#passes?.(entry, 0, entry.byteLength, { cpu, comm }) ?? true;
  }
}
