/**
 * The smallest parts of expressions: numbers, references to variables, and fields
 * with modifiers (`parse_atom()`, kernel/trace/trace_events_hist.c).
 * @module
 */

import { isDigit } from "../../../../../core/filter/bytes.ts";
import { type FilterField, findField } from "../../../../../core/filter/field.ts";
import { parseUnsigned } from "../../dynamic/numbers.ts";
import { splitAt } from "../trigger.ts";
import type { Builder } from "./builder.ts";
import { asVariable, createField } from "./create_field.ts";
import { refusal } from "./errors.ts";
import { hasOperator } from "./expression.ts";
import { FLAG, type HistField } from "./field.ts";
import { createAlias, findForeignVariable, isReference, referTo } from "./variables.ts";

/** The field that `text` describes; `name` makes it a variable. @throws {KernelError} */
export function parseAtom(
  builder: Builder,
  text: string,
  flags: number,
  name?: string,
): HistField {
  if (isDigit(text[0])) return parseNumber(builder, text, flags, name);
  const parts = text.split(".");
  const qualified = parts.length > 2;
  const [system, event] = qualified ? parts : [];
  const rest = qualified ? parts.slice(2).join(".") : text;
  const local = localDefinition(builder, system, event, rest);
  if (local === undefined) {
    const reference = findReference(builder, system, event, rest);
    if (reference !== undefined) {
      return name === undefined ? reference : createAlias(builder.hist, reference, name);
    }
  }
  return parseField(builder, local ?? rest, flags, name);
}

function parseNumber(
  builder: Builder,
  text: string,
  flags: number,
  name: string | undefined,
): HistField {
  const constant = parseUnsigned(text, 0);
  if (typeof constant === "string") {
    builder.report("EXPECT_NUMBER", text);
    throw refusal("EINVAL");
  }
  const field = createField(builder.hist, undefined, flags | FLAG.CONST);
  field.constant = constant;
  return asVariable(field, name);
}

/**
 * What a variable of the same command stands for, if that is a plain field: the
 * kernel takes the field itself then (`local_field_var_ref()`).
 */
function localDefinition(
  { hist, definitions }: Builder,
  system: string | undefined,
  event: string | undefined,
  text: string,
): string | undefined {
  if (system !== undefined && (system !== hist.event.system || event !== hist.event.name)) {
    return undefined;
  }
  if (!isReference(text)) return undefined;
  return definitions.find(({ name, expression }) =>
    name === text.slice(1) && !hasOperator(expression) && !isReference(expression)
  )?.expression;
}

function findReference(
  builder: Builder,
  system: string | undefined,
  event: string | undefined,
  text: string,
): HistField | undefined {
  if (!isReference(text)) return undefined;
  const name = text.slice(1);
  const variable = findForeignVariable(builder, system, event, name);
  const reference = variable && referTo(builder.hist, variable, system, event);
  if (reference === undefined) builder.report("VAR_NOT_FOUND", name);
  return reference;
}

function parseField(
  builder: Builder,
  text: string,
  flags: number,
  name: string | undefined,
): HistField {
  const [fieldName, modifier] = splitAt(text, ".");
  const shown = modifier === undefined
    ? { flags, buckets: 0n }
    : parseModifier(builder, fieldName, modifier, flags);
  const { hist } = builder;
  const found = resolve(builder, fieldName, shown.flags);
  if (modifier === "stacktrace" && found.field?.filterType !== "stacktrace") {
    builder.report("BAD_FIELD_MODIFIER", text);
    throw refusal("EINVAL");
  }
  if ((found.flags & FLAG.TIMESTAMP) !== 0) {
    hist.usesTimestamps = true;
    if ((found.flags & FLAG.USECS) !== 0) hist.attributes.inMicroseconds = true;
  }
  const field = createField(hist, found.field, found.flags);
  field.buckets = shown.buckets;
  return asVariable(field, name);
}

interface Resolved {
  readonly field: FilterField | undefined;
  readonly flags: number;
}

/** Names that are no fields of the event. */
function specialFlag(name: string, version: "6.1" | "6.12"): number {
  switch (name) {
    case "common_timestamp":
      return FLAG.TIMESTAMP;
    case "common_cpu":
      return FLAG.CPU;
    case "common_stacktrace":
      return version === "6.1" ? 0 : FLAG.STACKTRACE;
    case "hitcount":
      return version === "6.1" ? 0 : FLAG.HITCOUNT;
    default:
      return 0;
  }
}

function resolve(builder: Builder, name: string, flags: number): Resolved {
  const { hist: { event, version } } = builder;
  const special = specialFlag(name, version);
  if (special !== 0) return { field: undefined, flags: flags | special };
  const field = findField(name, event.fields, version);
  if (field !== undefined && field.size > 0) return { field, flags };
  // Generic fields have no size. For old commands, two of them are taken for their new names.
  if (field?.filterType === "cpu") return { field, flags: flags | FLAG.CPU };
  if (field?.filterType === "stacktrace") {
    return { field: undefined, flags: flags | FLAG.STACKTRACE };
  }
  builder.report("FIELD_NOT_FOUND", name);
  throw refusal("EINVAL");
}

const MODIFIERS: Readonly<Record<string, number>> = {
  hex: FLAG.HEX,
  sym: FLAG.SYM,
  // The kernel renames `sym-offset` before it looks for operators.
  symXoffset: FLAG.SYM_OFFSET,
  syscall: FLAG.SYSCALL,
  log2: FLAG.LOG2,
  usecs: FLAG.USECS,
};

function parseModifier(
  builder: Builder,
  field: string,
  modifier: string,
  flags: number,
): { readonly flags: number; readonly buckets: bigint } {
  const plain = (flag: number) => ({ flags: flags | flag, buckets: 0n });
  if (Object.hasOwn(MODIFIERS, modifier)) return plain(MODIFIERS[modifier]);
  if (modifier === "execname" && field === "common_pid") return plain(FLAG.EXECNAME);
  if (modifier === "stacktrace" && builder.hist.version !== "6.1") return plain(FLAG.STACKTRACE);
  if (modifier.startsWith("bucket")) return parseBuckets(builder, modifier, flags);
  const isValue = (flags & (FLAG.VAR | FLAG.KEY)) === 0;
  if (modifier.startsWith("percent") && isValue) return plain(FLAG.PERCENT);
  if (modifier.startsWith("graph") && isValue) return plain(FLAG.GRAPH);
  builder.report("BAD_FIELD_MODIFIER", modifier);
  throw refusal("EINVAL");
}

function parseBuckets(builder: Builder, modifier: string, flags: number) {
  const rest = modifier.slice("bucket".length).replace(/^s/, "");
  const number = rest.startsWith("=") ? rest.slice(1) : rest;
  const buckets = rest === number ? "EINVAL" : parseUnsigned(number, 0);
  if (typeof buckets === "string" || buckets === 0n) {
    builder.report("BAD_FIELD_MODIFIER", number);
    throw refusal("EINVAL");
  }
  return { flags: flags | FLAG.BUCKET, buckets };
}
