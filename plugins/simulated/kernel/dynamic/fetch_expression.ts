import { startsWithAlpha, startsWithDigit } from "./ctype.ts";
import { parseBtfVariable } from "./fetch_btf.ts";
import type { ParseContext } from "./fetch_context.ts";
import type { FetchProgram, FetchStep } from "./fetch_program.ts";
import { type NumberError, parseSigned, parseUnsigned } from "./numbers.ts";
import { isRegister } from "./registers.ts";

/** Words of a kernel stack, the largest N of `$stackN` and `$argN` (`PARAM_MAX_STACK`, 16 KiB stacks). */
const MAX_STACK = 2048n;

/**
 * Parses a fetch argument without its name and type into `program`
 * (`parse_probe_arg`, kernel/trace/trace_probe.c).
 *
 * @throws {KernelError} if the kernel refuses it; the error is logged
 */
export function parseExpression(text: string, program: FetchProgram, ctx: ParseContext): void {
  const before = program.steps.length;
  switch (text.charAt(0)) {
    case "$":
      parseVariable(text, program, ctx);
      break;
    case "%":
      parseRegister(text.slice(1), program, ctx);
      break;
    case "@":
      parseMemory(text.slice(1), program, ctx);
      break;
    case "+":
    case "-":
      parseDereference(text, program, ctx);
      break;
    case "\\":
      parseImmediate(text.slice(1), program, ctx);
      break;
    default:
      parseName(text, program, ctx);
  }
  if (program.steps.length === before) ctx.fail("BAD_FETCH_ARG");
}

function parseName(text: string, program: FetchProgram, ctx: ParseContext): void {
  if (ctx.old || !(startsWithAlpha(text) || text.startsWith("_"))) return;
  if (ctx.site !== "entry" && ctx.site !== "return") ctx.fail("NOSUP_BTFARG");
  parseBtfVariable(text, program, ctx);
}

function parseRegister(name: string, program: FetchProgram, ctx: ParseContext): void {
  if (ctx.site === "event" || ctx.hooked) {
    // The kernel goes on after this one, and logs BAD_FETCH_ARG as well.
    ctx.log.error(ctx.offset, "BAD_VAR");
    return;
  }
  if (!isRegister(ctx.host.arch, name)) ctx.fail("BAD_REG_NAME");
  ctx.emit(program, { op: "register", name });
}

function parseVariable(text: string, program: FetchProgram, ctx: ParseContext): void {
  const name = text.slice(1);
  if (ctx.site === "event") return parseEventField(name, program, ctx);
  const isReturnValue = ctx.old ? name === "retval" : name.startsWith("retval");
  if (isReturnValue) return parseReturnVariable(text, program, ctx);
  if (name.startsWith("stack")) return ctx.emit(program, stackStep(name.slice(5), ctx));
  if (name === "comm" || name === "COMM") return ctx.emit(program, { op: "comm" });
  if (name.startsWith("arg") && !(ctx.old && ctx.site !== "entry")) {
    return ctx.emit(program, argumentStep(name.slice(3), ctx));
  }
  ctx.fail("BAD_VAR");
}

function parseReturnVariable(text: string, program: FetchProgram, ctx: ParseContext): void {
  if (!ctx.isReturn) ctx.fail("RETVAL_ON_PROBE");
  if (ctx.old || ctx.user) return ctx.emit(program, { op: "return_value" });
  parseBtfVariable(text, program, ctx);
}

function parseEventField(name: string, program: FetchProgram, ctx: ParseContext): void {
  // 6.1 looks for the field when the whole argument is parsed.
  if (ctx.old) return ctx.emit(program, { op: "field_name", name });
  const field = ctx.eventFields.find((candidate) => candidate.name === name);
  if (field !== undefined) return ctx.emit(program, { op: "event_field", field });
  if (name !== "comm" && name !== "COMM") ctx.fail("BAD_VAR");
  ctx.emit(program, { op: "comm" });
}

function stackStep(index: string, ctx: ParseContext): FetchStep {
  if (index === "") return { op: "stack_pointer" };
  const value = startsWithDigit(index) ? parseUnsigned(index, 10) : "EINVAL";
  if (typeof value === "string") ctx.fail("BAD_VAR");
  if (!ctx.user && value > MAX_STACK) ctx.fail("BAD_STACK_NUM");
  return { op: "stack", index: Number(BigInt.asUintN(32, value)) };
}

function argumentStep(number: string, ctx: ParseContext): FetchStep {
  const value = parseUnsigned(number, 10);
  if (typeof value === "string") ctx.fail("BAD_VAR");
  if (value === 0n || value > MAX_STACK) ctx.fail("BAD_ARG_NUM");
  const index = Number(value) - 1;
  if (ctx.site === "entry") {
    return { op: "argument", index: ctx.tracepoint ? index + 1 : index };
  }
  if (ctx.site !== "return") ctx.fail("NOFENTRY_ARGS");
  return { op: "entry_argument", index };
}

function parseMemory(place: string, program: FetchProgram, ctx: ParseContext): void {
  if (startsWithDigit(place)) {
    const value = parseUnsigned(place, 0);
    if (typeof value === "string") ctx.fail("BAD_MEM_ADDR", value);
    ctx.emit(program, { op: "immediate", value });
  } else if (place.startsWith("+")) {
    if (!ctx.user) ctx.fail("FILE_ON_KPROBE");
    const offset = parseSigned(place.slice(1), 0);
    if (typeof offset === "string") ctx.fail("BAD_FILE_OFFS", offset);
    ctx.emit(program, { op: "file_offset", offset });
  } else {
    if (ctx.user) ctx.fail("SYM_ON_UPROBE");
    ctx.emit(program, { op: "symbol", text: place });
    ctx.emit(program, { op: "immediate", value: 0n });
  }
  ctx.emit(program, { op: "dereference", user: false, offset: 0 });
}

function parseDereference(text: string, program: FetchProgram, ctx: ParseContext): void {
  const user = text[1] === "u";
  const signed = user ? text.charAt(0) + text.slice(2) : text;
  const rest = signed.startsWith("+") ? signed.slice(1) : signed;
  const open = rest.indexOf("(");
  if (open < 0) ctx.fail("DEREF_NEED_BRACE");
  const offset = parseSigned(rest.slice(0, open), 0);
  if (typeof offset === "string") ctx.fail("BAD_DEREF_OFFS", offset);
  // The kernel does not count the `u`.
  ctx.offset += open + 1 + (rest.startsWith("-") ? 0 : 1);
  const inner = rest.slice(open + 1);
  const close = inner.lastIndexOf(")");
  if (close < 0) ctx.fail("DEREF_OPEN_BRACE", "EINVAL", inner.length);

  const start = ctx.offset;
  parseExpression(inner.slice(0, close), program, ctx);
  ctx.offset = start;
  const last = program.last;
  if (last?.op === "comm" || last?.op === "text") ctx.fail("COMM_CANT_DEREF");
  // The step has 32 bits for the offset.
  const kept = Number(BigInt.asIntN(32, offset));
  ctx.emit(program, { op: "dereference", user, offset: kept });
  ctx.lastType = undefined;
}

function parseImmediate(text: string, program: FetchProgram, ctx: ParseContext): void {
  if (text.startsWith('"')) return parseText(text.slice(1), program, ctx);
  const value = immediateValue(text);
  if (typeof value === "string") ctx.fail("BAD_IMM", value, 1);
  ctx.emit(program, { op: "immediate", value: BigInt.asUintN(64, value) });
}

function parseText(text: string, program: FetchProgram, ctx: ParseContext): void {
  if (!text.endsWith('"')) ctx.fail("IMMSTR_NO_CLOSE", "EINVAL", 2 + text.length);
  ctx.emit(program, { op: "text", text: text.slice(0, -1) });
}

function immediateValue(text: string): bigint | NumberError {
  if (startsWithDigit(text)) return parseUnsigned(text, 0);
  if (text.startsWith("-")) return parseSigned(text, 0);
  return text.startsWith("+") ? parseSigned(text.slice(1), 0) : "EINVAL";
}
