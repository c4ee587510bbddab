/** Records what real kernels answer to filters; see `usage`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import fc from "fast-check";
import type { FilterVersion } from "../../../core/filter/field.ts";
import { filterText } from "../../core/filter/arbitrary.ts";
import {
  answerMatch,
  answerWrite,
  type EventVector,
  fieldsOfEvent,
  type FilterVector,
  type MatchVector,
  type WriteVector,
} from "../../core/filter/vectors.ts";
import type { KernelName } from "../kernels.ts";
import { HAND_MADE } from "./filter_cases.ts";
import { recordMatches } from "./filter_matches.ts";
import { type Answer, answers, type Operation } from "./operations.ts";

const usage =
  `usage: bun test/vm/trace/filters.ts [--count N] [--seed N] [--check] [--kernel VERSION]

Writes hand-made and --count (default 600) generated filters to \`filter\` files of each kernel and
reads the files and the error log back; then writes user_events through generated filters.
The answers become test/core/filter/vectors/*.jsonl. With --check they are not written, but compared
with this tree's; the status is 1 if any differs.
`;

interface Target {
  readonly version: FilterVersion;
  /** Where filters are written. */
  readonly kernel: KernelName;
  /** Where events are written through filters. */
  readonly userEventsKernel: KernelName;
}

const TARGETS: readonly Target[] = [
  { version: "6.12", kernel: "6.12-debian", userEventsKernel: "6.12-user-events" },
  { version: "6.1", kernel: "6.1-debian", userEventsKernel: "6.1-user-events" },
];

const KPROBE = "p:filters/k vfs_read a=%di:u8 b=%di:s8 c=%di:u16 d=%di:s16 e=%di:u32 f=%di:s32 " +
  "g=%di:u64 h=%di:s64 s=+0(%si):string x=%di y=+0(%di):u8[4]";
const DEFINE_KPROBE: Operation = {
  op: "write",
  file: "kprobe_events",
  input: KPROBE,
  how: "append",
};
const EVENTS = [
  "filters/k",
  "sched/sched_switch",
  "sched/sched_process_exec",
  "rcu/rcu_utilization",
  "raw_syscalls/sys_enter",
  "ipi/ipi_send_cpu",
  "ipi/ipi_send_cpumask",
];

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "600" },
    seed: { type: "string", default: "1" },
    kernel: { type: "string" },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(usage);
else {
  for (const target of TARGETS) {
    if (values.kernel !== undefined && values.kernel !== target.version) continue;
    await run(target, Number(values.count), Number(values.seed));
  }
}

async function run(target: Target, count: number, seed: number): Promise<void> {
  const events = await recordEvents(target);
  const writes = await recordWrites(target, events, count, seed);
  const matches = await recordMatches(
    target.userEventsKernel,
    target.version,
    Math.ceil(count / 6),
    seed,
  );
  const vectors: FilterVector[] = [...events, ...writes, ...matches];
  if (values.check) check(vectors, target.version);
  else save(vectors, target.version);
}

/** The events of {@link EVENTS} that the kernel has. */
async function recordEvents({ kernel }: Target): Promise<EventVector[]> {
  const reads = EVENTS.map((event): Operation => ({ op: "read", file: `events/${event}/format` }));
  const [, ...formats] = await answers(kernel, [DEFINE_KPROBE, ...reads]);
  return EVENTS
    .map((event, index) => ({ kind: "event", event, format: formats[index].data } as const))
    .filter((_, index) => formats[index].errno === "0");
}

async function recordWrites(
  { kernel, version }: Target,
  events: readonly EventVector[],
  count: number,
  seed: number,
): Promise<WriteVector[]> {
  const cases = events.flatMap((vector) => {
    const { event } = vector;
    const generated = filterText(fieldsOfEvent(vector, version));
    const numRuns = Math.ceil(count / events.length);
    const inputs = [...HAND_MADE[event] ?? [], ...fc.sample(generated, { seed, numRuns })];
    return inputs.map((input) => ({ event, input }));
  });
  const operations = cases.flatMap(({ event, input }): Operation[] => [
    { op: "write", file: "error_log", input: "", how: "trunc" },
    { op: "write", file: `events/${event}/filter`, input },
    { op: "read", file: `events/${event}/filter` },
    { op: "read", file: "error_log" },
  ]);
  const [, ...replies] = await answers(kernel, [DEFINE_KPROBE, ...operations]);
  return cases.map(({ event, input }, index) => {
    const [, write, { data: after }, log] = replies.slice(4 * index, 4 * index + 4);
    const error = lastError(log);
    const vector = { kind: "write", event, input, errno: write.errno, after } as const;
    return error === undefined ? vector : { ...vector, error };
  });
}

/** The only entry of an error log; the command may span lines, so the caret is counted from the end. */
function lastError({ data }: Answer): WriteVector["error"] {
  const text = /^\[.*?\] event filter parse error: error: (.*)$/m.exec(data)?.[1];
  const caret = /^ {11}( *)\^\n$/m.exec(data)?.[1].length;
  return text === undefined || caret === undefined ? undefined : { text, caret };
}

function check(vectors: readonly FilterVector[], version: FilterVersion): void {
  const events = vectors.filter((vector) => vector.kind === "event");
  let differences = 0;
  for (const vector of vectors) {
    if (vector.kind === "event") continue;
    const event = events.find((known) => known.event === vector.event);
    if (event === undefined) throw new Error(`No event "${vector.event}"`);
    const fields = fieldsOfEvent(event, version);
    const ours = vector.kind === "write"
      ? answerWrite(vector, fields, version)
      : { ...vector, passed: answerMatch(vector, fields, version) };
    if (isDeepStrictEqual(ours, vector)) continue;
    differences++;
    console.log(`kernel ${describe(vector)}\nours   ${describe(ours)}\n`);
  }
  console.log(`${version}: ${vectors.length} vectors, ${differences} differences`);
  if (differences > 0) process.exitCode = 1;
}

function describe(vector: WriteVector | MatchVector): string {
  if (vector.kind === "write") return JSON.stringify(vector);
  const { filter, comm, cpu, passed } = vector;
  return JSON.stringify({ filter, comm, cpu, passed: passed.map(Number).join("") });
}

function save(vectors: readonly FilterVector[], version: FilterVersion): void {
  const directory = new URL("../../core/filter/vectors/", import.meta.url);
  mkdirSync(directory, { recursive: true });
  const lines = vectors.map((vector) => `${JSON.stringify(vector)}\n`);
  writeFileSync(new URL(`${version}.jsonl`, directory), lines.join(""));
}
