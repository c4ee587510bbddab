/**
 * Arguments that stand for others, rewritten before they are parsed: `$arg*` and
 * `$argN` become parameter names where BTF knows the function, `:%pd` and `:%pD`
 * the name in a `struct dentry` or `struct file` (6.12, kernel/trace/trace_probe.c).
 * @module
 */
import { startsWithDigit } from "./ctype.ts";
import { MAX_ARGUMENTS } from "./fetch_argument.ts";
import type { ParseContext } from "./fetch_context.ts";
import { scanUnsigned } from "./numbers.ts";
import { refuse } from "./probe_log.ts";

/** Bytes for the names that `$arg*` and `$argN` turn into, each with its NUL (`MAX_BTF_ARGS_LEN`). */
const MAX_NAMES = 128;
/** Bytes for what `%pd` and `%pD` turn into, each with its NUL (`MAX_DENTRY_ARGS_LEN`). */
const MAX_DENTRY = 256;

/** Words of a command before its first argument: name and place. */
const ARGUMENTS_START = 2;

/**
 * Rewrites the arguments of a probe on a function.
 *
 * @throws {KernelError} if one is out of place or out of range, E2BIG for more than
 * 128 of them
 */
export function expandArguments(words: readonly string[], ctx: ParseContext): string[] {
  const expanded = expandFunctionArguments(words, ctx);
  const all = expanded ?? words;
  if (all.length > MAX_ARGUMENTS) refuse("E2BIG");
  const rewritten = expandDentryArguments(all, ctx);
  // Errors show arguments as they were before the first step, but after the second.
  if (expanded === undefined) ctx.log.rewrite(ARGUMENTS_START, rewritten);
  return rewritten;
}

/**
 * Rewrites `$arg*` and `$argN` (`traceprobe_expand_meta_args`); nothing if there are
 * none, or if BTF does not know the function: then `$argN` is a register.
 */
function expandFunctionArguments(
  words: readonly string[],
  ctx: ParseContext,
): string[] | undefined {
  const star = findVariables(words, ctx);
  if (star === undefined) return undefined;
  const params = ctx.prototype()?.params ?? [];
  if (params.length === 0) {
    if (star.index < 0) return undefined;
    ctx.log.fail(0, "NOSUP_BTFARG", "EOPNOTSUPP");
  }
  let left = MAX_NAMES;
  const name = (index: number, type: string): string => {
    const param = params[index];
    if (param === undefined) ctx.log.fail(0, "NO_BTFARG", "ENOENT");
    const text = param.name + type;
    if (text.length >= left) ctx.log.fail(0, "ARGS_2LONG", "E2BIG");
    left -= text.length + 1;
    return text;
  };
  return words.flatMap((word, i) => {
    ctx.log.index = i + ARGUMENTS_START;
    if (i === star.index) return params.map((_, index) => name(index, ""));
    if (!word.startsWith("$arg")) return [word];
    const { value, rest } = scanUnsigned(word.slice(4), 10);
    if (rest !== "" && !rest.startsWith(":")) ctx.log.fail(0, "BAD_VAR", "ENOENT");
    // The kernel keeps the number in an int.
    const number = Number(BigInt.asIntN(32, value));
    if (number === 0) ctx.log.fail(0, "BAD_ARG_NUM");
    return [name(number - 1, rest)];
  });
}

/** Where `$arg*` is, -1 for nowhere; nothing if there is no `$arg` at all. */
function findVariables(
  words: readonly string[],
  ctx: ParseContext,
): { readonly index: number } | undefined {
  let found = false;
  let index = -1;
  for (const [i, word] of words.entries()) {
    if (!word.startsWith("$arg")) continue;
    ctx.log.index = i + ARGUMENTS_START;
    if (ctx.site !== "entry" && ctx.site !== "return") ctx.log.fail(0, "NOFENTRY_ARGS");
    found = true;
    if (startsWithDigit(word.slice(4))) continue;
    if (word[4] !== "*") ctx.log.fail(0, "BAD_VAR");
    if (index >= 0) ctx.log.fail(0, "DOUBLE_ARGS");
    index = i;
  }
  return found ? { index } : undefined;
}

/** Rewrites `:%pd` and `:%pD` at the end of an argument (`traceprobe_expand_dentry_args`). */
function expandDentryArguments(words: readonly string[], ctx: ParseContext): string[] {
  const { dentryNameOffset, fileDentryOffset } = ctx.host;
  let left = MAX_DENTRY;
  return words.map((word) => {
    if (!/:%p[dD]$/.test(word)) return word;
    const equals = word.indexOf("=");
    const name = word.slice(0, equals + 1);
    const pointer = word.slice(equals + 1, -4);
    const dentry = word.endsWith("d") ? pointer : `+0x${fileDentryOffset.toString(16)}(${pointer})`;
    const text = `${name}+0x0(+0x${dentryNameOffset.toString(16)}(${dentry})):string`;
    if (text.length >= left) refuse("ENOMEM");
    left -= text.length + 1;
    return text;
  });
}
