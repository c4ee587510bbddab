import type { FilterField } from "../../../../../core/filter/field.ts";
import type { HistData } from "./data.ts";

/** What a {@link HistField} is and how it is shown (`enum hist_field_flags`). */
export const FLAG = {
  HITCOUNT: 1 << 0,
  KEY: 1 << 1,
  STRING: 1 << 2,
  HEX: 1 << 3,
  SYM: 1 << 4,
  SYM_OFFSET: 1 << 5,
  EXECNAME: 1 << 6,
  SYSCALL: 1 << 7,
  STACKTRACE: 1 << 8,
  LOG2: 1 << 9,
  TIMESTAMP: 1 << 10,
  USECS: 1 << 11,
  VAR: 1 << 12,
  EXPR: 1 << 13,
  VAR_REF: 1 << 14,
  CPU: 1 << 15,
  ALIAS: 1 << 16,
  BUCKET: 1 << 17,
  CONST: 1 << 18,
  PERCENT: 1 << 19,
  GRAPH: 1 << 20,
} as const;

/** How a field gets its value (`enum hist_field_fn`). */
export type Source =
  | "none"
  | "var_ref"
  | "hitcount"
  | "constant"
  | "log2"
  | "bucket"
  | "timestamp"
  | "cpu"
  | "string"
  | "integer"
  | "negate"
  | "minus"
  | "plus"
  | "multiply"
  | "divide"
  | "divide_by_power"
  | "divide_exactly"
  | "divide_by_shift"
  | "execname"
  | "stack";

export type Operator = "+" | "-" | "*" | "/" | "unary";

/** A key, value, variable, reference or part of an expression (`struct hist_field`). */
export interface HistField {
  /** The histogram it belongs to; for a reference, that of the variable. */
  readonly hist: HistData;
  readonly field: FilterField | undefined;
  flags: number;
  source: Source;
  type: string;
  /** Bytes. */
  size: number;
  /** Of a key in the compound key, in bytes. */
  offset: number;
  signed: boolean;
  buckets: bigint;
  operands: HistField[];
  operator?: Operator;
  /** Text of an expression, or name of the variable that a reference is to. */
  name?: string;
  /** Event that a reference names, if it does. */
  system?: string;
  event?: string;
  /** The variable that this field is, or refers to. */
  variable?: Variable;
  /** Whether reading the variable spends it. */
  readOnce: boolean;
  /** Of a reference in its histogram's list. */
  refIndex: number;
  constant: bigint;
  /** 2^20 divided by `constant`, where the kernel divides by multiplying. */
  multiplier: bigint;
}

/** A variable of a histogram (`struct hist_var`). */
export interface Variable {
  /** Absent in a reference. */
  readonly name?: string;
  readonly hist: HistData;
  /** Of its value in an entry. */
  readonly index: number;
}

/** Text that a modifier has in a command; the first that applies. */
const MODIFIERS: readonly (readonly [number, string])[] = [
  [FLAG.HEX, "hex"],
  [FLAG.SYM, "sym"],
  [FLAG.SYM_OFFSET, "sym-offset"],
  [FLAG.EXECNAME, "execname"],
  [FLAG.SYSCALL, "syscall"],
  [FLAG.LOG2, "log2"],
  [FLAG.BUCKET, "buckets"],
  [FLAG.USECS, "usecs"],
  [FLAG.PERCENT, "percent"],
  [FLAG.GRAPH, "graph"],
];

/** The modifier of a field as it is printed, with its dot; empty if there is none. */
export function modifierOf({ flags, hist }: HistField): string {
  const found = MODIFIERS.find(([flag]) => (flags & flag) !== 0)?.[1];
  if (found !== undefined) return `.${found}`;
  return (flags & FLAG.STACKTRACE) !== 0 && hist.version !== "6.1" ? ".stacktrace" : "";
}

/** The name by which a field is printed and sorted by (`hist_field_name()`). */
export function nameOf(field: HistField, level = 0): string {
  if (level > 1) return "";
  const { flags, hist } = field;
  if (field.field !== undefined) return field.field.name;
  if ((flags & (FLAG.LOG2 | FLAG.ALIAS | FLAG.BUCKET)) !== 0) {
    return nameOf(field.operands[0], level + 1);
  }
  if ((flags & FLAG.CPU) !== 0) return "common_cpu";
  if ((flags & (FLAG.EXPR | FLAG.VAR_REF)) !== 0) return qualifiedName(field);
  if ((flags & FLAG.TIMESTAMP) !== 0) return "common_timestamp";
  if (hist.version === "6.1") return "";
  if ((flags & FLAG.STACKTRACE) !== 0) return "common_stacktrace";
  return (flags & FLAG.HITCOUNT) !== 0 ? "hitcount" : "";
}

function qualifiedName({ system, event, name = "", flags, hist }: HistField): string {
  if (system === undefined) return name;
  const dollar = hist.version !== "6.1" && (flags & FLAG.VAR_REF) !== 0 ? "$" : "";
  return `${system}.${event}.${dollar}${name}`;
}
