/**
 * The C expressions that stand in the `print fmt` of event formats, as trees.
 * @module
 */

import { sizeOfType } from "../c_type.ts";
import { PrintFmtError } from "./error.ts";
import type { Token } from "./tokens.ts";

/** A C type as casts and `sizeof` name it. */
export interface CType {
  readonly name: string;
  readonly pointer: boolean;
  /** Bytes of the type, or of what it points to; undefined for `void` and what is not known. */
  readonly size: 1 | 2 | 4 | 8 | undefined;
  readonly signed: boolean;
}

/** One expression. `at` is where it stands in the text. */
export type Expression =
  & { readonly at: number }
  & (
    | { readonly kind: "number"; readonly text: string }
    | { readonly kind: "string"; readonly text: string }
    /** `REC->name`. */
    | { readonly kind: "field"; readonly name: string }
    /** Any other name: a field in `__get_str(name)`, a constant elsewhere. */
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
    | { readonly kind: "unary"; readonly operator: string; readonly of: Expression }
    | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
    | {
      readonly kind: "choice";
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
    | { readonly kind: "cast"; readonly type: CType; readonly of: Expression }
    | { readonly kind: "sizeof"; readonly type: CType }
    | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] }
    /** `{ value, "name" }`, in `__print_symbolic` and `__print_flags`. */
    | { readonly kind: "pair"; readonly value: Expression; readonly name: Expression }
  );

/** How deep expressions may be nested, and how many operators may follow each other. */
const MAX_DEPTH = 200;

/** Binary operators by how tightly they bind, loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", ">", "<=", ">="],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

const UNARY = new Set(["-", "+", "~", "!", "*", "&"]);
const SPECIFIERS = new Set(["const", "volatile", "struct", "enum", "unsigned", "signed", "union"]);
const BASE_TYPES = new Set(["char", "short", "int", "long", "void", "bool", "_Bool"]);

/** Reads expressions off a list of tokens. */
export class ExpressionParser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token that is next. */
  get token(): Token {
    return this.#tokens[this.#next]!;
  }

  /** Takes the next token if it is operator `text`. */
  accept(text: string): boolean {
    const found = this.token.kind === "operator" && this.token.text === text;
    if (found) this.#next++;
    return found;
  }

  /** Takes the next token, which has to be operator `text`. @throws {PrintFmtError} */
  expect(text: string): void {
    if (!this.accept(text)) this.#fail(`"${text}" is missing`);
  }

  /** @throws {PrintFmtError} if anything is left. */
  end(): void {
    if (this.token.kind !== "end") this.#fail(`"${this.token.text}" is not understood`);
  }

  /** Strings side by side are one. @throws {PrintFmtError} if there is none. */
  strings(): string {
    let text = "";
    const { at } = this.token;
    while (this.token.kind === "string") text += this.#take().text;
    if (this.#tokens[this.#next - 1]?.kind !== "string") {
      throw new PrintFmtError(at, "a string is missing");
    }
    return text;
  }

  /** One expression, without a comma outside of parentheses. @throws {PrintFmtError} */
  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    const { at } = this.token;
    const condition = this.#binary(0);
    let result = condition;
    if (this.accept("?")) {
      const yes = this.expression();
      this.expect(":");
      result = { kind: "choice", at, condition, yes, no: this.expression() };
    }
    this.#depth--;
    return result;
  }

  #binary(level: number): Expression {
    if (level === LEVELS.length) return this.#unary();
    let left = this.#binary(level + 1);
    for (let count = 0;; count++) {
      const { kind, text, at } = this.token;
      if (kind !== "operator" || !LEVELS[level]!.includes(text)) return left;
      if (count === MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} operators in a row`);
      this.#next++;
      left = { kind: "binary", at, operator: text, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Expression {
    const { kind, text, at } = this.token;
    if (kind === "operator" && UNARY.has(text)) {
      this.#next++;
      return { kind: "unary", at, operator: text, of: this.#nested(() => this.#unary()) };
    }
    const type = this.#castType();
    if (type !== undefined) {
      return { kind: "cast", at, type, of: this.#nested(() => this.#unary()) };
    }
    const of = this.#primary();
    if (!this.accept("[")) return of;
    const index = this.expression();
    this.expect("]");
    return { kind: "index", at, of, index };
  }

  #primary(): Expression {
    const token = this.token;
    const { at } = token;
    if (token.kind === "string") return { kind: "string", at, text: this.strings() };
    if (token.kind === "number") return { kind: "number", at, text: this.#take().text };
    if (this.accept("{")) return this.#pair(at);
    if (this.accept("(")) {
      const inner = this.expression();
      this.expect(")");
      // `(REC)->name`
      return isRecord(inner) && this.accept("->") ? this.#field(at) : inner;
    }
    if (token.kind !== "name") this.#fail(`"${token.text}" is not understood`);
    const { text: name } = this.#take();
    if (name === "REC" && this.accept("->")) return this.#field(at);
    if (name === "sizeof") return this.#sizeof(at);
    if (this.accept("(")) return { kind: "call", at, name, arguments: this.#list(")") };
    return { kind: "name", at, name };
  }

  #field(at: number): Expression {
    if (this.token.kind !== "name") this.#fail("a field name is missing");
    return { kind: "field", at, name: this.#take().text };
  }

  #pair(at: number): Expression {
    const value = this.expression();
    this.expect(",");
    const name = this.expression();
    this.expect("}");
    return { kind: "pair", at, value, name };
  }

  #sizeof(at: number): Expression {
    const type = this.#castType();
    if (type === undefined) this.#fail("sizeof of an expression");
    return { kind: "sizeof", at, type };
  }

  #list(end: string): Expression[] {
    const list: Expression[] = [];
    if (this.accept(end)) return list;
    do list.push(this.expression()); while (this.accept(","));
    this.expect(end);
    return list;
  }

  /** Takes `(type)` if that is next. */
  #castType(): CType | undefined {
    const start = this.#next;
    if (!this.accept("(")) return undefined;
    const words: string[] = [];
    while (this.token.kind === "name") words.push(this.#take().text);
    let pointer = false;
    while (this.accept("*")) {
      pointer = true;
      this.#acceptConst();
    }
    const closed = words.length > 0 && this.accept(")");
    if (closed && (pointer || isType(words) || this.#startsOperand())) {
      return typeNamed(words.join(" "), pointer);
    }
    this.#next = start;
    return undefined;
  }

  #acceptConst(): void {
    if (this.token.kind === "name" && this.token.text === "const") this.#next++;
  }

  /** Whether what follows `(name)` makes it a cast of a type that is not known by name. */
  #startsOperand(): boolean {
    const { kind, text } = this.token;
    return kind === "name" || kind === "number" || (kind === "operator" && text === "(");
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    const result = parse();
    this.#depth--;
    return result;
  }

  #take(): Token {
    return this.#tokens[this.#next++]!;
  }

  #fail(reason: string): never {
    throw new PrintFmtError(this.token.at, reason);
  }
}

function isRecord(expression: Expression): boolean {
  return expression.kind === "name" && expression.name === "REC";
}

function isType(words: readonly string[]): boolean {
  return SPECIFIERS.has(words[0]!) || BASE_TYPES.has(words[0]!) ||
    sizeOfType(words.join(" "), 8) !== undefined;
}

function typeNamed(name: string, pointer: boolean): CType {
  const known = name.replace(/\b(?:const|volatile|signed)\b/g, "").trim();
  const size = /^enum\b/.test(known) ? 4 : sizeOfType(known === "" ? "int" : known, 8);
  // `char` is signed on x86-64 but not on arm64; the kernel is built with -funsigned-char since 6.2.
  const signed = /^(?:s\d+|__s\d+|int\d*(?:_t)?|short.*|long.*|ssize_t|loff_t|pid_t|enum.*)$/
    .test(known) && !known.includes("unsigned");
  return { name, pointer, size, signed: known === "" || signed };
}

/** Whether an expression is `NULL`, which the text has as `((void *)0)` or `0`. */
export function isNull(expression: Expression): boolean {
  if (expression.kind === "cast") return expression.type.pointer && isNull(expression.of);
  return expression.kind === "number" && expression.text === "0";
}
