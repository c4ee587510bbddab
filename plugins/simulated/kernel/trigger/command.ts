import { isDigit, toByteString, trimEnd } from "../../../../core/filter/bytes.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import { skipSpaces } from "../dynamic/ctype.ts";
import { parseUnsigned } from "../dynamic/numbers.ts";
import { splitAt } from "./trigger.ts";

/** A write to a `trigger` file, taken apart. All texts have one character a byte. */
export interface TriggerCommand {
  readonly name: string;
  /** Whether a `!` stands before the name: the trigger is to go. */
  readonly remove: boolean;
  /** What follows the name: parameters and filter. */
  readonly rest: string | undefined;
}

/** Takes a write apart (`trigger_process_regex()`, kernel/trace/trace_events_trigger.c). */
export function parseCommand(text: string): TriggerCommand {
  const [word, after] = splitAt(skipSpaces(trimEnd(toByteString(text))), ": \t");
  const rest = after === undefined ? undefined : skipSpaces(after) || undefined;
  const remove = word.startsWith("!");
  return { name: remove ? word.slice(1) : word, remove, rest };
}

/** The parameter and the filter of a command. */
export interface Parameters {
  readonly parameter: string | undefined;
  readonly filter: string | undefined;
}

/**
 * Tells the parameter from the filter behind it. Where no parameter is needed,
 * only a number is one (`event_trigger_separate_filter()`).
 */
export function separateFilter(rest: string | undefined, required: boolean): Parameters {
  if (rest === undefined) return { parameter: undefined, filter: undefined };
  if (!required && !isDigit(rest[0])) return { parameter: undefined, filter: rest };
  const [parameter, after] = splitAt(rest, " \t");
  return { parameter, filter: after === undefined ? undefined : skipSpaces(after) || undefined };
}

/** The count of a trigger that has no limit. */
const UNLIMITED = (1n << 64n) - 1n;

/** How often a trigger may act still. */
export class TriggerCount {
  #left = UNLIMITED;

  /** @param parameter `N` or `N:…`; unlimited without it. @throws {KernelError} */
  constructor(parameter: string | undefined) {
    if (parameter === undefined) return;
    const count = parseUnsigned(splitAt(parameter, ":")[0], 0);
    if (typeof count === "string") throw new KernelError(count, "write");
    this.#left = count;
  }

  /** Counts one action down; false if there is none left. */
  take(): boolean {
    if (this.#left === UNLIMITED) return true;
    if (this.#left === 0n) return false;
    this.#left--;
    return true;
  }

  /** `:unlimited` or `:count=N`. */
  print(): string {
    if (this.#left === UNLIMITED) return ":unlimited";
    return `:count=${BigInt.asIntN(64, this.#left)}`;
  }
}
