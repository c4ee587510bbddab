/**
 * Variables of histograms: where they are found, and references to them
 * (kernel/trace/trace_events_hist.c).
 * @module
 */

import type { TriggerEvent } from "../host.ts";
import { MAX_VARIABLES } from "./attributes.ts";
import type { Builder } from "./builder.ts";
import { asVariable, createField } from "./create_field.ts";
import type { HistData } from "./data.ts";
import { refusal } from "./errors.ts";
import { FLAG, type HistField } from "./field.ts";

/** Whether `text` is a `$` and a name. */
export function isReference(text: string): boolean {
  return text.length >= 2 && text.startsWith("$");
}

/** The variable that a histogram defines. */
export function findVariable(hist: HistData, name: string): HistField | undefined {
  return hist.fields.find(({ flags, variable }) =>
    (flags & FLAG.VAR) !== 0 && variable?.name === name
  );
}

/** The variable that a histogram of `event` defines. */
export function findEventVariable(event: TriggerEvent, name: string): HistField | undefined {
  for (const { hist } of event.triggers.hists) {
    const found = findVariable(hist, name);
    if (found !== undefined) return found;
  }
}

/** The variable that `hist` or another histogram of `event` defines. */
export function findOwnVariable(
  hist: HistData,
  event: TriggerEvent,
  name: string,
): HistField | undefined {
  return findVariable(hist, name) ?? findEventVariable(event, name);
}

/**
 * The variable of a histogram elsewhere: of the event that is named, else of the
 * events that the histogram's `onmatch()` name, else of the only event that has
 * one of that name (`find_event_var()`).
 */
export function findForeignVariable(
  builder: Builder,
  system: string | undefined,
  event: string | undefined,
  name: string,
): HistField | undefined {
  if (system === undefined || event === undefined) {
    const matched = findMatchedVariable(builder, name);
    if (matched === "ambiguous") return undefined;
    if (matched !== undefined) return matched;
  }
  const file = findVariableEvent(builder, system, event, name);
  return file === undefined ? undefined : findEventVariable(file, name);
}

function findMatchedVariable(
  builder: Builder,
  name: string,
): HistField | "ambiguous" | undefined {
  let found: HistField | undefined;
  for (const { match } of builder.hist.actions) {
    if (match === undefined) continue;
    const file = findVariableEvent(builder, match.system, match.event, name);
    const variable = file === undefined ? undefined : findEventVariable(file, name);
    if (variable === undefined) continue;
    if (found !== undefined) {
      builder.report("VAR_NOT_UNIQUE", name);
      return "ambiguous";
    }
    found = variable;
  }
  return found;
}

function findVariableEvent(
  builder: Builder,
  system: string | undefined,
  event: string | undefined,
  name: string,
): TriggerEvent | undefined {
  if (system !== undefined) return builder.host.findEvent(system, event ?? "");
  let found: TriggerEvent | undefined;
  for (const hist of builder.host.state.histsWithVariables) {
    if (hist.event === found || findVariable(hist, name) === undefined) continue;
    if (found !== undefined) {
      builder.report("VAR_NOT_UNIQUE", name);
      return undefined;
    }
    found = hist.event;
  }
  return found;
}

/**
 * The reference of `hist` to a variable; one that is there already serves again
 * (`create_var_ref()`). Nothing for the 17th.
 */
export function referTo(
  hist: HistData,
  variable: HistField,
  system?: string,
  event?: string,
): HistField | undefined {
  const known = hist.references.find((reference) => refersTo(reference, variable));
  if (known !== undefined) return known;
  if (hist.references.length >= MAX_VARIABLES) return undefined;
  const reference = createField(variable.hist, undefined, FLAG.VAR_REF);
  copyVariable(reference, variable, system, event);
  reference.refIndex = hist.references.push(reference) - 1;
  return reference;
}

function refersTo(reference: HistField, target: HistField): boolean {
  return reference.variable?.hist === target.variable?.hist &&
    reference.variable?.index === target.variable?.index;
}

/** A variable that stands for another one. */
export function createAlias(hist: HistData, reference: HistField, name: string): HistField {
  const alias = createField(hist, undefined, FLAG.ALIAS | FLAG.VAR);
  alias.source = reference.source;
  alias.operands = [reference];
  copyVariable(alias, reference, reference.system, reference.event);
  alias.refIndex = reference.refIndex;
  return asVariable(alias, name);
}

const INHERITED = FLAG.TIMESTAMP | FLAG.USECS | FLAG.STACKTRACE;

function copyVariable(to: HistField, from: HistField, system?: string, event?: string): void {
  if (from.variable !== undefined) {
    const { hist, index } = from.variable;
    to.variable = { hist, index };
  }
  to.size = from.size;
  to.signed = from.signed;
  to.type = from.type;
  to.flags |= from.flags & INHERITED;
  to.system = system;
  to.event = event;
  to.name = from.variable?.name ?? from.name;
}

/**
 * A variable that no command defines: one that an action keeps a field or a
 * maximum in (`create_var()`). @throws {KernelError} EINVAL if the name is taken,
 * or for the 17th
 */
export function createHiddenVariable(
  builder: Builder,
  name: string,
  size: number,
  type: string,
): HistField {
  const { hist } = builder;
  const isTaken = findOwnVariable(hist, hist.event, name) !== undefined && !hist.forRemoval;
  if (isTaken || hist.map.variableCount >= MAX_VARIABLES) throw refusal("EINVAL");
  const variable = createField(hist, undefined, 0);
  variable.flags = FLAG.VAR;
  variable.size = size;
  variable.type = type;
  variable.variable = { name, hist, index: hist.map.variableCount++ };
  return variable;
}
