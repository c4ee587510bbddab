/**
 * What a `hist` trigger does beside counting: `onmatch(…).…`, `onmax(…).…` and
 * `onchange(…).…` (kernel/trace/trace_events_hist.c).
 * @module
 */

import { splitAt } from "../trigger.ts";
import type { SyntheticTarget } from "../host.ts";
import { strip } from "./attributes.ts";
import type { Builder } from "./builder.ts";
import type { HistData } from "./data.ts";
import { refusal } from "./errors.ts";
import type { HistField } from "./field.ts";

/** `SYNTH_FIELDS_MAX`. */
export const MAX_PARAMETERS = 64;

/** What an action waits for, and what it does then. */
export interface Action {
  readonly handler: "onmatch" | "onmax" | "onchange";
  readonly kind: "save" | "trace" | "snapshot";
  /** As written: `save`, `trace`, `snapshot`, or the name of a synthetic event. */
  readonly name: string;
  readonly parameters: readonly string[];
  /** The synthetic event to write to. */
  readonly synthetic?: string;
  /** Whether it is named in the parameters of `trace()`. */
  readonly usesTrace: boolean;
  /** The event that `onmatch()` names. */
  readonly match?: { readonly system: string; readonly event: string };
  /** The variable that `onmax()` or `onchange()` watches, with its `$`. */
  readonly watched?: string;
  /** What the action needs when it acts; there once it has been made. */
  made?: MadeAction;
}

/** An action that has been made. */
export interface MadeAction {
  /** The synthetic event, and the references whose values it gets. */
  readonly synthetic?: SyntheticTarget;
  readonly arguments: readonly HistField[];
  /** The reference to the watched variable, and the hidden variable with its last value. */
  readonly watch?: { readonly reference: HistField; readonly last: HistField };
}

/** Reads one action; logs what is wrong with it. @throws {KernelError} */
export function parseAction(builder: Builder, text: string): Action {
  const [handler, rest = ""] = splitAt(text, "(");
  if (handler === "onmatch") return parseOnMatch(builder, rest);
  const [watched, after] = splitAt(rest, ")");
  if (after === undefined) throw refusal("EINVAL");
  const body = parseBody(builder, after, handler as "onmax" | "onchange");
  return { ...body, handler: handler as "onmax" | "onchange", watched };
}

function parseOnMatch(builder: Builder, text: string): Action {
  const [names, after] = splitAt(text, ")");
  if (after === undefined) {
    builder.report("NO_CLOSING_PAREN", names);
    throw refusal("EINVAL");
  }
  const [system, event] = splitAt(names, ".");
  if (event === undefined) {
    builder.report("SUBSYS_NOT_FOUND", system);
    throw refusal("EINVAL");
  }
  if (builder.host.findEvent(system, event) === undefined) {
    builder.report("INVALID_SUBSYS_EVENT", event);
    throw refusal("EINVAL");
  }
  return { ...parseBody(builder, after, "onmatch"), handler: "onmatch", match: { system, event } };
}

type Body = Pick<Action, "kind" | "name" | "parameters" | "synthetic" | "usesTrace">;

/** `.name(parameters)` (`action_parse()`). */
function parseBody(builder: Builder, text: string, handler: Action["handler"]): Body {
  const [, afterDot] = splitAt(text, ".");
  const [name, inside] = splitAt(afterDot ?? "", "(");
  if (afterDot === undefined || inside === undefined) {
    builder.report("ACTION_NOT_FOUND");
    throw refusal("EINVAL");
  }
  const [list, after] = splitAt(inside, ")");
  if (name.startsWith("save")) {
    const parameters = parseParameters(builder, list);
    checkHandler(builder, handler, name);
    return { kind: "save", name, parameters, usesTrace: false };
  }
  if (name.startsWith("snapshot")) {
    if (after === undefined) {
      builder.report("NO_CLOSING_PAREN", list);
      throw refusal("EINVAL");
    }
    checkHandler(builder, handler, name);
    return { kind: "snapshot", name, parameters: [], usesTrace: false };
  }
  const parameters = parseParameters(builder, list, name.startsWith("trace") ? 1 : 0);
  if (!name.startsWith("trace")) {
    return { kind: "trace", name, parameters, synthetic: name, usesTrace: false };
  }
  const [synthetic, ...values] = parameters;
  return { kind: "trace", name, parameters: values, synthetic, usesTrace: true };
}

/** `save()` and `snapshot()` need a variable to watch. */
function checkHandler(builder: Builder, handler: Action["handler"], name: string): void {
  if (handler !== "onmatch") return;
  builder.report("ACTION_MISMATCH", name);
  throw refusal("EINVAL");
}

/** @param more parameters beyond the limit that are no values */
function parseParameters(builder: Builder, text: string, more = 0): string[] {
  return text.split(",").map((part, index) => {
    if (index >= MAX_PARAMETERS + more) {
      builder.report("TOO_MANY_PARAMS");
      throw refusal("EINVAL");
    }
    const parameter = strip(part);
    if (parameter.length < 2) {
      builder.report("INVALID_PARAM", parameter);
      throw refusal("EINVAL");
    }
    return parameter;
  });
}

/** Whether two histograms do the same (`actions_match()`). */
export function sameActions(a: HistData, b: HistData): boolean {
  return a.actions.length === b.actions.length &&
    a.actions.every((action, i) => sameAction(action, b.actions[i]));
}

function sameAction(a: Action, b: Action): boolean {
  return a.handler === b.handler && a.kind === b.kind &&
    a.parameters.length === b.parameters.length &&
    a.parameters.every((parameter, i) => parameter === b.parameters[i]) &&
    (a.synthetic ?? a.name) === (b.synthetic ?? b.name) &&
    a.match?.system === b.match?.system && a.match?.event === b.match?.event &&
    a.watched === b.watched;
}

/** The actions as the `trigger` file shows them. */
export function printActions(hist: HistData): string {
  return hist.actions.map((action) => {
    const { handler, match, watched, name } = action;
    const subject = match === undefined ? watched : `${match.system}.${match.event}`;
    return `:${handler}(${subject}).${name}(${printParameters(hist, action)})`;
  }).join("");
}

function printParameters(hist: HistData, action: Action): string {
  const { kind, parameters, synthetic, usesTrace } = action;
  if (kind === "save") {
    return hist.savedVariables.map(({ variable }) => variable.variable?.name).join(",");
  }
  if (kind === "snapshot") return "";
  return (usesTrace ? [synthetic, ...parameters] : parameters).join(",");
}
