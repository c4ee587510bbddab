import { toByteString } from "../../../../../core/filter/bytes.ts";
import type { FiredEvent, TriggerHost } from "../host.ts";
import type { Trigger, TriggerFilter } from "../trigger.ts";
import type { Action } from "./action.ts";
import type { HistData } from "./data.ts";
import { evaluate, type HistValue, MAX_STACK, type Occasion, toInteger } from "./evaluate.ts";
import { FLAG, type HistField } from "./field.ts";
import { keyOf } from "./key.ts";
import type { HistEntry } from "./map.ts";
import { printTrigger } from "./spec.ts";

/** A `hist` trigger: one event's way into a histogram, which named triggers share. */
export class HistTrigger implements Trigger {
  readonly kind = "hist";
  readonly isLate = false;
  readonly filter: TriggerFilter | undefined;
  /** Set if other triggers may share the histogram; with `name=`. */
  name: string | undefined;
  /** The trigger that the histogram is shared with, which had it first. */
  shared: HistTrigger | undefined;
  hist: HistData;
  paused: boolean;
  /** Events that feed the histogram through this trigger's data. */
  users = 0;
  readonly #host: TriggerHost;

  constructor(hist: HistData, filter: TriggerFilter | undefined, host: TriggerHost) {
    this.hist = hist;
    this.filter = filter;
    this.paused = false;
    this.#host = host;
  }

  print(): string {
    return printTrigger(this.hist, this);
  }

  /** Counts the event (`event_hist_trigger()`, kernel/trace/trace_events_hist.c). */
  fire(fired: FiredEvent): void {
    const { hist } = this;
    const host = this.#host;
    const key = keyOf(hist, fired, host);
    const references: (HistValue | undefined)[] = [];
    if (!resolveReferences(hist, key, references, false)) return;
    const { pid, comm } = fired.context;
    const entry = hist.map.insert(key, pid === 0 ? "<idle>" : toByteString(comm));
    if (entry === undefined) return;
    const occasion: Occasion = { fired, host, entry, references };
    updateEntry(hist, entry, occasion);
    if (!resolveReferences(hist, key, references, true)) return;
    for (const action of hist.actions) act(hist, entry, action, occasion);
  }

  release(): void {
    if (this.shared === undefined) {
      releaseUser(this, this.#host);
      return;
    }
    releaseUser(this.shared, this.#host);
    forgetName(this, this.#host);
  }
}

/** Lets go of a histogram that nobody feeds any more (`event_hist_trigger_free()`). */
function releaseUser(trigger: HistTrigger, host: TriggerHost): void {
  if (--trigger.users > 0) return;
  forgetName(trigger, host);
  destroyHist(trigger.hist, host);
}

function forgetName(trigger: HistTrigger, host: TriggerHost): void {
  remove(host.state.shared.named, trigger);
  trigger.name = undefined;
}

/** Takes back what a histogram made elsewhere: variables, histograms of other events, holds. */
export function destroyHist(hist: HistData, host: TriggerHost): void {
  remove(host.state.histsWithVariables, hist);
  for (const { event, command } of hist.fieldHists) event.triggers.removeMadeHist(command);
  for (const { made } of hist.actions) {
    if (made?.synthetic !== undefined) host.releaseSynthetic(made.synthetic);
  }
  if (host.state.snapshot?.hist === hist) {
    host.state.snapshot = undefined;
    host.disarmSnapshot();
  }
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

/**
 * Reads the variables that a histogram refers to, either its own or those of
 * others; false if one is not set for this key (`resolve_var_refs()`).
 */
function resolveReferences(
  hist: HistData,
  key: Uint8Array,
  values: (HistValue | undefined)[],
  own: boolean,
): boolean {
  for (const reference of hist.references) {
    const { variable } = reference;
    if (variable === undefined) return false;
    if ((variable.hist === hist) !== own) continue;
    const entry = variable.hist.map.lookup(fitKey(key, variable.hist.keySize));
    if (entry === undefined || !entry.set.has(variable.index)) return false;
    if (!own && reference.readOnce) entry.set.delete(variable.index);
    values[reference.refIndex] = entry.variables.get(variable.index);
  }
  return true;
}

/** The kernel looks one histogram's key up in another's, as many bytes as that one has. */
function fitKey(key: Uint8Array, size: number): Uint8Array {
  if (key.length >= size) return key.subarray(0, size);
  const padded = new Uint8Array(size);
  padded.set(key);
  return padded;
}

/** `hist_trigger_elt_update()`. */
function updateEntry(hist: HistData, entry: HistEntry, occasion: Occasion): void {
  for (const [index, field] of hist.values.entries()) {
    if ((field.flags & FLAG.VAR) !== 0) setVariable(entry, field, storedValue(field, occasion));
    else {
      const value = toInteger(evaluate(field, occasion));
      entry.sums[index] = BigInt.asUintN(64, (entry.sums[index] ?? 0n) + value);
    }
  }
  for (const { variable, value } of hist.fieldVariables) {
    setVariable(entry, variable, storedValue(value, occasion));
  }
}

function setVariable(entry: HistEntry, { variable }: HistField, value: HistValue): void {
  if (variable === undefined) return;
  entry.variables.set(variable.index, value);
  entry.set.add(variable.index);
}

/** A string is cut to the room it has; a stack is the one at hand. */
function storedValue(field: HistField, occasion: Occasion): HistValue {
  const isAlias = (field.flags & FLAG.ALIAS) !== 0;
  if (!isAlias && (field.flags & FLAG.STACKTRACE) !== 0 && field.hist.version !== "6.1") {
    return (occasion.fired.context.stack ?? []).slice(0, MAX_STACK);
  }
  const value = evaluate(field, occasion);
  return typeof value === "string" && !isAlias ? value.slice(0, field.size - 1) : value;
}

function act(hist: HistData, entry: HistEntry, action: Action, occasion: Occasion): void {
  const { made } = action;
  if (made === undefined) return;
  if (made.watch === undefined) {
    write(action, occasion);
    return;
  }
  const { reference, last } = made.watch;
  const value = watchedValue(occasion.references[reference.refIndex]);
  if (!isNews(action, lastValue(entry, last), value)) return;
  setVariable(entry, last, value);
  if (action.kind === "trace") write(action, occasion);
  else if (action.kind === "snapshot") takeSnapshot(hist, entry, action, value, occasion);
  else {
    for (const saved of hist.savedVariables) {
      setVariable(entry, saved.variable, storedValue(saved.value, occasion));
    }
  }
}

/** Strings and stacks are watched by their address, which is that of the entry's own copy. */
function watchedValue(value: HistValue | undefined): bigint {
  return value === undefined ? 0n : typeof value === "bigint" ? value : 1n;
}

function lastValue(entry: HistEntry, { variable }: HistField): bigint {
  return variable === undefined ? 0n : watchedValue(entry.variables.get(variable.index));
}

function isNews({ handler }: Action, last: bigint, value: bigint): boolean {
  return handler === "onmax" ? value > last : value !== last;
}

/** Writes the synthetic event of an action. */
function write({ made }: Action, { fired, host, references }: Occasion): void {
  if (made?.synthetic === undefined) return;
  const values = made.arguments.map(({ refIndex }) => references[refIndex] ?? 0n);
  host.fireSynthetic(made.synthetic, values, fired.context);
}

/** Takes a snapshot if the value is news for the whole histogram (`cond_snapshot_update()`). */
function takeSnapshot(
  hist: HistData,
  entry: HistEntry,
  action: Action,
  value: bigint,
  { host }: Occasion,
): void {
  const { snapshot } = host.state;
  if (snapshot?.hist !== hist || !isNews(action, snapshot.taken?.value ?? 0n, value)) return;
  const showsComm = hist.fields.some(({ flags }) => (flags & FLAG.EXECNAME) !== 0);
  snapshot.taken = { value, key: entry.key.slice(), comm: showsComm ? entry.comm : "" };
  host.takeSnapshot();
}
