/**
 * Makes what actions need: variables for the fields that they name, references to
 * variables, the synthetic event (`create_actions()`,
 * kernel/trace/trace_events_hist.c).
 * @module
 */

import type { SyntheticTargetField, TriggerEvent } from "../host.ts";
import { splitAt } from "../trigger.ts";
import { type Action, MAX_PARAMETERS } from "./action.ts";
import { parseAtom } from "./atom.ts";
import type { Builder } from "./builder.ts";
import type { FieldVariable, HistData } from "./data.ts";
import { refusal } from "./errors.ts";
import { atomLeftover, operandText } from "./expression.ts";
import { FLAG, type HistField } from "./field.ts";
import { createHiddenVariable, findForeignVariable, findVariable, referTo } from "./variables.ts";

/** Bytes of a command that the kernel gives itself (`MAX_FILTER_STR_VAL`, without the NUL). */
const MAX_COMMAND = 255;

/** Makes the actions of a histogram that has its fields. @throws {KernelError} */
export function makeActions(builder: Builder): void {
  for (const action of builder.hist.actions) {
    const watch = action.watched === undefined ? undefined : makeWatch(builder, action);
    if (action.kind === "trace") makeTrace(builder, action, watch);
    else {
      action.made = { arguments: [], watch };
      if (action.kind === "save") makeSave(builder, action);
      else builder.host.state.watchForSnapshot(builder.hist, action);
    }
  }
}

type Watch = NonNullable<NonNullable<Action["made"]>["watch"]>;

function makeWatch(builder: Builder, { watched = "", handler }: Action): Watch {
  const { hist } = builder;
  if (!watched.startsWith("$")) {
    builder.report("ONX_NOT_VAR", watched);
    throw refusal("EINVAL");
  }
  const variable = findVariable(hist, watched.slice(1));
  if (variable === undefined) {
    builder.report("ONX_VAR_NOT_FOUND", watched.slice(1));
    throw refusal("EINVAL");
  }
  const reference = referTo(hist, variable);
  if (reference === undefined) throw refusal("ENOMEM");
  try {
    const name = handler === "onmax" ? "__max" : "__change";
    return { reference, last: createHiddenVariable(builder, name, 8, "u64") };
  } catch (error) {
    builder.report("ONX_VAR_CREATE_FAIL");
    throw error;
  }
}

function makeSave(builder: Builder, { parameters }: Action): void {
  const { hist } = builder;
  if (hist.savedVariables.length > 0) {
    builder.report("TOO_MANY_SAVE_ACTIONS");
    throw refusal("EEXIST");
  }
  for (const parameter of parameters) {
    try {
      hist.savedVariables.push(makeFieldVariable(builder, parameter));
    } catch (error) {
      builder.report("FIELD_VAR_CREATE_FAIL", atomLeftover(parameter));
      throw error;
    }
  }
}

/** A variable with the value of a field (`create_field_var()`). */
function makeFieldVariable(builder: Builder, text: string): FieldVariable {
  if (builder.hist.fieldVariables.length >= MAX_PARAMETERS) {
    builder.report("TOO_MANY_FIELD_VARS", text);
    throw refusal("EINVAL");
  }
  const value = orReport(builder, "FIELD_VAR_PARSE_FAIL", text, () => {
    return parseAtom(builder, text, FLAG.VAR);
  });
  const name = atomLeftover(text);
  const variable = orReport(builder, "VAR_CREATE_FIND_FAIL", name, () => {
    return createHiddenVariable(builder, name, value.size, value.type);
  });
  variable.flags |= value.flags & FLAG.STACKTRACE;
  return { variable, value };
}

function orReport<T>(
  builder: Builder,
  code: "FIELD_VAR_PARSE_FAIL" | "VAR_CREATE_FIND_FAIL",
  text: string,
  make: () => T,
): T {
  try {
    return make();
  } catch (error) {
    builder.report(code, atomLeftover(text));
    throw error;
  }
}

/** `trace_action_create()`. */
function makeTrace(builder: Builder, action: Action, watch: Watch | undefined): void {
  const { host } = builder;
  const { synthetic: name = "", parameters } = action;
  const synthetic = host.findSynthetic(name);
  if (synthetic === undefined) {
    builder.report("SYNTH_EVENT_NOT_FOUND", name);
    throw refusal("EINVAL");
  }
  const references = parameters.map((parameter, index) =>
    makeArgument(builder, action, parameter, synthetic.declared[index])
  );
  if (references.length !== synthetic.declared.length) {
    builder.report("SYNTH_COUNT_MISMATCH", synthetic.name);
    throw refusal("EINVAL");
  }
  host.holdSynthetic(synthetic);
  action.made = { synthetic, arguments: references, watch };
}

function makeArgument(
  builder: Builder,
  action: Action,
  parameter: string,
  field: SyntheticTargetField | undefined,
): HistField {
  const { system, event, name } = splitParameter(parameter);
  const variable = name.startsWith("$")
    ? findParameterVariable(builder, action, system, event, name.slice(1))
    : makeParameterVariable(builder, action, system, event, name);
  if (variable === undefined) throw refusal("EINVAL");
  if (field === undefined || !fits(variable, field)) {
    builder.report("SYNTH_TYPE_MISMATCH", name);
    throw refusal("EINVAL");
  }
  const reference = referTo(builder.hist, variable, system, event);
  if (reference === undefined) throw refusal("ENOMEM");
  return reference;
}

/** `name` or `system.event.name`; one dot alone is refused. */
function splitParameter(parameter: string) {
  const [system, afterSystem] = splitAt(parameter, ".");
  if (afterSystem === undefined) return { system: undefined, event: undefined, name: system };
  const [event, name] = splitAt(afterSystem, ".");
  if (name === undefined) throw refusal("EINVAL");
  return { system, event, name };
}

/** The event at hand, unless another one is named. */
function isOwnEvent({ event: own }: HistData, system?: string, event?: string): boolean {
  return system === undefined || (system === own.system && event === own.name);
}

function findParameterVariable(
  builder: Builder,
  { match }: Action,
  system: string | undefined,
  event: string | undefined,
  name: string,
): HistField | undefined {
  const { hist } = builder;
  const own = isOwnEvent(hist, system, event) ? findVariable(hist, name) : undefined;
  if (own !== undefined) return own;
  const [inSystem, inEvent] = system === undefined && match !== undefined
    ? [match.system, match.event]
    : [system, event];
  const found = findForeignVariable(builder, inSystem, inEvent, name);
  if (found === undefined) builder.report("PARAM_NOT_FOUND", name);
  return found;
}

/** A field: of this event, else of the one that `onmatch()` names. */
function makeParameterVariable(
  builder: Builder,
  { match }: Action,
  system: string | undefined,
  event: string | undefined,
  name: string,
): HistField | undefined {
  const { hist } = builder;
  if (isOwnEvent(hist, system, event)) {
    try {
      const made = makeFieldVariable(builder, name);
      hist.fieldVariables.push(made);
      return made.variable;
    } catch {
      // The errors are in the log; the other event may have the field.
    }
  }
  const [inSystem, inEvent] = system === undefined && match !== undefined
    ? [match.system, match.event]
    : [system, event];
  if (inSystem === undefined || inEvent === undefined) return undefined;
  try {
    return makeFieldHist(builder, inSystem, inEvent, name);
  } catch {
    return undefined;
  }
}

/**
 * Gives the other event a histogram with the same keys and a variable for the
 * field (`create_field_var_hist()`). @throws {KernelError}
 */
function makeFieldHist(builder: Builder, system: string, event: string, name: string): HistField {
  const { hist, host } = builder;
  const refuse = (code: Parameters<typeof builder.report>[0]) => {
    builder.report(code, name);
    return refusal("EINVAL");
  };
  if (hist.fieldHists.length >= MAX_PARAMETERS) throw refuse("TOO_MANY_FIELD_VARS");
  const target = host.findEvent(system, event);
  if (target === undefined) throw refuse("EVENT_FILE_NOT_FOUND");
  const compatible = target.triggers.hists.find((trigger) => sameKeys(hist, trigger.hist));
  if (compatible === undefined) throw refuse("HIST_NOT_FOUND");
  const hidden = `synthetic_${name}`;
  const known = findForeignVariable(builder, system, event, hidden);
  if (known !== undefined) return known;
  const keys = compatible.hist.keys.map((key) => keyText(key)).join(",");
  const filter = compatible.filter === undefined ? "" : ` if ${compatible.filter.text}`;
  const command = `keys=${keys}:${hidden}=${name}${filter}`;
  if (command.length > MAX_COMMAND) throw refusal("E2BIG");
  makeHist(builder, target, command, name);
  hist.fieldHists.push({ event: target, command });
  const made = findForeignVariable(builder, system, event, hidden);
  if (made === undefined) throw refuse("SYNTH_VAR_NOT_FOUND");
  return made;
}

function makeHist(builder: Builder, target: TriggerEvent, command: string, name: string): void {
  try {
    builder.command(target, command);
  } catch (error) {
    builder.report("HIST_CREATE_FAIL", name);
    throw error;
  }
}

/** 6.1 leaves the modifiers out. */
function keyText(key: HistField): string {
  return key.hist.version === "6.1" ? key.field?.name ?? "" : operandText(key);
}

function sameKeys(a: HistData, b: HistData): boolean {
  return a.keys.length === b.keys.length && a.keys.every((key, i) => {
    const other = b.keys[i];
    return key.type === other.type && key.size === other.size && key.signed === other.signed;
  });
}

/** Whether a variable may be handed to a field of a synthetic event (`check_synth_field()`). */
function fits(variable: HistField, field: SyntheticTargetField): boolean {
  if (variable.type.includes("char[") && field.isString && field.isDynamic) return true;
  const isStack = (variable.flags & FLAG.STACKTRACE) !== 0;
  if (isStack !== field.isStack) return false;
  if (isStack || variable.type === field.type) return true;
  return variable.size === field.size && (field.isString || variable.signed === field.signed);
}
