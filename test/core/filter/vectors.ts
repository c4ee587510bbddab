/** What real kernels answered to filters (recorded by test/vm/trace/filters.ts), and our answers. */
import { readFileSync } from "node:fs";
import { errnoName } from "../../../core/kernel/errno.ts";
import { compilePredicate, type FilterContext } from "../../../core/filter/compile.ts";
import { type FilterField, filterTypeOf, type FilterVersion } from "../../../core/filter/field.ts";
import { readFilterFile, writeFilterFile } from "../../../core/filter/file.ts";
import { bindFilter } from "../../../core/filter/parse.ts";

/** An event of the kernel and the text of its `format` file. */
export interface EventVector {
  readonly kind: "event";
  readonly event: string;
  readonly format: string;
}

/** A write to the `filter` file of an event, and what the file and the error log said afterwards. */
export interface WriteVector {
  readonly kind: "write";
  readonly event: string;
  readonly input: string;
  readonly errno: string;
  readonly after: string;
  readonly error?: { readonly text: string; readonly caret: number };
}

/** A filter, and which of some events passed it. */
export interface MatchVector {
  readonly kind: "match";
  readonly event: string;
  readonly filter: string;
  readonly comm: string;
  readonly cpu: number;
  /** Entries without the common fields, in hex. */
  readonly payloads: readonly string[];
  readonly passed: readonly boolean[];
}

export type FilterVector = EventVector | WriteVector | MatchVector;

/** CPUs of the guests. */
export const CPU_COUNT = 2;
/** Bytes of the common fields, which the payloads do not have. */
const COMMON_BYTES = 8;
/** Functions of the kernel that vectors name. */
const FUNCTIONS = ["schedule", "vfs_read"];

export function readVectors(version: FilterVersion): FilterVector[] {
  const text = readFileSync(new URL(`vectors/${version}.jsonl`, import.meta.url), "utf8");
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** The fields of an event other than the common ones, from its `format` file. */
export function fieldsOfEvent(
  { event, format }: EventVector,
  version: FilterVersion,
): FilterField[] {
  // In 6.1 user_events has no string fields to filter on (user_event_add_field()).
  const stringless = version === "6.1" && event.startsWith("user_events/");
  const line = /field:(.+?)([A-Za-z_0-9]+)(\[\d*\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:(\d);/g;
  return [...format.matchAll(line)]
    .map(([, before, name, array = "", offset, size, signed]): FilterField => {
      const type = before.trim() + array;
      const filterType = stringless ? "other" : filterTypeOf(type, version);
      const numbers = { offset: Number(offset), size: Number(size), signed: signed === "1" };
      return { name, type, ...numbers, filterType };
    })
    .filter(({ name }) => !name.startsWith("common_"));
}

/** What this tree answers to the write of a vector. */
export function answerWrite(
  { event, input }: Pick<WriteVector, "event" | "input">,
  fields: readonly FilterField[],
  version: FilterVersion,
): WriteVector {
  const file = writeFilterFile(input, fields, bindOptions(version));
  const after = readFilterFile(file);
  const answer = { kind: "write", event, input } as const;
  if (file.kind !== "refused") return { ...answer, errno: "0", after };
  const { errno, text, position } = file.error;
  return { ...answer, errno: errnoName(errno), after, error: { text, caret: position } };
}

/** Which payloads pass, as this tree says. */
export function answerMatch(
  { filter, payloads, cpu, comm }: Omit<MatchVector, "passed">,
  fields: readonly FilterField[],
  version: FilterVersion,
): boolean[] {
  const passes = compilePredicate(bindFilter(filter, fields, bindOptions(version)));
  const context: FilterContext = { cpu, comm };
  return payloads.map((payload) => {
    const entry = Buffer.concat([Buffer.alloc(COMMON_BYTES), Buffer.from(payload, "hex")]);
    const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
    return passes(view, 0, entry.length, context);
  });
}

function bindOptions(version: FilterVersion) {
  const findFunction = (name: string | bigint) =>
    FUNCTIONS.includes(String(name)) ? { start: 0n, end: 1n } : undefined;
  return { version, cpuCount: CPU_COUNT, findFunction };
}
