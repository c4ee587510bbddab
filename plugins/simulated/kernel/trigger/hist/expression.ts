/**
 * Expressions of keys, values and variables: fields, references and numbers with
 * `+ - * /` (`parse_expr()`, kernel/trace/trace_events_hist.c).
 *
 * The kernel cuts the text up in place while it parses, and points its carets at
 * what is left; the texts here are cut at the same places.
 * @module
 */

import { isDigit } from "../../../../../core/filter/bytes.ts";
import { parseAtom } from "./atom.ts";
import type { Builder } from "./builder.ts";
import { asVariable, createField } from "./create_field.ts";
import { refusal } from "./errors.ts";
import { compute, divisionBy } from "./evaluate.ts";
import { FLAG, type HistField, modifierOf, nameOf, type Operator, type Source } from "./field.ts";
import { findVariable } from "./variables.ts";

/** Operators that an expression may have. */
const MAX_OPERATORS = 3;
/** `MAX_FILTER_STR_VAL`, without the NUL. */
const MAX_TEXT = 255;

/** Counts the operators of an expression. */
export interface OperatorCount {
  value: number;
}

/**
 * The field that `text` describes. `flags` are those of the whole; `name` makes it
 * a variable. @throws {KernelError}
 */
export function parseExpression(
  builder: Builder,
  text: string,
  flags: number,
  name?: string,
  count: OperatorCount = { value: 0 },
): HistField {
  if (count.value > MAX_OPERATORS) throw tooMany(builder, text);
  const root = findRoot(text);
  if (root === undefined) return parseAtom(builder, text, flags, name);
  count.value++;
  if (root.operator === "unary") return parseUnary(builder, text, flags, name, count);
  const left = text.slice(0, root.at);
  const right = text.slice(root.at + 1);
  if (left === "" || right === "") throw refusal("EINVAL");
  const first = parseOperand(builder, left, count);
  const second = parseOperand(builder, right, count);
  return combine(builder, { operator: root.operator, first, second, right }, flags, name);
}

/** What the kernel leaves of a text in which it found an expression: the first operand. */
export function leftover(text: string): string {
  const root = findRoot(text);
  if (root === undefined) return atomLeftover(text);
  if (root.operator !== "unary") return leftover(text.slice(0, root.at));
  return text.slice(0, 2) + leftover(text.slice(2, Math.max(2, text.lastIndexOf(")"))));
}

/** What the kernel leaves of the text of a field or reference. */
export function atomLeftover(text: string): string {
  const parts = text.split(".");
  return !isDigit(text[0]) && parts.length > 2 ? parts[0] : text;
}

/** Whether the text has an operator. */
export function hasOperator(text: string): boolean {
  return findRoot(text) !== undefined;
}

/**
 * The operator that is applied last: the last `+` or `-`, else the last `*` or
 * `/`. A `-` in front that is the only one is unary (`contains_operator()`).
 */
function findRoot(text: string): { readonly operator: Operator; readonly at: number } | undefined {
  const minus = text.lastIndexOf("-");
  if (minus === 0) return { operator: "unary", at: 0 };
  const plus = text.lastIndexOf("+");
  if (plus >= 0 || minus >= 0) {
    return plus > minus ? { operator: "+", at: plus } : { operator: "-", at: minus };
  }
  const over = text.lastIndexOf("/");
  const times = text.lastIndexOf("*");
  if (over < 0 && times < 0) return undefined;
  return times > over ? { operator: "*", at: times } : { operator: "/", at: over };
}

function parseOperand(builder: Builder, text: string, count: OperatorCount): HistField {
  const operand = parseExpression(builder, text, 0, undefined, count);
  if ((operand.flags & FLAG.STRING) !== 0) {
    builder.report("INVALID_STR_OPERAND", leftover(text));
    throw refusal("EINVAL");
  }
  return operand;
}

/** `-(…)`; whatever stands after the minus is taken for the parenthesis. */
function parseUnary(
  builder: Builder,
  text: string,
  flags: number,
  name: string | undefined,
  count: OperatorCount,
): HistField {
  if (count.value > MAX_OPERATORS) throw tooMany(builder, text);
  const close = text.lastIndexOf(")");
  if (!text.includes("(", 1)) throw refusal("EINVAL");
  const inner = text.slice(2);
  if (close < 2) throw refusal("EINVAL");
  if (close !== text.length - 1) {
    builder.report("UNARY_MINUS_SUBEXPR", inner);
    throw refusal("EINVAL");
  }
  const operand = parseOperand(builder, text.slice(2, close), count);
  const field = createField(builder.hist, undefined, flags | FLAG.EXPR);
  field.flags |= operand.flags & (FLAG.TIMESTAMP | FLAG.USECS);
  field.source = "negate";
  field.operands = [operand];
  field.operator = "unary";
  takeShape(field, operand);
  field.name = textOf(field);
  return asVariable(field, name);
}

interface Combination {
  readonly operator: Exclude<Operator, "unary">;
  readonly first: HistField;
  readonly second: HistField;
  /** Text of the second operand. */
  readonly right: string;
}

const SOURCES = { "+": "plus", "-": "minus", "*": "multiply", "/": "divide" } as const;

function combine(
  builder: Builder,
  { operator, first, second, right }: Combination,
  flags: number,
  name: string | undefined,
): HistField {
  const firstVariable = referenced(first);
  const secondVariable = referenced(second);
  const firstFlags = (firstVariable ?? first).flags;
  const secondFlags = (secondVariable ?? second).flags;
  if ((firstFlags & FLAG.USECS) !== (secondFlags & FLAG.USECS)) {
    builder.report("TIMESTAMP_MISMATCH");
    throw refusal("EINVAL");
  }
  const isConstant = (firstFlags & secondFlags & FLAG.CONST) !== 0;
  const kind = isConstant ? FLAG.CONST : FLAG.EXPR;
  const inherited = first.flags & (FLAG.TIMESTAMP | FLAG.USECS);
  const field = createField(builder.hist, undefined, flags | kind | inherited);
  first.readOnce = true;
  second.readOnce = true;
  field.source = SOURCES[operator];
  if (operator === "/" && (secondFlags & FLAG.CONST) !== 0) {
    field.source = constantDivision(builder, second, secondVariable, right);
  }
  if (isConstant) {
    field.operands = [firstVariable ?? first, secondVariable ?? second];
    foldConstant(field);
  } else {
    field.operands = [first, second];
    field.operator = operator;
    takeShape(field, first);
  }
  field.name = textOf(field);
  return asVariable(field, name);
}

/** The variable that an operand refers to; nothing for other operands. */
function referenced({ flags, variable, name }: HistField): HistField | undefined {
  if ((flags & (FLAG.VAR_REF | FLAG.ALIAS)) === 0) return undefined;
  const found = variable === undefined ? undefined : findVariable(variable.hist, name ?? "");
  if (found === undefined) throw refusal("EINVAL");
  return found;
}

function constantDivision(
  builder: Builder,
  divisor: HistField,
  variable: HistField | undefined,
  text: string,
): Source {
  divisor.constant = (variable ?? divisor).constant;
  if (divisor.constant === 0n) {
    builder.report("DIVISION_BY_ZERO", leftover(text));
    throw refusal("EDOM");
  }
  const { source, multiplier } = divisionBy(divisor.constant);
  if (source === "divide_by_shift") divisor.multiplier = multiplier;
  return source;
}

/** Constants are computed at once; their value takes the place of the expression. */
function foldConstant(field: HistField): void {
  field.constant = compute(field, ({ constant }) => constant);
  field.source = "constant";
  field.operands = [];
}

function takeShape(field: HistField, operand: HistField): void {
  field.size = operand.size;
  field.signed = operand.signed;
  field.type = operand.type;
}

/** The expression as it is printed (`expr_str()`). @throws {KernelError} E2BIG past 255 bytes */
function textOf(field: HistField): string | undefined {
  const text = expressionText(field, 0);
  if (field.hist.version === "6.1") return text;
  if (text === undefined) throw refusal("EINVAL");
  if (text.length > MAX_TEXT) throw refusal("E2BIG");
  return text;
}

/** Nothing for what the kernel cannot print: `-(…)` of a field with `.log2` or `.buckets`. */
function expressionText(field: HistField, level: number): string | undefined {
  const { operands: [first, second], operator } = field;
  if (level > 1) return undefined;
  if (first === undefined) return operandText(field);
  if (operator === undefined) return undefined;
  if (operator !== "unary") return `${operandText(first)}${operator}${operandText(second)}`;
  const inner = expressionText(first, level + 1);
  return inner === undefined ? undefined : `-(${inner})`;
}

/** A field as it stands in the text of an expression (`expr_field_str()`). */
export function operandText(field: HistField): string {
  const { flags, hist, system, constant } = field;
  if ((flags & FLAG.VAR_REF) !== 0) {
    const dollar = hist.version === "6.1" || system === undefined ? "$" : "";
    return dollar + nameOf(field);
  }
  const number = (flags & FLAG.CONST) !== 0 ? String(constant) : "";
  return number + nameOf(field) + modifierOf(field);
}

function tooMany(builder: Builder, text: string): Error {
  builder.report("TOO_MANY_SUBEXPR", text);
  return refusal("EINVAL");
}
