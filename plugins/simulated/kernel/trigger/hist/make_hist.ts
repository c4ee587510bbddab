/**
 * Makes a histogram from a command (`create_hist_data()`,
 * kernel/trace/trace_events_hist.c).
 * @module
 */

import type { TriggerEvent, TriggerHost } from "../host.ts";
import { splitAt } from "../trigger.ts";
import { parseAction } from "./action.ts";
import { type HistAttributes, MAX_VARIABLES, type Report } from "./attributes.ts";
import type { Builder } from "./builder.ts";
import { createField } from "./create_field.ts";
import { HistData, type SortKey } from "./data.ts";
import { refusal } from "./errors.ts";
import { leftover, parseExpression } from "./expression.ts";
import { FLAG, type HistField, nameOf } from "./field.ts";
import { sortable } from "./spec.ts";
import { findOwnVariable } from "./variables.ts";

/** Keys that a histogram may have, and values, the hit count among them. */
const MAX_KEYS = 3;
const MAX_VALUES = 3;
const MAX_SORT_KEYS = 2;
/** Bytes of all keys (`HIST_KEY_SIZE_MAX`). */
const MAX_KEY_BYTES = 256 + 128;
/** Bytes of a `stacktrace` key. */
const STACK_BYTES = 128;

/** What a histogram is made from, beside its attributes. */
export interface HistOrder {
  readonly event: TriggerEvent;
  readonly host: TriggerHost;
  readonly report: Report;
  readonly forRemoval: boolean;
  readonly command: Builder["command"];
}

/** The histogram that a command describes, with all but what its actions need. @throws {KernelError} */
export function makeHist(attributes: HistAttributes, order: HistOrder): Builder {
  const { event, host, report, forRemoval, command } = order;
  const { version } = host;
  const hist = new HistData(event, attributes, { version, forRemoval });
  const builder: Builder = { hist, host, report, command, definitions: [] };
  for (const action of attributes.actions) hist.actions.push(parseAction(builder, action));
  defineVariables(builder);
  makeValues(builder);
  makeVariables(builder);
  makeKeys(builder);
  builder.definitions.length = 0;
  hist.sortKeys = makeSortKeys(builder);
  for (const field of hist.values.filter(isVariable)) placeVariable(field);
  return builder;
}

function isVariable({ flags }: HistField): boolean {
  return (flags & FLAG.VAR) !== 0;
}

/** Gives a variable its place in entries. */
function placeVariable(field: HistField): void {
  const { hist } = field;
  const index = hist.map.variableCount++;
  if (index >= MAX_VARIABLES) throw refusal("EINVAL");
  field.variable = { name: field.variable?.name, hist, index };
}

/** Takes `name=expression,…` apart (`parse_var_defs()`). */
function defineVariables({ hist, definitions, report }: Builder): void {
  for (const assignment of hist.attributes.assignments) {
    for (const part of assignment.split(",").slice(0, MAX_VARIABLES)) {
      const [name, expression] = splitAt(part, "=");
      if (expression === undefined) {
        report("MALFORMED_ASSIGNMENT", name);
        throw refusal("EINVAL");
      }
      if (definitions.length === MAX_VARIABLES) {
        report("TOO_MANY_VARS", name);
        throw refusal("EINVAL");
      }
      definitions.push({ name, expression });
    }
  }
}

/** The hit count and the values that the command asks for (`create_val_fields()`). */
function makeValues(builder: Builder): void {
  const { hist, report } = builder;
  const { values: text, hideHitcount } = hist.attributes;
  hist.values.push(createField(hist, undefined, FLAG.HITCOUNT));
  const parts = text?.split(",") ?? [];
  let used = 0;
  let hitcounts = 0;
  while (used < parts.length && used < MAX_VALUES && hist.values.length < MAX_VALUES) {
    const part = parts[used++];
    // 6.1 drops every hitcount, 6.12 the first one.
    if (part === "hitcount" && (hitcounts++ === 0 || hist.version === "6.1")) continue;
    hist.values.push(makeValue(builder, part));
  }
  const rest = parts.slice(used).join(",");
  const excess = used < parts.length && rest !== "hitcount";
  if (hideHitcount && hist.values.length === 1) {
    report("NEED_NOHC_VAL");
    throw refusal("ENOENT");
  }
  if (excess) throw refusal("EINVAL");
}

const NO_VALUE = FLAG.BUCKET | FLAG.LOG2 | FLAG.SYM | FLAG.SYM_OFFSET | FLAG.SYSCALL |
  FLAG.STACKTRACE;
const NO_VARIABLE = FLAG.GRAPH | FLAG.PERCENT | FLAG.BUCKET | FLAG.LOG2;

/** A value, or a variable if there is a `name` (`__create_val_field()`). */
function makeValue(builder: Builder, text: string, name?: string): HistField {
  const flags = name === undefined ? 0 : FLAG.VAR;
  const field = parseExpression(builder, text, flags, name);
  const forbidden = isVariable(field) ? NO_VARIABLE : NO_VALUE;
  if ((field.flags & forbidden) === 0) return field;
  builder.report("BAD_FIELD_MODIFIER", leftover(text));
  throw refusal("EINVAL");
}

/** `create_var_fields()`. */
function makeVariables(builder: Builder): void {
  const { hist, report, definitions } = builder;
  for (const definition of definitions) {
    const { name, expression } = definition;
    if (findOwnVariable(hist, hist.event, name) !== undefined && !hist.forRemoval) {
      report("DUPLICATE_VAR", name);
      throw refusal("EINVAL");
    }
    hist.variableCount++;
    definition.expression = leftover(expression);
    const field = makeValue(builder, expression, name);
    hist.values.push(field);
    if ((field.flags & FLAG.EXECNAME) !== 0) makeExecname(field);
    if (holdsText(field)) hist.stringCount++;
  }
}

/** The task's name in place of its number (`update_var_execname()`). */
function makeExecname(field: HistField): void {
  field.flags = FLAG.STRING | FLAG.VAR | FLAG.EXECNAME;
  field.size = 256;
  field.signed = false;
  field.type = "char[]";
  field.source = "execname";
}

function holdsText({ flags }: HistField): boolean {
  return (flags & FLAG.ALIAS) === 0 && (flags & (FLAG.STRING | FLAG.STACKTRACE)) !== 0;
}

/** `create_key_fields()`. */
function makeKeys(builder: Builder): void {
  const { hist } = builder;
  const parts = hist.attributes.keys.split(",");
  for (const part of parts.slice(0, MAX_KEYS)) {
    const key = makeKey(builder, part);
    key.offset = hist.keySize;
    hist.keySize += key.size;
    if (hist.keySize > MAX_KEY_BYTES) throw refusal("EINVAL");
    hist.keys.push(key);
  }
  if (parts.length > MAX_KEYS) throw refusal("EINVAL");
}

function makeKey(builder: Builder, text: string): HistField {
  const { hist } = builder;
  if (text === "stacktrace") {
    const key = createField(hist, undefined, FLAG.KEY | FLAG.STACKTRACE);
    key.size = STACK_BYTES;
    return key;
  }
  const key = parseExpression(builder, text, FLAG.KEY);
  if (hasVariables(key)) {
    builder.report("INVALID_REF_KEY", leftover(text));
    throw refusal("EINVAL");
  }
  key.size = Math.ceil(key.size / 8) * 8;
  return key;
}

/** Whether a field is or has a variable or a reference, three levels deep (`field_has_hist_vars()`). */
export function hasVariables({ flags, operands }: HistField, level = 0): boolean {
  if (level > 3) return false;
  return (flags & (FLAG.VAR | FLAG.VAR_REF)) !== 0 ||
    operands.some((operand) => hasVariables(operand, level + 1));
}

/** `create_sort_keys()`. */
function makeSortKeys(builder: Builder): SortKey[] {
  const { hist, report } = builder;
  const parts = hist.attributes.sort?.split(",");
  if (parts === undefined) return [{ index: 0, descending: false }];
  const keys: SortKey[] = [];
  for (const [place, part] of parts.entries()) {
    const [name, modifier] = splitAt(part, ".");
    if (part === "") throw refuseSort(report, "EMPTY_SORT_FIELD");
    if (place === MAX_SORT_KEYS - 1 && parts.length > MAX_SORT_KEYS) {
      throw refuseSort(report, "TOO_MANY_SORT_FIELDS");
    }
    if (name === "") throw refuseSort(report, "EMPTY_SORT_FIELD");
    const index = name === "hitcount"
      ? 0
      : sortable(hist).findIndex((field, i) => i > 0 && nameOf(field) === name);
    if (index < 0) {
      report("INVALID_SORT_FIELD", name);
      throw refusal("EINVAL");
    }
    keys.push({ index, descending: isDescending(report, modifier) });
  }
  return keys;
}

function refuseSort(report: Report, code: "EMPTY_SORT_FIELD" | "TOO_MANY_SORT_FIELDS"): Error {
  report(code, "sort=");
  return refusal("EINVAL");
}

function isDescending(report: Report, modifier: string | undefined): boolean {
  if (modifier === undefined || modifier === "ascending") return false;
  if (modifier === "descending") return true;
  report("INVALID_SORT_MODIFIER", modifier);
  throw refusal("EINVAL");
}
