/**
 * Turns expression trees into closures over entries.
 * @module
 */

import { PrintFmtError } from "./error.ts";
import { type CType, type Expression, isNull } from "./expression.ts";
import { compileField, elementOf, fieldNamed } from "./fields.ts";
import { compileCall } from "./functions.ts";
import { textAt } from "./read.ts";
import type { Scope } from "./scope.ts";
import {
  commonType,
  type Compiled,
  type CompiledInteger,
  type CompiledText,
  constant,
  INT,
  promoted,
  UNSIGNED_LONG,
  wrap,
} from "./value.ts";

type Binary = Extract<Expression, { kind: "binary" }>;

/** @throws {PrintFmtError} for what only the kernel can work out. */
export function compile(expression: Expression, scope: Scope): Compiled {
  switch (expression.kind) {
    case "number":
      return compileNumber(expression.text, expression.at);
    case "string": {
      const { text } = expression;
      return { kind: "text", get: () => text };
    }
    case "field":
      if (scope.constant) return fail(expression, "a field where only a constant can be");
      return compileField(fieldNamed(expression.name, scope, expression.at));
    case "name":
      return fail(expression, `the kernel's text does not say what "${expression.name}" is`);
    case "index":
      return compileIndex(expression, scope);
    case "unary":
      return compileUnary(expression, scope);
    case "binary":
      return compileBinary(expression, scope);
    case "choice":
      return compileChoice(expression, scope);
    case "cast":
      return compileCast(expression, compile(expression.of, scope));
    case "sizeof":
      return constant(BigInt(sizeOf(expression.type, expression)), UNSIGNED_LONG);
    case "call":
      return compileCall(expression, scope);
    case "pair":
      return fail(expression, "braces where none can be");
  }
}

/** Compiles what has to be an integer. @throws {PrintFmtError} */
export function compileInteger(expression: Expression, scope: Scope): CompiledInteger {
  const compiled = compile(expression, scope);
  return compiled.kind === "integer" ? compiled : fail(expression, "no integer");
}

function compileNumber(text: string, at: number): CompiledInteger {
  const match = /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)([uUlL]*)$/.exec(text);
  if (match === null) throw new PrintFmtError(at, `"${text}" is no number`);
  const [, digits, suffix] = match;
  const octal = /^0[0-7]+$/.test(digits!);
  const value = BigInt(octal ? `0o${digits!.slice(1)}` : digits!);
  const unsigned = /u/i.test(suffix!);
  const decimal = !digits!.startsWith("0");
  const fits = (bits: bigint) => value < 1n << bits;
  if (/l/i.test(suffix!) || !fits(32n) || (!fits(31n) && decimal && !unsigned)) {
    return constant(value, { size: 8, signed: !unsigned && fits(63n) });
  }
  return constant(value, { size: 4, signed: !unsigned && fits(31n) });
}

function compileIndex(
  { of, index, at }: Extract<Expression, { kind: "index" }>,
  scope: Scope,
): Compiled {
  const array = compile(of, scope);
  if (array.kind !== "span") throw new PrintFmtError(at, "an index on what is no array");
  return elementOf(array, compileInteger(index, scope));
}

function compileUnary(
  expression: Extract<Expression, { kind: "unary" }>,
  scope: Scope,
): Compiled {
  const { operator } = expression;
  const of = compile(expression.of, scope);
  if (operator === "&" && of.kind === "span") return of;
  if (operator === "*" && of.kind === "span") return elementOf(of, constant(0n, INT));
  if (of.kind !== "integer" || operator === "&" || operator === "*") {
    return fail(expression, `"${operator}" on what it cannot be used on`);
  }
  const { type, get } = of;
  switch (operator) {
    case "-":
      return { kind: "integer", type, get: (entry) => wrap(-get(entry), type) };
    case "~":
      return { kind: "integer", type, get: (entry) => wrap(~get(entry), type) };
    case "!":
      return { kind: "integer", type: INT, get: (entry) => get(entry) === 0n ? 1n : 0n };
    default:
      return of;
  }
}

type Operation = (left: bigint, right: bigint) => bigint;

/** Operators whose operands are brought to one type. Division by zero gives 0, not an end. */
const ARITHMETIC: Readonly<Record<string, Operation>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => b === 0n ? 0n : a / b,
  "%": (a, b) => b === 0n ? 0n : a % b,
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
};

const COMPARISONS: Readonly<Record<string, (left: bigint, right: bigint) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
};

function compileBinary({ operator, left, right }: Binary, scope: Scope): CompiledInteger {
  const a = compileInteger(left, scope);
  const b = compileInteger(right, scope);
  if (operator === "&&" || operator === "||") {
    const stop = operator === "||";
    return {
      kind: "integer",
      type: INT,
      get: (entry) => (a.get(entry) !== 0n) === stop ? BigInt(stop) : BigInt(b.get(entry) !== 0n),
    };
  }
  if (operator === "<<" || operator === ">>") {
    const { type } = a;
    const mask = BigInt(type.size * 8 - 1);
    const shift: Operation = operator === "<<" ? (x, n) => x << n : (x, n) => x >> n;
    return {
      kind: "integer",
      type,
      get: (entry) => wrap(shift(a.get(entry), b.get(entry) & mask), type),
    };
  }
  const type = commonType(a.type, b.type);
  const compare = COMPARISONS[operator];
  if (compare !== undefined) {
    return {
      kind: "integer",
      type: INT,
      get: (entry) => BigInt(compare(wrap(a.get(entry), type), wrap(b.get(entry), type))),
    };
  }
  const operation = ARITHMETIC[operator]!;
  return {
    kind: "integer",
    type,
    get: (entry) => wrap(operation(wrap(a.get(entry), type), wrap(b.get(entry), type)), type),
  };
}

function compileChoice(
  expression: Extract<Expression, { kind: "choice" }>,
  scope: Scope,
): Compiled {
  const condition = compileInteger(expression.condition, scope);
  const yes = compile(expression.yes, scope);
  const no = compile(expression.no, scope);
  const holds: CompiledInteger["get"] = condition.get;
  if (yes.kind === "integer" && no.kind === "integer") {
    const type = commonType(yes.type, no.type);
    return {
      kind: "integer",
      type,
      get: (entry) => wrap(holds(entry) === 0n ? no.get(entry) : yes.get(entry), type),
    };
  }
  const [a, b] = [orNull(expression.yes, yes), orNull(expression.no, no)];
  if (a === undefined || b === undefined) return fail(expression, "a choice of unlike values");
  return { kind: "text", get: (entry) => holds(entry) === 0n ? b.get(entry) : a.get(entry) };
}

/** A null pointer is printed as `(null)`. */
function orNull(expression: Expression, value: Compiled): CompiledText | undefined {
  return isNull(expression) ? { kind: "text", get: () => "(null)" } : asText(value);
}

/** A value as `%s` takes it; undefined for integers. */
export function asText(value: Compiled): CompiledText | undefined {
  if (value.kind === "text") return value;
  if (value.kind === "integer") return undefined;
  return { kind: "text", get: (entry) => textAt(entry.source, value.get(entry)) };
}

function compileCast(cast: Extract<Expression, { kind: "cast" }>, of: Compiled): Compiled {
  const { pointer, size, signed } = cast.type;
  if (of.kind === "text") return of;
  if (of.kind === "span") {
    return pointer && size !== undefined ? { ...of, elementSize: size, signed } : of;
  }
  if (pointer) return of;
  if (size === undefined) return fail(cast, `a cast to "${cast.type.name}"`);
  return {
    ...of,
    type: promoted(size, signed),
    get: (entry) => wrap(of.get(entry), { size, signed }),
  };
}

function sizeOf(type: CType, expression: Expression): number {
  if (type.pointer) return 8;
  return type.size ?? fail(expression, `the size of "${type.name}"`);
}

function fail(expression: Expression, reason: string): never {
  throw new PrintFmtError(expression.at, reason);
}
