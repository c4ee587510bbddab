/** Records what real kernels answer to triggers; see `usage`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import fc from "fast-check";
import type { FilterVersion } from "../../../core/filter/field.ts";
import type { EventVector } from "../../core/filter/vectors.ts";
import { scenario } from "../../plugins/simulated/kernel/trigger/arbitrary.ts";
import { SYNTHETIC_EVENTS, USER_EVENTS } from "../../plugins/simulated/kernel/trigger/payload.ts";
import {
  type ErrorEntry,
  play,
  type Scenario,
  type ScenarioVector,
  type Setup,
  type Step,
  type StepAnswer,
} from "../../plugins/simulated/kernel/trigger/scenario.ts";
import type { KernelName } from "../kernels.ts";
import { type Answer, answers, type Operation } from "./operations.ts";
import { HAND_MADE } from "./trigger_cases.ts";

const usage =
  `usage: bun test/vm/trace/triggers.ts [--count N] [--seed N] [--check] [--kernel VERSION]

Plays hand-made and --count (default 150) generated scenarios on each kernel, each in an instance of
its own. The answers become test/plugins/simulated/kernel/trigger/vectors/*.jsonl. With --check they
are not written, but compared with this tree's; the status is 1 if any differs.
`;

const KERNELS: Readonly<Record<FilterVersion, KernelName>> = {
  "6.12": "6.12-user-events",
  "6.1": "6.1-user-events",
};
const COMM = "triggers";
/** Events that scenarios may use beside the user_events. */
const EVENTS = [...Object.keys(USER_EVENTS), "sched/sched_switch", "raw_syscalls/sys_enter"];
/** An entry of the error log: who, what, the command, and the caret under it. */
const ENTRY = /^\[ *\d+\.\d+\] (.*?): error: (.*)\n {2}Command: (.*)\n {11}( *)\^\n/gm;
/** Times that triggers are cleared, for those that others refer to. */
const CLEARINGS = 3;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "150" },
    seed: { type: "string", default: "1" },
    kernel: { type: "string" },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else {
  for (const version of ["6.12", "6.1"] satisfies FilterVersion[]) {
    if (values.kernel === undefined || values.kernel === version) await run(version);
  }
}

async function run(version: FilterVersion): Promise<void> {
  const generated = fc.sample(scenario, {
    numRuns: Number(values.count),
    seed: Number(values.seed),
  });
  const scenarios = [...HAND_MADE, ...generated];
  const [setup, vectors] = await record(version, scenarios);
  if (values.check) check(setup, vectors);
  else save(setup, vectors);
}

/** Boots the kernel once and plays all scenarios. */
async function record(
  version: FilterVersion,
  scenarios: readonly Scenario[],
): Promise<[Setup, ScenarioVector[]]> {
  const prepare: Operation[] = [
    ...Object.values(USER_EVENTS).map((definition) => ({ op: "register", definition } as const)),
    ...SYNTHETIC_EVENTS.map((input): Operation => {
      return { op: "write", file: "synthetic_events", input, how: "append" };
    }),
    { op: "comm", comm: COMM },
    { op: "cpu", cpu: 0 },
    { op: "pid" },
    ...EVENTS.map((event) => ({ op: "read", file: `events/${event}/format` } as const)),
  ];
  const plays = scenarios.map((one, index) => operationsOf(one, `instances/s${index}`));
  const replies = await answers(KERNELS[version], [...prepare, ...plays.flat()]);
  const formats = replies.slice(prepare.length - EVENTS.length, prepare.length);
  const events = EVENTS.map((event, i): EventVector => {
    return { kind: "event", event, format: formats[i].data };
  });
  const pid = Number(replies[prepare.length - EVENTS.length - 1].data);
  const setup: Setup = { version, events, synthetic: SYNTHETIC_EVENTS, pid, comm: COMM };
  let at = prepare.length;
  const vectors = scenarios.map((one, index) => {
    const own = replies.slice(at, at += plays[index].length);
    return { ...one, answers: answersOf(one, own) };
  });
  return [setup, vectors];
}

function enableSynthetic(instance: string): Operation[] {
  return SYNTHETIC_EVENTS.map((definition) => {
    const file = `${instance}/events/synthetic/${definition.split(" ")[0]}/enable`;
    return { op: "write", file, input: "1" };
  });
}

function operationsOf({ steps }: Scenario, instance: string): Operation[] {
  const synthetic = SYNTHETIC_EVENTS.map((definition) => `synthetic/${definition.split(" ")[0]}`);
  const clearing = [...EVENTS, ...synthetic].map((event): Operation => {
    return { op: "write", file: `${instance}/events/${event}/trigger`, input: "", how: "trunc" };
  });
  return [
    { op: "mkdir", file: instance },
    ...enableSynthetic(instance),
    ...steps.flatMap((step) => operationsOfStep(step, instance)),
    ...Array.from({ length: CLEARINGS }, () => clearing).flat(),
    { op: "rmdir", file: instance },
  ];
}

function operationsOfStep(step: Step, instance: string): Operation[] {
  switch (step.op) {
    case "trigger": {
      const { input, how = "append", event } = step;
      const file = `${instance}/events/${event}/trigger`;
      return [
        { op: "write", file: `${instance}/error_log`, input: "", how: "trunc" },
        { op: "write", file, input, how },
        { op: "read", file },
        { op: "read", file: `${instance}/error_log` },
      ];
    }
    case "fire": {
      const index = Object.keys(USER_EVENTS).indexOf(step.event);
      return [{ op: "event", index, payload: Buffer.from(step.payload, "hex") }];
    }
    case "hist":
      return [{ op: "read", file: `${instance}/events/${step.event}/hist` }];
    case "written":
      return [
        { op: "read", file: `${instance}/trace` },
        { op: "write", file: `${instance}/trace`, input: "", how: "trunc" },
      ];
  }
}

function answersOf({ steps }: Scenario, replies: readonly Answer[]): StepAnswer[] {
  let at = 1 + SYNTHETIC_EVENTS.length;
  return steps.map((step) => {
    const own = replies.slice(at, at += operationsOfStep(step, "").length);
    switch (step.op) {
      case "trigger":
        return { errno: own[1].errno, text: own[2].data, errors: errorsOf(own[3].data) };
      case "fire":
        return {};
      case "hist":
        return { text: own[0].data };
      case "written":
        return { text: writtenIn(own[0].data) };
    }
  });
}

function errorsOf(log: string): ErrorEntry[] {
  return [...log.matchAll(ENTRY)].map(([, subsystem, text, command, indent]) => {
    return { subsystem, text, command, caret: indent.length };
  });
}

function writtenIn(trace: string): string {
  const names = SYNTHETIC_EVENTS.map((definition) => definition.split(" ")[0]).join("|");
  const line = new RegExp(`: ((?:${names}): .*)$`, "gm");
  return [...trace.matchAll(line)].map(([, text]) => `${text}\n`).join("");
}

function check(setup: Setup, vectors: readonly ScenarioVector[]): void {
  let steps = 0;
  let differences = 0;
  for (const vector of vectors) {
    const ours = play(vector, setup);
    for (const [i, kernels] of vector.answers.entries()) {
      steps++;
      if (isDeepStrictEqual(ours[i], kernels)) continue;
      differences++;
      console.log(`${setup.version} ${vector.name}:`);
      for (const step of vector.steps.slice(0, i + 1)) {
        if (step.op === "trigger") console.log(`  ${step.event} ${JSON.stringify(step.input)}`);
        else console.log(`  ${JSON.stringify(step)}`);
      }
      console.log(`kernel ${show(kernels)}\nours   ${show(ours[i])}\n`);
      break;
    }
  }
  console.log(`${setup.version}: ${steps} steps of ${vectors.length}, ${differences} differ`);
  if (differences > 0) process.exitCode = 1;
}

function show({ errno, text, errors }: StepAnswer): string {
  const log = errors?.map((error) => `\n       ${JSON.stringify(error)}`).join("") ?? "";
  return `${errno} ${log}\n${text}`;
}

function save(setup: Setup, vectors: readonly ScenarioVector[]): void {
  const directory = new URL("../../plugins/simulated/kernel/trigger/vectors/", import.meta.url);
  mkdirSync(directory, { recursive: true });
  const lines = [setup, ...vectors].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(new URL(`${setup.version}.jsonl`, directory), lines.join(""));
}
