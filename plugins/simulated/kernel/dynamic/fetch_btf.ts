/**
 * Fetch arguments that name a parameter or a member of what it points to
 * (`file->f_inode->i_ino`), for kernels with BTF (kernel/trace/trace_probe.c,
 * CONFIG_PROBE_EVENTS_BTF_ARGS).
 * @module
 */
import { type BtfType, fetchTypeName, findMember, isCharacter, isCharacterPointer } from "./btf.ts";
import type { ParseContext } from "./fetch_context.ts";
import type { FetchProgram, FetchStep } from "./fetch_program.ts";
import { DEFAULT_FETCH_TYPE, type FetchType, findFetchType } from "./fetch_type.ts";

interface SplitName {
  readonly name: string;
  /** What follows the separator; absent if there is none. */
  readonly rest?: { readonly text: string; readonly start: number; readonly arrow: boolean };
}

function splitName(text: string, ctx: ParseContext): SplitName {
  const at = text.search(/[.-]/);
  if (at < 0) return { name: text };
  const arrow = text.startsWith("->", at);
  if (!arrow && text[at] !== ".") ctx.fail("BAD_HYPHEN", "EINVAL", at);
  const start = at + (arrow ? 2 : 1);
  return { name: text.slice(0, at), rest: { text: text.slice(start), start, arrow } };
}

/** How the parameter at `index` is read, at the entry or at the return. */
function argumentStep(index: number, ctx: ParseContext): FetchStep {
  if (ctx.site === "return") return { op: "entry_argument", index };
  return { op: "argument", index: ctx.tracepoint ? index + 1 : index };
}

/**
 * Parses a parameter name, or `$retval`, with members after it.
 *
 * @throws {KernelError} if BTF has no such thing (ENOENT), or the text is no such expression
 */
export function parseBtfVariable(text: string, program: FetchProgram, ctx: ParseContext): void {
  const { name, rest } = splitName(text, ctx);
  if (rest !== undefined && !rest.arrow) ctx.fail("NOSUP_DAT_ARG", "EOPNOTSUPP", rest.start);
  const type = ctx.isReturn && name === "$retval"
    ? parseReturnValue(rest?.start, program, ctx)
    : parseParameter(name, program, ctx);
  if (type === undefined) return;
  ctx.lastType = type;
  ctx.lastBitOffset = 0;
  ctx.lastBitSize = 0;
  if (rest === undefined) return;
  ctx.offset += rest.start;
  parseMembers(rest.text, type, program, ctx);
}

/** The type of the return value; nothing if BTF does not know the function. */
function parseReturnValue(
  members: number | undefined,
  program: FetchProgram,
  ctx: ParseContext,
): BtfType | undefined {
  ctx.emit(program, { op: "return_value" });
  const returns = ctx.prototype()?.returns;
  if (returns?.kind === "void") ctx.fail("NO_RETVAL", "ENOENT");
  if (returns === undefined && members !== undefined) {
    ctx.fail("NO_BTF_ENTRY", "ENOENT", members);
  }
  return returns;
}

function parseParameter(name: string, program: FetchProgram, ctx: ParseContext): BtfType {
  const known = ctx.hasPrototype;
  const params = ctx.prototype()?.params ?? [];
  // A prototype that an earlier argument needed is searched even if it is empty.
  if (!known && params.length === 0) ctx.fail("NO_BTF_ENTRY", "ENOENT");
  const index = params.findIndex((param) => param.name === name);
  const param = params[index];
  if (param === undefined) ctx.fail("NO_BTFARG", "ENOENT");
  ctx.emit(program, argumentStep(index, ctx));
  return param.type;
}

function parseMembers(
  text: string,
  pointer: BtfType,
  program: FetchProgram,
  ctx: ParseContext,
): void {
  let type = pointer;
  for (let left: string | undefined = text; left !== undefined;) {
    if (type.kind !== "pointer") ctx.fail("NO_PTR_STRCT");
    type = type.target;
    let bits = 0;
    let arrow = false;
    do {
      const { name, rest }: SplitName = splitName(left, ctx);
      if (type.kind !== "struct") ctx.fail("BAD_BTF_TID");
      const found = findMember(type, name);
      if (found === undefined) ctx.fail("NO_BTF_FIELD", "ENOENT");
      bits += found.bitOffset;
      ctx.lastBitSize = found.member.bitSize ?? 0;
      type = found.member.type;
      // Behind the last member the kernel subtracts from a null pointer here: carets
      // of later errors stand anywhere. They stay at the member in this model.
      ctx.offset += rest?.start ?? 0;
      arrow = rest?.arrow ?? false;
      left = rest?.text;
    } while (!arrow && left !== undefined);
    ctx.emit(program, { op: "dereference", user: false, offset: Math.trunc(bits / 8) | 0 });
    ctx.lastBitOffset = bits % 8;
    ctx.lastType = type;
  }
}

/** The fetch type of the variable that was parsed last. */
export function fetchTypeOfLast(ctx: ParseContext): FetchType {
  const type = ctx.lastType;
  const name = type && fetchTypeName(type);
  if (type?.kind === "int" && !type.signed && ![8, 16, 32, 64].includes(type.bits)) {
    ctx.lastBitSize = type.bits;
    ctx.lastBitOffset += type.bitOffset ?? 0;
  }
  const where = { version: ctx.host.version, user: ctx.user };
  return (name && findFetchType(name, where)) || DEFAULT_FETCH_TYPE;
}

/** Follows a pointer to characters for a string type; an array of them is where it is. */
export function prepareString(typeText: string, program: FetchProgram, ctx: ParseContext): void {
  const type = ctx.lastType;
  if (type === undefined) return;
  if (type.kind === "array" && isCharacter(type.element)) return;
  if (!isCharacterPointer(type, ctx.host.characterTypeIds)) ctx.fail("BAD_TYPE4STR");
  const user = typeText.startsWith("u");
  ctx.emit(program, { op: "dereference", user, offset: 0 }, "E2BIG");
}

/** Cuts a bitfield member out of what is stored, if the member is one. */
export function storeBitfieldMember(program: FetchProgram, ctx: ParseContext): void {
  if (ctx.lastBitSize % 8 === 0 && ctx.lastBitOffset === 0) return;
  ctx.emit(program, {
    op: "bitfield",
    size: 8,
    left: (64 - (ctx.lastBitSize + ctx.lastBitOffset)) & 0xff,
    right: (64 - ctx.lastBitSize) & 0xff,
  });
}
