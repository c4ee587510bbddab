import { compilePredicate, type EntryPredicate } from "../../../../core/filter/compile.ts";
import { fromByteString } from "../../../../core/filter/bytes.ts";
import { FilterError } from "../../../../core/filter/error.ts";
import { bindFilter } from "../../../../core/filter/parse.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import type { FiredEvent, TriggerEvent, TriggerHost } from "./host.ts";

/** Triggers of one kind exclude each other on an event (`enum event_trigger_type`). */
export type TriggerKind = "onoff" | "snapshot" | "stacktrace" | "event" | "hist_enable" | "hist";

/** One trigger of an event (`struct event_trigger_data`). */
export interface Trigger {
  readonly kind: TriggerKind;
  /** Whether it acts when the event has been written, not before. */
  readonly isLate: boolean;
  readonly filter: TriggerFilter | undefined;
  paused: boolean;
  /** The line of the `trigger` file, with its end. */
  print(): string;
  fire(fired: FiredEvent): void;
  /** Lets go of what the trigger holds; it is off the event's list by then. */
  release(): void;
}

/** The `if …` of a trigger. */
export interface TriggerFilter {
  /** As written after `if`; one character a byte. */
  readonly text: string;
  readonly passes: EntryPredicate;
}

/** Whether the filter lets a trigger see the event. */
export function passesFilter(filter: TriggerFilter | undefined, fired: FiredEvent): boolean {
  return filter?.passes(fired.entry, fired.offset, fired.length, fired.context) ?? true;
}

/** ` if …` as triggers print it. */
export function filterSuffix(filter: TriggerFilter | undefined): string {
  return filter === undefined ? "" : ` if ${filter.text}`;
}

/**
 * The filter written as `if EXPRESSION`; none for no text (`set_trigger_filter()`,
 * kernel/trace/trace_events_trigger.c). @throws {KernelError}
 */
export function parseTriggerFilter(
  text: string | undefined,
  event: TriggerEvent,
  host: TriggerHost,
): TriggerFilter | undefined {
  if (text === undefined) return undefined;
  const [word, rest] = splitAt(text, " \t");
  if (word !== "if" || rest === undefined) throw new KernelError("EINVAL", "write");
  const { version, cpuCount } = host;
  const findFunction = host.findFunction?.bind(host);
  try {
    const options = { version, cpuCount, findFunction };
    const bound = bindFilter(fromByteString(rest), event.fields, options);
    return { text: rest, passes: compilePredicate(bound) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    // 6.1 keeps the reason to itself.
    if (version !== "6.1") {
      host.errors.log("event filter parse error", rest, error.text, error.position);
    }
    throw new KernelError(error.errno, "write");
  }
}

/**
 * `text` up to the first of the characters in `separators`, and what follows it;
 * no rest if there is none (`strsep()`).
 */
export function splitAt(text: string, separators: string): [string, string | undefined] {
  for (let at = 0; at < text.length; at++) {
    if (separators.includes(text[at])) return [text.slice(0, at), text.slice(at + 1)];
  }
  return [text, undefined];
}
