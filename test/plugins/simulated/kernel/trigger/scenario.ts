/** Sequences of operations on triggers, and what a kernel or this tree answers to them. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import type { FilterVersion } from "../../../../../core/filter/field.ts";
import { fromByteString } from "../../../../../core/filter/bytes.ts";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import { type EventVector, fieldsOfEvent } from "../../../../core/filter/vectors.ts";
import { TestInstance } from "./instance.ts";

/** One operation on the files of an event in a fresh instance. */
export type Step =
  /** A write to the `trigger` file. */
  | {
    readonly op: "trigger";
    readonly event: string;
    readonly input: string;
    readonly how?: "trunc";
  }
  /** The event fires with a payload, in hex. */
  | { readonly op: "fire"; readonly event: string; readonly payload: string }
  | { readonly op: "hist"; readonly event: string }
  /** What synthetic events were written since the last time. */
  | { readonly op: "written" };

/** An error of the log. */
export interface ErrorEntry {
  readonly subsystem: string;
  readonly text: string;
  readonly command: string;
  readonly caret: number;
}

/** What was answered to a step: nothing to `fire`. */
export interface StepAnswer {
  readonly errno?: string;
  /** The `trigger` file after the write, or the text asked for. */
  readonly text?: string;
  readonly errors?: readonly ErrorEntry[];
}

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** What the scenarios of one kernel run on. */
export interface Setup {
  readonly version: FilterVersion;
  readonly events: readonly EventVector[];
  readonly synthetic: readonly string[];
  readonly pid: number;
  readonly comm: string;
}

export interface ScenarioVector extends Scenario {
  readonly answers: readonly StepAnswer[];
}

export function readScenarios(version: FilterVersion): [Setup, ScenarioVector[]] {
  const text = readFileSync(new URL(`vectors/${version}.jsonl`, import.meta.url), "utf8");
  const [setup, ...vectors] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return [setup, vectors];
}

/** This tree's answers. */
export function play({ steps }: Scenario, setup: Setup): StepAnswer[] {
  const instance = new TestInstance(setup.version);
  for (const definition of setup.synthetic) instance.addSynthetic(definition);
  for (const vector of setup.events) {
    const id = Number(/^ID: (\d+)$/m.exec(vector.format)?.[1]);
    instance.addEvent(vector.event, fieldsOfEvent(vector, setup.version), { id });
  }
  return steps.map((step) => answer(instance, step, setup));
}

function answer(instance: TestInstance, step: Step, { pid, comm }: Setup): StepAnswer {
  switch (step.op) {
    case "fire":
      instance.fire(step.event, Buffer.from(step.payload, "hex"), { cpu: 0, pid, comm });
      return {};
    case "written":
      return { text: instance.written.splice(0).map((line) => `${line}\n`).join("") };
    case "hist":
      return { text: triggersOf(instance, step.event).readHist() };
    case "trigger":
      return write(instance, step.event, step.input, step.how === "trunc");
  }
}

function triggersOf(instance: TestInstance, event: string) {
  const triggers = instance.events.get(event)?.triggers;
  if (triggers === undefined) throw new Error(`No event "${event}"`);
  return triggers;
}

function write(
  instance: TestInstance,
  event: string,
  input: string,
  truncates: boolean,
): StepAnswer {
  const triggers = triggersOf(instance, event);
  instance.errors.clear();
  if (truncates) triggers.truncate();
  const errno = errnoOf(() => triggers.write(input));
  const errors = instance.errors.errors.map(({ subsystem, text, command, position }) => {
    return { subsystem, text, command: fromByteString(command), caret: position };
  });
  return { errno, text: triggers.read(), errors };
}

function errnoOf(action: () => void): string {
  try {
    action();
    return "0";
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return error.code;
  }
}
