import { refuse } from "./probe_log.ts";
import { isGoodName } from "./ctype.ts";
import { fetchTypeOfLast, prepareString, storeBitfieldMember } from "./fetch_btf.ts";
import type { ParseContext } from "./fetch_context.ts";
import { parseExpression } from "./fetch_expression.ts";
import { FetchProgram, type FetchStep, type ProbeArgument, storedSize } from "./fetch_program.ts";
import {
  DEFAULT_FETCH_TYPE,
  type FetchType,
  findFetchType,
  STRING_FETCH_TYPE,
} from "./fetch_type.ts";
import { parseUnsigned, scanUnsigned } from "./numbers.ts";

/** Arguments that a probe can have (`MAX_TRACE_ARGS`, kernel/trace/trace_probe.h). */
export const MAX_ARGUMENTS = 128;

const MAX_NAME = 32;
const MAX_BODY = 63;
const MAX_ARRAY = 64n;
/** Bytes that the arguments of a probe may take in the entry (`MAX_PROBE_EVENT_SIZE`). */
const MAX_EVENT_SIZE = 3072;

const RESERVED_NAMES = new Set([
  "common_type",
  "common_flags",
  "common_preempt_count",
  "common_pid",
  "common_tgid",
  "__probe_ip",
  "__probe_ret_ip",
  "__probe_func",
]);

/**
 * Parses `[name=]fetch[:type]` (`traceprobe_parse_probe_arg`, kernel/trace/trace_probe.c).
 *
 * @param earlier the arguments before it
 * @throws {KernelError} if the kernel refuses it
 */
export function parseArgument(
  text: string,
  earlier: readonly ProbeArgument[],
  ctx: ParseContext,
): ProbeArgument {
  const equals = text.indexOf("=");
  if (equals > MAX_NAME) ctx.log.fail(0, "ARG_NAME_TOO_LONG");
  if (equals === 0) ctx.log.fail(0, "NO_ARG_NAME");
  const name = equals < 0 ? madeUpName(text, earlier.length, ctx) : text.slice(0, equals);
  if (!isGoodName(name)) ctx.log.fail(0, "BAD_ARG_NAME");
  if (RESERVED_NAMES.has(name) || earlier.some((argument) => argument.name === name)) {
    ctx.log.fail(0, "USED_ARG_NAME");
  }
  const last = earlier.at(-1);
  const offset = last === undefined ? 0 : last.offset + storedSize(last.type, last.count);
  return { name, offset, ...parseBody(text.slice(equals + 1), equals + 1, offset, ctx) };
}

function madeUpName(text: string, index: number, ctx: ParseContext): string {
  const variable = text.split(":", 1)[0] ?? "";
  return !ctx.old && isGoodName(variable) ? variable : `arg${index + 1}`;
}

function parseBody(
  body: string,
  start: number,
  size: number,
  ctx: ParseContext,
): Omit<ProbeArgument, "name" | "offset"> {
  ctx.offset = start;
  if (body.length > MAX_BODY) ctx.fail("ARG_TOO_LONG", ctx.old ? "EINVAL" : "E2BIG");
  if (body === "") ctx.fail("NO_ARG_BODY");
  const asked = parseType(body, ctx);
  const program = new FetchProgram();
  ctx.lastType = undefined;
  if (ctx.old) checkSize(size, asked.type, asked.count, ctx);
  parseExpression(asked.fetch, program, ctx);
  // 6.1 forgets where in the argument it is, 6.12 stays where it was left.
  if (ctx.old) ctx.offset = start;
  let type = asked.type;
  if (ctx.lastType !== undefined) {
    if (asked.text === undefined) type = fetchTypeOfLast(ctx);
    else if (asked.text.includes("string")) prepareString(asked.text, program, ctx);
  }
  if (!ctx.old) checkSize(size, type, asked.count, ctx);
  finish(program, { ...asked, type }, ctx);
  return { text: body, type, count: asked.count, steps: program.steps };
}

function checkSize(size: number, type: FetchType, count: number, ctx: ParseContext): void {
  if (size + storedSize(type, count) > MAX_EVENT_SIZE) ctx.fail("EVENT_TOO_BIG", "E2BIG");
}

interface AskedType {
  /** The argument before the type. */
  readonly fetch: string;
  /** The type as written, without its array suffix; absent for none. */
  readonly text?: string;
  /** Characters from the start of the body to the type; 0 for none. */
  readonly start: number;
  readonly type: FetchType;
  readonly count: number;
}

/** Splits the type off an argument (`parse_probe_arg_type`). */
function parseType(body: string, ctx: ParseContext): AskedType {
  const colon = body.indexOf(":");
  const fetch = colon < 0 ? body : body.slice(0, colon);
  const start = colon + 1;
  const whole = colon < 0 ? undefined : body.slice(start);
  const open = whole?.indexOf("[") ?? -1;
  const count = whole === undefined || open < 0
    ? 0
    : parseCount(whole.slice(open + 1), start + open + 1, ctx);
  const text = open < 0 ? whole : whole?.slice(0, open);
  const type = resolveType(fetch, text, count, start, ctx);
  return { fetch, text, start, type, count };
}

function parseCount(text: string, start: number, ctx: ParseContext): number {
  const close = text.indexOf("]");
  if (close < 0) ctx.fail("ARRAY_NO_CLOSE", "EINVAL", start + text.length);
  if (close !== text.length - 1) ctx.fail("BAD_ARRAY_SUFFIX", "EINVAL", start + close + 1);
  const count = parseUnsigned(text.slice(0, close), 0, 1n << 32n);
  if (typeof count === "string" || count === 0n) ctx.fail("BAD_ARRAY_NUM", "EINVAL", start);
  if (count > MAX_ARRAY) ctx.fail("ARRAY_TOO_BIG", "EINVAL", start);
  return Number(count);
}

function resolveType(
  fetch: string,
  text: string | undefined,
  count: number,
  start: number,
  ctx: ParseContext,
): FetchType {
  const isText = fetch === "$comm" || fetch === "$COMM" || fetch.startsWith('\\"');
  if (isText && ctx.site !== "event") {
    if (count === 0 && (text === undefined || text === "string")) return STRING_FETCH_TYPE;
    // 6.1 says nothing.
    if (ctx.old) refuse("EINVAL");
    ctx.fail("NEED_STRING_TYPE", "EINVAL", start);
  }
  if (text === undefined) return DEFAULT_FETCH_TYPE;
  const type = findFetchType(text, { version: ctx.host.version, user: ctx.user });
  if (type === undefined) ctx.fail("BAD_TYPE", "EINVAL", start);
  return type;
}

/** Adds what stores and modifies the fetched value (`finalize_fetch_insn`). */
function finish(program: FetchProgram, asked: AskedType, ctx: ParseContext): void {
  const full = ctx.old ? "EINVAL" : "E2BIG";
  const store = asked.type.isString
    ? storeString(program, asked, ctx)
    : storeValue(program, asked.type, full, ctx);
  if (asked.text !== undefined) addBitfield(program, asked.text, asked, ctx);
  else if (ctx.lastType !== undefined) storeBitfieldMember(program, ctx);
  if (asked.count === 0) return;
  const repeatable = store.op === "store_string" || (store.op === "store_memory" && !store.user);
  if (!repeatable) ctx.fail("BAD_STRING", "EINVAL", asked.start);
  ctx.emit(program, { op: "repeat", count: asked.count }, full);
}

const STRING_SOURCES: ReadonlySet<string> = new Set(
  ["dereference", "immediate", "comm", "text", "event_field", "field_name"],
);

function isSymbolSource(step: FetchStep | undefined): boolean {
  switch (step?.op) {
    case "register":
    case "stack":
    case "return_value":
    case "argument":
    case "event_field":
    case "field_name":
      return true;
    case "dereference":
      return !step.user;
    default:
      return false;
  }
}

function storeString(program: FetchProgram, asked: AskedType, ctx: ParseContext): FetchStep {
  const last = program.last;
  const isSymbol = asked.type.name === "symstr";
  if (isSymbol && !isSymbolSource(last)) ctx.fail("BAD_SYMSTRING", "EINVAL", asked.start);
  if (!isSymbol && !STRING_SOURCES.has(last?.op ?? "")) {
    ctx.fail("BAD_STRING", "EINVAL", asked.start);
  }
  const ustring = asked.type.name === "ustring";
  if (isSymbol || asked.count > 0 || last?.op !== "dereference") {
    // The value itself points to the text, or to pointers to texts.
    const store: FetchStep = isSymbol
      ? { op: "store_symbol_name" }
      : { op: "store_string", user: ustring, offset: 0 };
    ctx.emit(program, store);
    return store;
  }
  const store: FetchStep = {
    op: "store_string",
    user: ustring || last.user,
    offset: last.offset,
  };
  program.replaceLast(store);
  return store;
}

function storeValue(
  program: FetchProgram,
  type: FetchType,
  full: "EINVAL" | "E2BIG",
  ctx: ParseContext,
): FetchStep {
  const last = program.last;
  if (last?.op === "dereference") {
    const { user, offset } = last;
    const store: FetchStep = { op: "store_memory", user, offset, size: type.size };
    program.replaceLast(store);
    return store;
  }
  const store: FetchStep = { op: "store_value", size: type.size };
  ctx.emit(program, store, full);
  return store;
}

/** Adds the shifts of `b<width>@<offset>/<bits>` (`__parse_bitfield_probe_arg`). */
function addBitfield(
  program: FetchProgram,
  text: string,
  asked: AskedType,
  ctx: ParseContext,
): void {
  if (!text.startsWith("b")) return;
  const width = scanUnsigned(text.slice(1), 0);
  const offset = scanUnsigned(width.rest.slice(1), 0);
  const hasOffset = offset.rest !== width.rest.slice(1);
  const bits = BigInt(asked.type.size * 8);
  const end = BigInt.asUintN(64, width.value + offset.value);
  const wellFormed = width.value !== 0n && width.rest.startsWith("@") && hasOffset &&
    offset.rest.startsWith("/");
  const step: FetchStep = {
    op: "bitfield",
    size: asked.type.size,
    left: Number(BigInt.asUintN(8, bits - end)),
    right: Number(BigInt.asUintN(8, bits - width.value)),
  };
  if (!wellFormed || end > bits || !program.add(step)) {
    ctx.fail("BAD_BITFIELD", "EINVAL", asked.start);
  }
}
