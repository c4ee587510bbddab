/**
 * Checks a config against its schema, and says what is wrong in words of the config.
 * @module
 */

import type * as z from "zod";
import { quote } from "../probe/identifier.ts";
import { nearest } from "../text/nearest.ts";
import type { Finding } from "./finding.ts";
import { configSchema } from "./schema/config.ts";
import type { IssueParams } from "./schema/values.ts";
import { keysAt } from "./schema/walk.ts";
import { didYouMean, orList } from "./text.ts";
import { type Path, type Plain, valueAt } from "./tree.ts";

type Issue = z.core.$ZodIssue;

/** What {@link validate} made of a config. `data` is absent if the shape is wrong anywhere. */
export interface Validation {
  readonly data?: z.output<typeof configSchema>;
  readonly findings: readonly Finding[];
}

/** Checks the shape of `value` and reads its durations and sizes. Reports every mistake. */
export function validate(value: Plain): Validation {
  // Compiling checkers pays off after many values; this is one.
  const result = configSchema.safeParse(value, { jitless: true });
  if (result.success) return { data: result.data, findings: [] };
  return {
    findings: withoutConsequences(result.error.issues.flatMap((i) => explain(i, [], value))),
  };
}

/** A finding, with the key that is missing, or that an unknown one was meant to be. */
interface Explanation extends Finding {
  readonly meant?: string;
}

/** Leaves out what another finding says better. */
function withoutConsequences(findings: readonly Explanation[]): Explanation[] {
  const wrongTypes = new Set<string>();
  const misspelt = new Set<string>();
  for (const { code, path, meant } of findings) {
    if (code === "wrong_type") wrongTypes.add(path.join("\0"));
    if (code === "unknown_key") misspelt.add([...path.slice(0, -1), meant].join("\0"));
  }
  return findings.filter(({ code, path, meant }) => {
    if (code === "missing_key") return !misspelt.has([...path, meant].join("\0"));
    return code !== "bad_value" || !wrongTypes.has(path.join("\0"));
  });
}

/** The findings of one issue; `base` is the path of the union that it is inside of. */
function explain(issue: Issue, base: Path, value: Plain): Explanation[] {
  const path = [...base, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key));
    case "invalid_type":
      return [wrongType(issue, path, value)];
    case "invalid_value":
      return [wrongValue(issue, path, value)];
    case "invalid_union":
      return wrongUnion(issue, path, value);
    case "too_big":
    case "too_small":
      return [outOfRange(issue, path, value)];
    case "invalid_key":
      return issue.issues.map((inner) => ({ ...custom(inner, path), onKey: true }));
    default:
      return [custom(issue, path)];
  }
}

function unknownKey(path: Path, key: string): Explanation {
  const known = keysAt(configSchema, path);
  const meant = nearest(key, known, 1)[0];
  const hint = key === "<<"
    ? "YAML 1.2 has no merge keys; repeat the keys, or name the whole map by an alias"
    : meant === undefined
    ? `Known keys: ${known.join(", ")}; x-… for notes of your own`
    : `Did you mean "${meant}"?`;
  return {
    path: [...path, key],
    onKey: true,
    code: "unknown_key",
    message: `Unknown key ${quote(key)}`,
    hint,
    meant,
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function wrongType(issue: z.core.$ZodIssueInvalidType, path: Path, value: Plain): Explanation {
  const found = valueAt(value, path);
  if (found === undefined) return missingKey(path);
  // Only numbers beyond 2^53 are bigint.
  if (typeof found === "bigint" && ["number", "int"].includes(issue.expected)) {
    return { path, code: "bad_value", message: `Number ${found} is out of range` };
  }
  const expected = TYPE_NAMES[issue.expected] ?? issue.expected;
  const finding: Finding = {
    path,
    code: "wrong_type",
    message: `Expected ${expected}, found ${describe(found)}`,
  };
  const hint = typeHint(issue.expected, found, path);
  return hint === undefined ? finding : { ...finding, hint };
}

function missingKey(path: Path): Explanation {
  const key = String(path.at(-1));
  const hint = path.length === 1
    ? "A config starts with apiVersion: sonde/v1, kind: Trace and metadata: { name: … }"
    : undefined;
  return {
    path: path.slice(0, -1),
    code: "missing_key",
    message: `Missing key "${key}"`,
    ...(hint && { hint }),
    meant: key,
  };
}

const TRUTH = /^(y|yes|n|no|on|off|0|1)$/i;

function typeHint(expected: string, found: Plain, path: Path): string | undefined {
  if (expected === "string" && isScalar(found)) return `Write it in quotes: "${found}"`;
  if (expected === "boolean" && TRUTH.test(String(found))) {
    return "YAML 1.2 has no other words for them";
  }
  if (expected === "string" || !(expected === "object" || expected === "record")) return undefined;
  if (found === null) return "Write {} for an empty map, or remove the key";
  const keys = keysAt(configSchema, path);
  return keys.length > 0 ? `Its keys are ${keys.join(", ")}` : "Write id: value below it";
}

function wrongValue(issue: z.core.$ZodIssueInvalidValue, path: Path, value: Plain): Explanation {
  const found = valueAt(value, path);
  if (found === undefined) return missingKey(path);
  const values = issue.values.map(String);
  const quoted = values.map((value) => JSON.stringify(value));
  const hint = typeof found === "string"
    ? didYouMean(found, values)
    : values.includes(String(found))
    ? `Write it in quotes: "${found}"`
    : undefined;
  // Long lists, such as that of error numbers, would drown the message.
  const expected = values.length > 12 ? `${quoted.slice(0, 12).join(", ")}, …` : orList(quoted);
  return {
    path,
    code: "bad_value",
    message: `Expected ${expected}, found ${describe(found)}`,
    ...(hint && { hint }),
  };
}

/** The mistakes inside the alternative that was meant, or that none was. */
function wrongUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  value: Plain,
): Explanation[] {
  const meant = issue.errors.find((issues) =>
    !issues.some((inner) => inner.code === "invalid_type" && inner.path.length === 0)
  );
  if (meant) return meant.flatMap((inner) => explain(inner, path, value));
  const found = valueAt(value, path);
  if (found === undefined) return [missingKey(path)];
  return [{ path, code: "wrong_type", message: `${issue.message}, found ${describe(found)}` }];
}

function outOfRange(
  issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall,
  path: Path,
  value: Plain,
): Finding {
  const found = valueAt(value, path) ?? null;
  const limit = issue.code === "too_big" ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
  const message = typeof found === "string"
    ? `Text ${quote(found)} has ${found.length} characters, expected ${limit}`
    : Array.isArray(found)
    ? `The list has ${found.length} entries, expected ${limit}`
    : `Expected ${limit}, found ${describe(found)}`;
  return { path, code: "bad_value", message };
}

function custom(issue: Issue, path: Path): Finding {
  const params: IssueParams = issue.code === "custom" ? issue.params ?? {} : {};
  const { hint, code = "bad_value", onKey } = params;
  return {
    path,
    code,
    message: issue.message,
    ...(hint !== undefined && { hint }),
    ...(onKey && { onKey }),
  };
}

function isScalar(value: Plain): boolean {
  return value !== null && typeof value !== "object";
}

function describe(value: Plain): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "boolean") return String(value);
  return typeof value === "string" ? `text ${quote(value)}` : `number ${value}`;
}
