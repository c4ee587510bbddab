/** Which user_events pass a filter in a real kernel. */
import fc from "fast-check";
import type { FilterField, FilterVersion } from "../../../core/filter/field.ts";
import { filterText } from "../../core/filter/arbitrary.ts";
import {
  answerWrite,
  type EventVector,
  fieldsOfEvent,
  type MatchVector,
} from "../../core/filter/vectors.ts";
import type { KernelName } from "../kernels.ts";
import { answers, type Operation } from "./operations.ts";
import { payload, PAYLOAD_EVENT } from "./payload.ts";

/** Events that one filter sees. */
const EVENTS_PER_FILTER = 16;
const EVENT = `user_events/${PAYLOAD_EVENT.name}`;
const DEFINE: Operation = { op: "register", definition: PAYLOAD_EVENT.definition };

type Case = Omit<MatchVector, "passed">;

/** The event, and the answers of `kernel` to `count` generated filters. */
export async function recordMatches(
  kernel: KernelName,
  version: FilterVersion,
  count: number,
  seed: number,
): Promise<(EventVector | MatchVector)[]> {
  const read: Operation = { op: "read", file: `events/${EVENT}/format` };
  const [, { data: format }] = await answers(kernel, [DEFINE, read]);
  const event: EventVector = { kind: "event", event: EVENT, format };
  const cases = generate(fieldsOfEvent(event, version), version, count, seed);
  const enable: Operation = { op: "write", file: `events/${EVENT}/enable`, input: "1" };
  const operations = cases.map(operationsOf);
  const replies = await answers(kernel, [DEFINE, enable, ...operations.flat()]);
  let at = 2;
  const vectors = cases.map((vector, index) => {
    at += operations[index].length;
    return { ...vector, passed: passed(vector, replies[at - 1].data) };
  });
  return [event, ...vectors];
}

/** Filters that should be taken, each with events of its own. */
function generate(
  fields: readonly FilterField[],
  version: FilterVersion,
  count: number,
  seed: number,
): Case[] {
  return fc.sample(filterText(fields), { seed, numRuns: 12 * count })
    .filter((filter) => isTaken(filter, fields, version))
    .slice(0, count)
    .map((filter, index) => ({
      kind: "match",
      event: EVENT,
      filter,
      comm: ["ab", "a", "abababababababa"][index % 3],
      cpu: index % 2,
      payloads: Array.from({ length: EVENTS_PER_FILTER }, (_, id) => {
        const [bytes] = fc.sample(payload(id), { seed: seed + 100 * index + id, numRuns: 1 });
        return Buffer.from(bytes).toString("hex");
      }),
    }));
}

/** Common fields are left out: the vectors do not know what the kernel put there. */
function isTaken(filter: string, fields: readonly FilterField[], version: FilterVersion): boolean {
  return answerWrite({ event: EVENT, input: filter }, fields, version).errno === "0" &&
    !/common_(type|pid)|\.function/.test(filter) && filter.trim() !== "0";
}

function operationsOf({ filter, comm, cpu, payloads }: Case): Operation[] {
  return [
    { op: "comm", comm },
    { op: "cpu", cpu },
    { op: "write", file: `events/${EVENT}/filter`, input: filter },
    { op: "write", file: "trace", input: "", how: "trunc" },
    ...payloads.map((payload): Operation => {
      return { op: "event", index: 0, payload: Buffer.from(payload, "hex") };
    }),
    { op: "read", file: "trace" },
  ];
}

/** 6.1 dumps the entry, whose ninth byte is the id; later kernels print the fields. */
const SEEN_ID = /: id=(?<number>\w+) |^00000000: (?:\w\w ){8}(?<byte>\w\w) /gm;

function passed({ payloads }: Case, trace: string): boolean[] {
  const seen = [...trace.matchAll(SEEN_ID)].map(({ groups }) => {
    return Number(groups?.number ?? `0x${groups?.byte}`);
  });
  return payloads.map((_, id) => seen.includes(id));
}
