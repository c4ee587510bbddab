/**
 * `hist` commands: what a write does to the triggers of an event
 * (`event_hist_trigger_parse()`, kernel/trace/trace_events_hist.c).
 * @module
 */

import type { FilterField } from "../../../../../core/filter/field.ts";
import type { EventTriggers } from "../event_triggers.ts";
import type { TriggerEvent, TriggerHost } from "../host.ts";
import { parseTriggerFilter, type TriggerFilter } from "../trigger.ts";
import { MAX_PARAMETERS, sameActions } from "./action.ts";
import { type HistAttributes, parseAttributes, type Report, strip } from "./attributes.ts";
import type { HistData } from "./data.ts";
import { refusal } from "./errors.ts";
import { FLAG } from "./field.ts";
import { destroyHist, HistTrigger } from "./hist_trigger.ts";
import { makeActions } from "./make_action.ts";
import { hasVariables, makeHist } from "./make_hist.ts";

/** A command for one event. */
export interface HistRequest {
  readonly event: TriggerEvent;
  readonly host: TriggerHost;
  readonly remove: boolean;
  /** What follows `hist:`. */
  readonly text: string | undefined;
  /** Whether the kernel gives the command to itself; errors are logged for the one that made it. */
  readonly isInner: boolean;
}

/** Carries a command out. @throws {KernelError} */
export function runHistCommand(request: HistRequest): void {
  const { event, host, text, isInner } = request;
  const { command } = host.state.shared;
  if (!isInner) command.start(event.system, event.name, text);
  if (text === undefined) throw refusal("EINVAL");
  const report: Report = (code, part) => command.report(host.errors, code, part);
  const { specification, filter } = separateFilter(text);
  const attributes = parseAttributes(specification, host.version, report);
  carryOut(request, attributes, filter, report);
  if (!isInner) command.end();
}

/**
 * Finds the `if` between blanks that starts the filter. One at the very start or
 * at the end is refused.
 */
function separateFilter(text: string): { specification: string; filter: string | undefined } {
  const isBlank = (at: number) => text[at] === " " || text[at] === "\t";
  for (let at = text.indexOf("if"); at >= 0; at = text.indexOf("if", at + 1)) {
    if (at === 0) throw refusal("EINVAL");
    if (!isBlank(at - 1)) continue;
    if (at >= text.length - 3) throw refusal("EINVAL");
    if (!isBlank(at + 2)) continue;
    const specification = strip(text.slice(0, at - 1));
    return { specification: hideOffset(specification), filter: strip(text.slice(at)) };
  }
  return { specification: hideOffset(text), filter: undefined };
}

/** The `-` of the modifier must not be taken for an operator. */
function hideOffset(text: string): string {
  return text.replaceAll(".sym-offset", ".symXoffset");
}

function carryOut(
  request: HistRequest,
  attributes: HistAttributes,
  filterText: string | undefined,
  report: Report,
): void {
  const { event, host, remove: forRemoval } = request;
  const { triggers } = event;
  const command = (other: TriggerEvent, text: string) =>
    runHistCommand({ event: other, host, remove: false, text, isInner: true });
  const builder = makeHist(attributes, { event, host, report, forRemoval, command });
  const { hist } = builder;
  const trigger = new HistTrigger(hist, parseTriggerFilter(filterText, event, host), host);
  if (forRemoval) {
    removeHist(triggers, trigger, host);
    return;
  }
  if (updateExisting(triggers, trigger, host)) return;
  try {
    makeActions(builder);
    checkStrings(hist);
    if (hist.references.length > 0 || hist.fields.some((field) => hasVariables(field))) {
      host.state.histsWithVariables.unshift(hist);
    }
    register(triggers, trigger, host, report);
  } catch (error) {
    destroyHist(hist, host);
    throw error;
  }
  triggers.append(trigger);
  if (event.synthetic !== undefined) host.holdSynthetic(event.synthetic);
}

/** Entries have room for 64 strings. */
function checkStrings(hist: HistData): void {
  const kept = [...hist.fieldVariables, ...hist.savedVariables].filter(({ value }) => {
    return (value.flags & (FLAG.STRING | FLAG.STACKTRACE)) !== 0;
  });
  if (kept.length + hist.stringCount > MAX_PARAMETERS) throw refusal("ENOMEM");
}

/** Removes the trigger like `pattern`, if there is one; it is no error if there is none. */
function removeHist(triggers: EventTriggers, pattern: HistTrigger, host: TriggerHost): void {
  const named = findNamed(pattern.hist, host);
  const found = triggers.hists.find((trigger) => matches(pattern, trigger, named, host));
  if (found === undefined) return;
  if (isReferred(found.hist, host)) throw refusal("EBUSY");
  triggers.remove(found);
  const { synthetic } = triggers.event;
  if (synthetic !== undefined) host.releaseSynthetic(synthetic);
}

/** Whether another histogram refers to a variable of this one. */
export function isReferred(hist: HistData, host: TriggerHost): boolean {
  return host.state.histsWithVariables.some((other) =>
    other !== hist && other.references.some(({ variable }) => variable?.hist === hist)
  );
}

/** `pause`, `cont` and `clear` for a trigger that is there (`existing_hist_update_only()`). */
function updateExisting(
  triggers: EventTriggers,
  pattern: HistTrigger,
  host: TriggerHost,
): boolean {
  const { pause, cont, clear, name } = pattern.hist.attributes;
  if (!pause && !cont && !clear) return false;
  const named = findNamed(pattern.hist, host);
  if (name !== undefined && named === undefined) return false;
  if (named !== undefined && !matches(pattern, named, named, host, true)) return false;
  const found = triggers.hists.find((trigger) => matches(pattern, trigger, named, host));
  if (found === undefined) return false;
  if (pause) found.paused = true;
  else if (cont) found.paused = false;
  else found.hist.map.clear();
  return true;
}

/** Gets a trigger ready to go on its event's list (`hist_register_trigger()`). */
function register(
  triggers: EventTriggers,
  trigger: HistTrigger,
  host: TriggerHost,
  report: Report,
): void {
  const { hist } = trigger;
  const { name, pause, cont, clear, clock } = hist.attributes;
  const named = findNamed(hist, host);
  if (named !== undefined && !matches(trigger, named, named, host, true)) {
    report("NAMED_MISMATCH", name);
    throw refusal("EINVAL");
  }
  const isNew = name !== undefined && named === undefined;
  if (!isNew && triggers.hists.some((other) => matches(trigger, other, named, host))) {
    report("TRIGGER_EEXIST");
    throw refusal("EEXIST");
  }
  if (cont || clear) {
    report("TRIGGER_ENOENT_CLEAR");
    throw refusal("ENOENT");
  }
  trigger.paused = pause;
  if (hist.usesTimestamps && !host.setClock(clock)) {
    report("SET_CLOCK_FAIL", clock);
    throw refusal("EINVAL");
  }
  takeUser(trigger, named, host);
}

/** Shares the histogram of the trigger that has the name, if there is one. */
function takeUser(trigger: HistTrigger, named: HistTrigger | undefined, host: TriggerHost): void {
  const { hist } = trigger;
  if (hist.attributes.name !== undefined) {
    trigger.name = hist.attributes.name;
    host.state.shared.named.unshift(trigger);
  }
  if (named === undefined) {
    trigger.users++;
    return;
  }
  named.users++;
  trigger.shared = named;
  trigger.hist = named.hist;
  destroyHist(hist, host);
}

/** The trigger that a histogram of that name belongs to. */
function findNamed({ attributes: { name } }: HistData, host: TriggerHost) {
  if (name === undefined) return undefined;
  return host.state.shared.named.find((trigger) => {
    return trigger.shared === undefined && trigger.name === name;
  });
}

/** Whether two triggers are the same but for what they counted (`hist_trigger_match()`). */
function matches(
  pattern: HistTrigger,
  other: HistTrigger,
  named: HistTrigger | undefined,
  host: TriggerHost,
  ignoreFilter = false,
): boolean {
  if (named !== undefined && named !== other && named !== other.shared) return false;
  if (named === undefined && host.state.shared.named.includes(other)) return false;
  const [a, b] = [pattern.hist, other.hist];
  return a.values.length === b.values.length && a.keys.length === b.keys.length &&
    (ignoreFilter || sameFilter(pattern.filter, other.filter)) &&
    sameFields(a, b) && sameSort(a, b) && sameActions(a, b);
}

function sameFilter(a: TriggerFilter | undefined, b: TriggerFilter | undefined): boolean {
  return a?.text === b?.text;
}

function sameSort(a: HistData, b: HistData): boolean {
  return a.sortKeys.length === b.sortKeys.length &&
    a.sortKeys.every((key, i) =>
      key.index === b.sortKeys[i].index && key.descending === b.sortKeys[i].descending
    );
}

/** Expressions, constants and bucket sizes are not compared. */
function sameFields(a: HistData, b: HistData): boolean {
  const others = b.fields;
  return a.fields.every((field, i) => {
    const other = others[i];
    return field.flags === other.flags && sameEventField(field.field, other.field) &&
      field.offset === other.offset && field.size === other.size &&
      field.signed === other.signed && field.variable?.name === other.variable?.name;
  });
}

function sameEventField(a: FilterField | undefined, b: FilterField | undefined): boolean {
  if (a === b) return true;
  return a?.name === b?.name && a?.type === b?.type && a?.size === b?.size &&
    a?.signed === b?.signed;
}
