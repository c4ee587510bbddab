/**
 * The kernel's fetch arguments, such as `+0($arg2):ustring`, as values.
 *
 * The grammar is that of Documentation/trace/kprobetrace.rst, uprobetracer.rst and
 * `parse_probe_arg()` in kernel/trace/trace_probe.c. What the kernel accepts by accident (text
 * after the last parenthesis or after `$retval`) is refused here. Whether a kind of probe can have
 * an argument is another question: see `checkFetchArg`.
 * @module
 */

import { nearest } from "../text/nearest.ts";
import { DefinitionError } from "./error.ts";
import {
  type FetchType,
  fieldOfType,
  type FieldType,
  formatType,
  parseType,
} from "./fetch_type.ts";
import { formatHex, formatInteger, requireSigned, requireUnsigned } from "./number.ts";

/** Longest fetch argument with its type, in characters (`MAX_ARGSTR_LEN`, kernel/trace/trace_probe.h). */
export const MAX_FETCH_TEXT = 63;

/** A member of a structure, reached through a pointer or in place. */
export interface FetchMember {
  readonly via: "->" | ".";
  readonly name: string;
}

/** Where a value comes from. */
export type Fetch =
  /** `$argN`, counted from 1. */
  | { readonly kind: "argument"; readonly index: number }
  /** `$arg*`: every argument, by BTF. */
  | { readonly kind: "all_arguments" }
  /** `$retval`, and members of what it points to, by BTF. */
  | { readonly kind: "retval"; readonly members: readonly FetchMember[] }
  /** `$stack`: the address of the stack. */
  | { readonly kind: "stack_address" }
  /** `$stackN`: word N of the stack, counted from 0. */
  | { readonly kind: "stack"; readonly index: number }
  /** `$comm`: the name of the task. */
  | { readonly kind: "comm" }
  /** `%di` */
  | { readonly kind: "register"; readonly name: string }
  /** `@0x1000`: memory at an address. */
  | { readonly kind: "address"; readonly address: bigint }
  /** `@jiffies+8`: memory at a kernel symbol. */
  | { readonly kind: "symbol"; readonly symbol: string; readonly offset: bigint }
  /** `@+0x1000`: memory that an offset of the probed file is mapped to. */
  | { readonly kind: "file_offset"; readonly offset: bigint }
  /** `+8(…)`, or `+u8(…)` for user memory. */
  | {
    readonly kind: "dereference";
    readonly offset: bigint;
    readonly user: boolean;
    readonly of: Fetch;
  }
  /** `\-1` */
  | { readonly kind: "immediate"; readonly value: bigint }
  /** `\"text"` */
  | { readonly kind: "text"; readonly text: string }
  /** `file->f_path.dentry`: a parameter by its name, by BTF. */
  | { readonly kind: "variable"; readonly name: string; readonly members: readonly FetchMember[] };

/** A fetch argument: a source, and the type that it is stored as. */
export interface FetchExpression {
  readonly fetch: Fetch;
  readonly type?: FetchType;
}

/**
 * Reads a fetch argument, without a `name=` before it.
 *
 * @throws {DefinitionError} with the place in `text`.
 */
export function parseFetchArg(text: string): FetchExpression {
  if (text.length > MAX_FETCH_TEXT) {
    throw new DefinitionError(
      `A fetch argument has at most ${MAX_FETCH_TEXT} characters, not ${text.length}`,
      text,
      MAX_FETCH_TEXT,
    );
  }
  const bad = /[^\x21-\x7e]|[#;]/.exec(text);
  if (bad !== null) {
    const character = JSON.stringify(bad[0]);
    throw new DefinitionError(`A fetch argument cannot hold ${character}`, text, bad.index);
  }
  if (text === "") throw new DefinitionError("The fetch argument is empty", text);
  // The kernel looks for the first colon, even inside a string.
  const colon = text.indexOf(":");
  const end = colon < 0 ? text.length : colon;
  const fetch = parseFetch(text, 0, end);
  return colon < 0 ? { fetch } : { fetch, type: parseType(text, colon + 1) };
}

/** A fetch argument as the kernel reads it; {@link parseFetchArg} reads the same value back. */
export function formatFetchArg(expression: FetchExpression): string {
  const { fetch, type } = expression;
  return type === undefined ? formatFetch(fetch) : `${formatFetch(fetch)}:${formatType(type)}`;
}

/**
 * What the field of the event holds. Without a type that is a 64-bit number in hexadecimal, except
 * where the kernel finds the type by BTF; it does so for `$retval` of kernel functions too, but not
 * for `$argN` under a name.
 */
export function fieldType(expression: FetchExpression): FieldType {
  const { fetch, type } = expression;
  if (type !== undefined) return fieldOfType(type);
  switch (fetch.kind) {
    case "comm":
    case "text":
      return { kind: "string" };
    case "variable":
    case "retval":
    case "all_arguments":
      return { kind: "btf" };
    default:
      return { kind: "integer", bits: 64, signed: false, shown: "hex" };
  }
}

function parseFetch(text: string, start: number, end: number): Fetch {
  const body = text.slice(start, end);
  switch (body[0]) {
    case "$":
      return parseVariable(text, start, body);
    case "%":
      if (/^%[A-Za-z0-9_]+$/.test(body)) return { kind: "register", name: body.slice(1) };
      throw new DefinitionError(`"${body}" is not a register`, text, start);
    case "@":
      return parseMemory(text, start, body);
    case "+":
    case "-":
      return parseDereference(text, start, end);
    case "\\":
      return parseImmediate(text, start, body);
  }
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(.*)$/.exec(body);
  if (match !== null) {
    const members = parseMembers(text, start + match[1].length, match[2]);
    return { kind: "variable", name: match[1], members };
  }
  throw new DefinitionError(
    body === "" ? "There is nothing to fetch" : `"${body}" is not a fetch argument`,
    text,
    start,
    "Such as $arg1, $retval, $comm, %di, +0($arg1), @symbol",
  );
}

const VARIABLES = ["$arg1", "$retval", "$stack", "$stack0", "$comm", "$arg*"];

function parseVariable(text: string, start: number, body: string): Fetch {
  if (body === "$stack") return { kind: "stack_address" };
  if (body === "$comm" || body === "$COMM") return { kind: "comm" };
  if (body === "$arg*") return { kind: "all_arguments" };
  const numbered = /^\$(arg|stack)([0-9]{1,9})$/.exec(body);
  if (numbered !== null) {
    return { kind: numbered[1] === "arg" ? "argument" : "stack", index: Number(numbered[2]) };
  }
  const retval = /^\$retval((?:->|\.).*)?$/.exec(body);
  if (retval !== null) {
    return {
      kind: "retval",
      members: parseMembers(text, start + "$retval".length, retval[1] ?? ""),
    };
  }
  const member = /^\$arg[0-9]+->/.test(body);
  const near = nearest(body.toLowerCase(), VARIABLES, 1)[0];
  throw new DefinitionError(
    member ? "$argN has no members" : `"${body}" is not a variable of the kernel`,
    text,
    start,
    member
      ? "Write the name of the parameter, as in file->f_pos"
      : near && `Did you mean "${near}"?`,
  );
}

/** Reads `->a.b->c`, which starts at `start` of `text`. */
function parseMembers(text: string, start: number, body: string): FetchMember[] {
  const members: FetchMember[] = [];
  let at = 0;
  while (at < body.length) {
    const match = /^(->|\.)([A-Za-z_][A-Za-z0-9_]*)/.exec(body.slice(at));
    if (match === null) {
      throw new DefinitionError(
        `Expected "->" or "." and the name of a member, not "${body.slice(at)}"`,
        text,
        start + at,
      );
    }
    if (at === 0 && match[1] === ".") {
      throw new DefinitionError(
        "The kernel reads members of structures through pointers only",
        text,
        start,
        'Write "->" before the first member',
      );
    }
    members.push({ via: match[1] as "->" | ".", name: match[2] });
    at += match[0].length;
  }
  return members;
}

function parseMemory(text: string, start: number, body: string): Fetch {
  if (/^@[0-9]/.test(body)) {
    return { kind: "address", address: requireUnsigned(text, start + 1, body.slice(1)) };
  }
  if (/^@\+[0-9]/.test(body)) {
    return { kind: "file_offset", offset: requireSigned(text, start + 2, body.slice(2)) };
  }
  const match = /^@([A-Za-z_.][A-Za-z0-9_.$]*)([+-].*)?$/.exec(body);
  if (match === null) {
    throw new DefinitionError(
      `"${body}" is not a place in memory`,
      text,
      start,
      "Write @symbol, @symbol+offset, @address, or @+offset in the file of a uprobe",
    );
  }
  const offset = match[2] === undefined
    ? 0n
    : requireSigned(text, start + 1 + match[1].length, match[2]);
  return { kind: "symbol", symbol: match[1], offset };
}

function parseDereference(text: string, start: number, end: number): Fetch {
  const match = /^([+-])(u?)([^(+-]*)\(/.exec(text.slice(start, end));
  if (match === null) {
    throw new DefinitionError(
      "An offset needs parentheses around what it is added to",
      text,
      start,
      "As in +8($arg1), which reads memory 8 bytes after the address $arg1",
    );
  }
  const [opening, sign, user, digits] = match;
  if (text[end - 1] !== ")") {
    const close = text.lastIndexOf(")", end - 1);
    if (close >= start) throw new DefinitionError('Nothing may follow ")"', text, close + 1);
    throw new DefinitionError("A parenthesis is not closed", text, end, 'Add ")"');
  }
  const size = requireSigned(text, start + 1 + user.length, digits);
  return {
    kind: "dereference",
    offset: sign === "-" ? -size : size,
    user: user === "u",
    of: parseFetch(text, start + opening.length, end - 1),
  };
}

function parseImmediate(text: string, start: number, body: string): Fetch {
  if (body[1] !== '"') {
    const digits = body.slice(1);
    const value = digits[0] === "-" || digits[0] === "+"
      ? requireSigned(text, start + 1, digits)
      : requireUnsigned(text, start + 1, digits);
    return { kind: "immediate", value };
  }
  if (body.length < 3 || !body.endsWith('"')) {
    throw new DefinitionError(
      "A string is not closed",
      text,
      start + body.length,
      'End it with ". The kernel allows no blank, "#" or ":" in it',
    );
  }
  return { kind: "text", text: body.slice(2, -1) };
}

/** The source of a value as the kernel reads it, without a type. */
export function formatFetch(fetch: Fetch): string {
  switch (fetch.kind) {
    case "argument":
      return `$arg${fetch.index}`;
    case "all_arguments":
      return "$arg*";
    case "retval":
      return `$retval${formatMembers(fetch.members)}`;
    case "stack_address":
      return "$stack";
    case "stack":
      return `$stack${fetch.index}`;
    case "comm":
      return "$comm";
    case "register":
      return `%${fetch.name}`;
    case "address":
      return `@${formatHex(fetch.address)}`;
    case "symbol":
      return `@${fetch.symbol}${fetch.offset === 0n ? "" : formatOffset(fetch.offset)}`;
    case "file_offset":
      return `@+${formatInteger(fetch.offset)}`;
    case "dereference": {
      const offset = formatOffset(fetch.offset);
      const marked = fetch.user ? `${offset[0]}u${offset.slice(1)}` : offset;
      return `${marked}(${formatFetch(fetch.of)})`;
    }
    case "immediate":
      return `\\${formatInteger(fetch.value)}`;
    case "text":
      return `\\"${fetch.text}"`;
    case "variable":
      return `${fetch.name}${formatMembers(fetch.members)}`;
  }
}

function formatMembers(members: readonly FetchMember[]): string {
  return members.map(({ via, name }) => via + name).join("");
}

function formatOffset(offset: bigint): string {
  return offset < 0n ? formatInteger(offset) : `+${formatInteger(offset)}`;
}
