import type { Config } from "../config/config.ts";
import type { FieldValue } from "../event/field.ts";
import type { TraceRecord } from "../event/record.ts";

/** A test of a config. */
export type TestConfig = Config["tests"][string];

type Expected = TestConfig["expect"];
type ProbeExpectation = Exclude<Expected[string], number | undefined>;
type Scalar = string | number | bigint | boolean | null;

/** One expectation that was not met. */
export interface Mismatch {
  /** Keys below `expect` that lead to it, such as `open_failed`, `args`, `ret`. */
  readonly path: readonly string[];
  readonly expected: string;
  readonly actual: string;
}

/** What a test recorded. */
export interface Outcome {
  readonly records: readonly TraceRecord[];
  readonly lost: number;
}

/** What of `expect` an outcome does not meet. */
export function compareOutcome(expect: Expected, { records, lost }: Outcome): Mismatch[] {
  const mismatches: Mismatch[] = [];
  for (const [probe, expectation] of Object.entries(expect)) {
    if (expectation === undefined || typeof expectation === "number") continue;
    const own = records.filter((record) => record.probe === probe);
    mismatches.push(...compareProbe(probe, expectation, own));
  }
  if (expect.lost !== undefined && expect.lost !== lost) {
    mismatches.push({ path: ["lost"], expected: String(expect.lost), actual: String(lost) });
  }
  return mismatches;
}

function compareProbe(
  probe: string,
  expectation: ProbeExpectation,
  records: readonly TraceRecord[],
): Mismatch[] {
  const { count, args, records: wanted } = expectation;
  return [
    ...compareCount(probe, count, records.length),
    ...records.flatMap((record, index) =>
      compareValues([probe, "args"], args ?? {}, record, `record ${index + 1}`)
    ),
    ...compareRecords(probe, wanted, records),
  ];
}

function compareCount(
  probe: string,
  count: ProbeExpectation["count"],
  actual: number,
): Mismatch[] {
  if (count === undefined) return [];
  const { min, max } = typeof count === "number" ? { min: count, max: count } : count;
  if (actual >= (min ?? 0) && actual <= (max ?? Infinity)) return [];
  const expected = typeof count === "number"
    ? String(count)
    : [min === undefined ? "" : `at least ${min}`, max === undefined ? "" : `at most ${max}`]
      .filter((part) => part !== "").join(" and ");
  return [{ path: [probe, "count"], expected: `${expected} records`, actual: String(actual) }];
}

/** The records of a probe, one after the other. */
function compareRecords(
  probe: string,
  wanted: ProbeExpectation["records"],
  records: readonly TraceRecord[],
): Mismatch[] {
  if (wanted === undefined) return [];
  const mismatches = wanted.flatMap((values, index) => {
    const path = [probe, "records", String(index)];
    const record = records[index];
    if (record === undefined) {
      return [{ path, expected: showValues(values), actual: "no such record" }];
    }
    return compareValues(path, values, record, `record ${index + 1}`);
  });
  if (records.length > wanted.length) {
    const path = [probe, "records"];
    const extra = showValues(records[wanted.length].args);
    mismatches.push({
      path,
      expected: `${wanted.length} records`,
      actual: `${records.length}, the next is ${extra}`,
    });
  }
  return mismatches;
}

function compareValues(
  path: readonly string[],
  expected: Readonly<Record<string, Scalar>>,
  record: TraceRecord,
  where: string,
): Mismatch[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const actual = Object.hasOwn(record.args, name) ? record.args[name] : undefined;
    if (actual !== undefined && isSame(value, actual)) return [];
    const shown = actual === undefined ? `no "${name}"` : show(actual);
    return [{ path: [...path, name], expected: show(value), actual: `${shown} in ${where}` }];
  });
}

/** Whether a recorded value is the one of a config; numbers by value, whatever their width. */
function isSame(expected: Scalar, actual: FieldValue): boolean {
  if (typeof actual === "number" || typeof actual === "bigint") {
    return (typeof expected === "number" || typeof expected === "bigint") &&
      Number.isInteger(Number(expected)) && BigInt(expected) === BigInt(actual);
  }
  return expected === actual;
}

function showValues(values: Readonly<Record<string, FieldValue | Scalar>>): string {
  return `{ ${
    Object.entries(values).map(([name, value]) => `${name}: ${show(value)}`).join(", ")
  } }`;
}

function show(value: FieldValue | Scalar): string {
  if (typeof value === "object" && value !== null) return `[${value.map(show).join(", ")}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
