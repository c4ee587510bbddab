/**
 * The names that people give in a config. What reaches the kernel may hold nothing that its
 * parsers take for syntax: no newline, `;`, `#`, blank or `/`.
 * @module
 */

import { fieldFault, moduleFault, quote, symbolFault } from "../probe/identifier.ts";

/** What a name may look like. */
export interface NameRule {
  /** What is named, such as `probe id`. */
  readonly what: string;
  readonly pattern: RegExp;
  /** Longest name, in characters. */
  readonly max: number;
  /** The rule in words. */
  readonly shape: string;
  /** Says what is wrong with a name, where the kernel's rules are kept elsewhere. */
  readonly fault?: (name: string) => string | undefined;
}

function id(what: string): NameRule {
  return {
    what,
    pattern: /^[a-z_][a-z0-9_]*$/,
    max: 63,
    shape: 'lower-case letters, digits and "_", at most 63, not a digit first',
  };
}

/** `metadata.name`; see `core/names.ts` for what is made of it. */
export const TRACE_NAME: NameRule = {
  what: "name",
  pattern: /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
  max: 40,
  shape: 'lower-case letters, digits and "-", at most 40, a letter first and no "-" last',
};

/** The event of a probe is called as its id, so the kernel's limit holds: 63 characters. */
export const PROBE_ID = id("probe id");
export const USER_EVENT_ID = id("user_event id");
export const SINK_ID = id("sink id");
export const TEST_ID = id("test id");
export const PROCESS_ID = id("process id");

/** What `${var:name}` can name. */
export const VARIABLE_NAME: NameRule = {
  what: "variable name",
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  max: 63,
  shape: 'letters, digits and "_", at most 63, not a digit first',
};

/** Becomes a field of the probe's event. */
export const CAPTURE_NAME: NameRule = {
  what: "capture name",
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  max: 32,
  shape: 'letters, digits and "_", at most 32, not a digit first',
  fault: fieldFault,
};

/** Field of a user_event. The kernel takes any bytes, and prints broken formats then. */
export const FIELD_NAME: NameRule = {
  what: "field name",
  pattern: /^(?!common_)[A-Za-z_][A-Za-z0-9_]*$/,
  max: 63,
  shape: 'letters, digits and "_", at most 63, not a digit first, not starting with "common_"',
};

/** Stands in the system of its events: `user_events.<namespace>`. */
export const NAMESPACE: NameRule = {
  what: "namespace",
  pattern: /^[a-z][a-z0-9_-]*$/,
  max: 63,
  shape: 'lower-case letters, digits, "_" and "-", at most 63, a letter first',
};

/** `event` or `namespace/event`, of ours or of another program. */
export const USER_EVENT_REFERENCE: NameRule = {
  what: "user_event",
  pattern: /^([a-z][a-z0-9_-]*\/)?[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  max: 200,
  shape: "namespace/event, or event for the root namespace",
};

export const TRACEPOINT: NameRule = {
  what: "tracepoint",
  pattern: /^[A-Za-z_][A-Za-z0-9_.-]*\/[A-Za-z_][A-Za-z0-9_]*$/,
  max: 127,
  shape: "system/event, such as sched/sched_switch",
};

/** As in `/proc/modules`. */
export const MODULE: NameRule = {
  what: "module",
  pattern: /^[A-Za-z0-9_]+$/,
  max: 55,
  shape: "the module's name as lsmod prints it, such as nf_tables",
  fault: moduleFault,
};

/** As in `/proc/kallsyms`. */
export const SYMBOL: NameRule = {
  what: "symbol",
  pattern: /^[A-Za-z_.$][A-Za-z0-9_.$]*$/,
  max: 511,
  shape: "the function's name as in /proc/kallsyms",
  fault: symbolFault,
};

/** A sink's type: a built-in one, or the name of a plugin. */
export const SINK_TYPE: NameRule = {
  what: "sink type",
  pattern: /^[a-z][a-z0-9_-]*$/,
  max: 63,
  shape: "text, jsonl or the name of a plugin",
};

/** What is wrong with `name` by `rule`, and what would be right; undefined if nothing is. */
export function checkName(
  rule: NameRule,
  name: string,
): { readonly message: string; readonly hint: string } | undefined {
  const message = rule.fault ? rule.fault(name) : patternFault(rule, name);
  return message === undefined ? undefined : { message, hint: `Write ${rule.shape}` };
}

function patternFault({ what, pattern, max }: NameRule, name: string): string | undefined {
  const label = `${what[0].toUpperCase()}${what.slice(1)}`;
  if (name === "") return `${label} is empty`;
  if (name.length > max) {
    return `${label} ${quote(name)} has ${name.length} characters, more than ${max}`;
  }
  return pattern.test(name) ? undefined : `${label} ${quote(name)} is not valid`;
}
