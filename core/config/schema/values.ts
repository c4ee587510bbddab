/**
 * The building blocks of the config's schema. Each says what it takes in the words of
 * {@link Complaint}, so that one place can turn zod's issues into diagnostics.
 * @module
 */

import * as z from "zod";
import { pathFault } from "../../probe/identifier.ts";
import type { DiagnosticCode } from "../diagnostic.ts";
import { checkName, type NameRule } from "../names.ts";
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN, ValueError } from "../units.ts";

/** What a custom issue says beyond its message. */
export interface Complaint {
  readonly message: string;
  readonly hint?: string;
  readonly code?: DiagnosticCode;
  /** Key the complaint is about, below the value that complains. */
  readonly key?: string;
}

/** What the custom issues of this schema carry. */
export interface IssueParams {
  readonly hint?: string;
  readonly code?: DiagnosticCode;
  /** Whether the issue is about the last key of its path. */
  readonly onKey?: boolean;
}

/** Adds `complaint` as an issue of the value that is being checked. */
export function complain(context: z.core.$RefinementCtx, complaint: Complaint): void {
  const { message, hint, code, key } = complaint;
  const params: IssueParams = { hint, code, onKey: key !== undefined };
  context.addIssue({
    code: "custom",
    message,
    params: { ...params },
    ...(key !== undefined && { path: [key] }),
  });
}

/** A map with fixed keys. Others are mistakes, but for `x-…`, which never get here. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape);
}

/** A map keyed by names that follow `rule`. */
export function mapOf<Value extends z.ZodType>(rule: NameRule, value: Value) {
  const key = z.string().meta({ pattern: rule.pattern.source, maxLength: rule.max });
  return z.record(key, value).superRefine((map, context) => {
    for (const name of Object.keys(map)) {
      const wrong = checkName(rule, name);
      if (wrong) complain(context, { ...wrong, code: "bad_name", key: name });
    }
  }, { when: isMap });
}

/** Text that follows `rule`. */
export function named(rule: NameRule) {
  return z.string().superRefine((name, context) => {
    const wrong = checkName(rule, name);
    if (wrong) complain(context, { ...wrong, code: "bad_name" });
  }).meta({ pattern: rule.pattern.source, maxLength: rule.max });
}

/** Whether a check has a map before it, be it right or wrong inside. */
export function isMap(payload: { readonly value: unknown }): boolean {
  return typeof payload.value === "object" && payload.value !== null &&
    !Array.isArray(payload.value);
}

/** What a zod schema makes of text that `parse` reads; its complaint is the issue's. */
function read<T>(parse: (input: unknown) => T) {
  return z.unknown().transform((input, context): T => {
    try {
      return parse(input);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      complain(context as z.core.$RefinementCtx, error);
      return z.NEVER;
    }
  });
}

/** A duration such as `10ms`, as nanoseconds. */
export function duration() {
  return read(parseDuration).meta({ type: "string", pattern: DURATION_PATTERN });
}

/** A size such as `64KiB`, as bytes from `min` to `max`. */
export function size(min: number, max: number) {
  return read((input) => {
    const bytes = parseSize(input);
    if (bytes >= min && bytes <= max) return bytes;
    throw new ValueError(
      `Size ${input} is out of range`,
      `Write a size from ${min} to ${max} bytes`,
    );
  }).meta({ type: "string", pattern: SIZE_PATTERN });
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** A whole number from 0 to 2^`bits`-1, such as an address or an offset into a file; exact. */
export function unsigned(bits: 63 | 64) {
  return read((input) => {
    const value = typeof input === "number" && Number.isInteger(input) ? BigInt(input) : input;
    if (typeof value === "bigint" && value >= 0n && value < 1n << BigInt(bits)) return value;
    throw new ValueError(`Expected a whole number from 0 to 2^${bits}-1`, "Such as 4096 or 0x1000");
  }).meta({ type: "integer", minimum: 0 });
}

const SCALAR_TYPES: readonly string[] = ["string", "bigint", "boolean"];

/** Text, a finite number or a truth value, such as the argument of a call. */
export function scalar() {
  return z.custom<string | number | bigint | boolean>(
    (input) =>
      typeof input === "number" ? Number.isFinite(input) : SCALAR_TYPES.includes(typeof input),
    { error: "Expected text or a number" },
  ).meta({ type: ["string", "number", "boolean"] });
}

/** Absolute path of a file, as the kernel's definition files can take it. */
export function absolutePath() {
  return z.string().superRefine((path, context) => {
    const message = pathFault(path);
    if (message) complain(context, { message, hint: PATH_HINT });
  }).meta({ pattern: "^/" });
}

const PATH_HINT = "Write an absolute path without blanks, control characters, # and ;";
