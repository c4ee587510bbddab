import { parseUnsigned } from "../../dynamic/numbers.ts";
import { splitAt } from "../trigger.ts";
import { isSpace, trimEnd } from "../../../../../core/filter/bytes.ts";
import { type HistErrorCode, refusal } from "./errors.ts";

/** `TRACING_MAP_VARS_MAX`. */
export const MAX_VARIABLES = 16;
/** `HIST_ACTIONS_MAX`. */
const MAX_ACTIONS = 8;
/** Powers of two that `size` may be. */
const MIN_SIZE_BITS = 7;
const MAX_SIZE_BITS = 17;
/** 2048 entries. */
const DEFAULT_SIZE_BITS = 11;

/** What a `hist` command says, part by part (`struct hist_trigger_attrs`). */
export interface HistAttributes {
  keys: string;
  values?: string;
  sort?: string;
  /** With its `name=`. */
  name?: string;
  clock: string;
  pause: boolean;
  cont: boolean;
  clear: boolean;
  hideHitcount: boolean;
  sizeBits: number;
  /** Whether a timestamp is asked for in microseconds. */
  inMicroseconds: boolean;
  readonly assignments: string[];
  readonly actions: string[];
}

/** Logs an error of the command; see `HistCommandLog`. */
export type Report = (code: HistErrorCode, part?: string) => void;

/**
 * Splits a command at its colons (`parse_hist_trigger_attrs()`,
 * kernel/trace/trace_events_hist.c). @throws {KernelError}
 */
export function parseAttributes(
  text: string,
  version: "6.1" | "6.12",
  report: Report,
): HistAttributes {
  const attributes: HistAttributes = {
    keys: "",
    clock: "global",
    pause: false,
    cont: false,
    clear: false,
    hideHitcount: false,
    sizeBits: DEFAULT_SIZE_BITS,
    inMicroseconds: false,
    assignments: [],
    actions: [],
  };
  for (const part of text.split(":")) {
    const equals = part.indexOf("=");
    if (equals === part.length - 1 && equals >= 0) {
      report("EMPTY_ASSIGNMENT", part);
      throw refusal("EINVAL");
    }
    if (equals >= 0) setAssignment(attributes, part, report);
    else if (!setFlag(attributes, part, version)) addAction(attributes, part);
  }
  if (attributes.keys === "") throw refusal("EINVAL");
  return attributes;
}

const FLAGS: Readonly<Record<string, "hideHitcount" | "pause" | "cont" | "clear">> = {
  nohitcount: "hideHitcount",
  NOHC: "hideHitcount",
  pause: "pause",
  cont: "cont",
  continue: "cont",
  clear: "clear",
};

function setFlag(attributes: HistAttributes, part: string, version: "6.1" | "6.12"): boolean {
  if (!Object.hasOwn(FLAGS, part)) return false;
  const flag = FLAGS[part];
  if (flag === "hideHitcount" && version === "6.1") return false;
  attributes[flag] = true;
  return true;
}

function addAction(attributes: HistAttributes, part: string): void {
  const isAction = /^on(match|max|change)\(/.test(part);
  if (!isAction || attributes.actions.length >= MAX_ACTIONS) throw refusal("EINVAL");
  attributes.actions.push(part);
}

function setAssignment(attributes: HistAttributes, part: string, report: Report): void {
  const [name] = splitAt(part, "=");
  const value = part.slice(name.length + 1);
  switch (name) {
    case "key":
    case "keys":
      attributes.keys = value;
      return;
    case "val":
    case "vals":
    case "values":
      attributes.values = value;
      return;
    case "sort":
      attributes.sort = value;
      return;
    case "name":
      attributes.name = part;
      return;
    case "clock":
      attributes.clock = strip(value);
      return;
    case "size":
      attributes.sizeBits = parseSize(value);
      return;
    default:
      if (attributes.assignments.length === MAX_VARIABLES) {
        report("TOO_MANY_VARS", part);
        throw refusal("EINVAL");
      }
      attributes.assignments.push(part);
  }
}

/** `size`, rounded up to a power of two, as its logarithm. */
function parseSize(text: string): number {
  const size = parseUnsigned(text, 0);
  if (typeof size === "string") throw refusal(size);
  const bits = size <= 1n ? 0 : (size - 1n).toString(2).length;
  if (bits < MIN_SIZE_BITS || bits > MAX_SIZE_BITS) throw refusal("EINVAL");
  return bits;
}

/** `text` without white space at its ends (`strstrip()`). */
export function strip(text: string): string {
  let start = 0;
  while (isSpace(text[start])) start++;
  return trimEnd(text.slice(start));
}
