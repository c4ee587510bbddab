/**
 * What the kernel would say of a fetch argument, told without a kernel.
 *
 * The rules are those of `parse_probe_arg()`, `parse_probe_vars()`, `find_fetch_type()` and
 * `finalize_fetch_insn()` in kernel/trace/trace_probe.c.
 * @module
 */

import { DefinitionError } from "./error.ts";
import {
  type Fetch,
  type FetchExpression,
  formatFetch,
  formatFetchArg,
  MAX_FETCH_TEXT,
  parseFetchArg,
} from "./fetch_arg.ts";
import { checkDepth, checkType, type Fault, fault } from "./fetch_check_type.ts";
import { lowerForUprobe } from "./lower.ts";
import type { DefinedProbe } from "./probe.ts";
import {
  type Arch,
  argumentRegisterCount,
  isRegister,
  similarRegister,
  stackArgument,
} from "./registers.ts";

export type { Fault } from "./fetch_check_type.ts";

/** Most words of the stack that a kernel probe reads (`PARAM_MAX_STACK`: 16 KiB of 8 bytes). */
const MAX_STACK = 2048;

/** The kernel keeps the offset of a dereference in an `int` and drops the rest without a word. */
const MAX_OFFSET = 1n << 31n;

/** What is known of the place and the machine of a probe. */
export interface CheckOptions {
  /** Registers of any known architecture are taken, and six arguments, if it is absent. */
  readonly arch?: Arch;
  /** Bytes from the start of the function; 0 if absent. */
  readonly offset?: number;
  /** As `uname -r` prints it; what a newer kernel may have is not refused if it is absent. */
  readonly release?: string;
}

/** Why a probe of `kind` cannot have this argument, or undefined if it can. */
export function checkFetchArg(
  expression: FetchExpression,
  kind: DefinedProbe["kind"],
  options: CheckOptions = {},
): Fault | undefined {
  const length = formatFetchArg(expression).length;
  if (length > MAX_FETCH_TEXT) {
    return fault(`A fetch argument has at most ${MAX_FETCH_TEXT} characters, not ${length}`);
  }
  return checkFetch(expression.fetch, kind, options) ??
    checkType(expression, kind) ??
    checkDepth(expression);
}

/**
 * A fetch argument that somebody wrote for a probe of `kind`, as it is to be written to the
 * kernel: `$argN` of a uprobe becomes a register if `options.arch` is given, all else stays.
 *
 * @throws {DefinitionError} with the place in `text`.
 */
export function prepareFetchArg(
  text: string,
  kind: DefinedProbe["kind"],
  options: CheckOptions = {},
): string {
  const { arch } = options;
  const written = parseFetchArg(text);
  const expression = kind === "uprobe" && arch !== undefined
    ? lowerForUprobe(written, arch, text)
    : written;
  const found = checkFetchArg(expression, kind, options);
  if (found !== undefined) {
    const at = found.part === undefined ? 0 : Math.max(0, text.indexOf(found.part));
    throw new DefinitionError(found.reason, text, at, found.hint);
  }
  return expression === written ? text : formatFetchArg(expression);
}

function checkFetch(
  fetch: Fetch,
  kind: DefinedProbe["kind"],
  options: CheckOptions,
): Fault | undefined {
  const user = kind === "uprobe" || kind === "uretprobe";
  const returns = kind === "kretprobe" || kind === "uretprobe";
  const part = formatFetch(fetch);
  switch (fetch.kind) {
    case "argument":
      return checkArgument(fetch.index, kind, options);
    case "all_arguments":
      return fault("$arg* has no name and no place here", part, "Capture each argument by itself");
    case "retval":
      if (!returns) {
        const hint = `Use a ${user ? "uretprobe" : "kretprobe"}`;
        return fault("$retval exists only when the function returns", "$retval", hint);
      }
      return user && fetch.members.length > 0
        ? fault("Members of what $retval points to need BTF, which only the kernel has", part)
        : undefined;
    case "stack":
      return !user && fetch.index > MAX_STACK
        ? fault(`The kernel's stack has ${MAX_STACK} words`, part)
        : undefined;
    case "register":
      return checkRegister(fetch.name, options.arch);
    case "symbol":
      return user
        ? fault("A uprobe has no symbols", part, "Write @address, or @+offset in the file")
        : undefined;
    case "file_offset":
      return user ? undefined : fault("Only a uprobe has offsets in a file", part);
    case "variable":
      if (user) {
        return fault(
          `"${part}" needs BTF, which only the kernel has`,
          part,
          "Write $arg1, a register or memory",
        );
      }
      return checkEntry(part, kind, options) ??
        (isOlder(options.release, 6, 5)
          ? fault(`Linux ${options.release} has no names of parameters`, part, "Write $argN")
          : undefined);
    case "dereference":
      if (fetch.of.kind === "comm" || fetch.of.kind === "text") {
        return fault(`${formatFetch(fetch.of)} is text, not an address`, formatFetch(fetch.of));
      }
      if (fetch.offset >= MAX_OFFSET || fetch.offset < -MAX_OFFSET) {
        return fault(`Offset ${fetch.offset} does not fit 32 bits`, part);
      }
      return checkFetch(fetch.of, kind, options);
    case "stack_address":
    case "comm":
    case "address":
    case "immediate":
    case "text":
      return undefined;
  }
}

function checkArgument(
  index: number,
  kind: DefinedProbe["kind"],
  options: CheckOptions,
): Fault | undefined {
  const part = `$arg${index}`;
  const { arch = "x86-64" } = options;
  if (index === 0) return fault("Arguments are counted from 1", part, "Write $arg1");
  if (kind === "uretprobe") {
    const hint = "Capture it with a uprobe at the entry";
    return fault(`${part} is gone when the function returns`, part, hint);
  }
  if (kind === "uprobe") {
    return fault(`The kernel has no ${part} for a uprobe`, part, "Write the register, such as %di");
  }
  if (index > argumentRegisterCount(arch)) {
    const hint = kind === "kprobe"
      ? `At the entry of a function it is ${stackArgument(index, arch)}`
      : undefined;
    const count = argumentRegisterCount(arch);
    return fault(`${part} is past the ${count} arguments that are in registers`, part, hint);
  }
  return checkEntry(part, kind, options);
}

/** Arguments are there at the entry of a kernel function, and since 6.9 at its return. */
function checkEntry(
  part: string,
  kind: DefinedProbe["kind"],
  options: CheckOptions,
): Fault | undefined {
  // `kprobe_on_func_entry()` counts what is after a 4-byte landing pad as the entry (endbr, bti).
  if ((options.offset ?? 0) > 4) {
    const hint = "Write a register, or put the probe at the start of the function";
    return fault(`${part} is known only at the start of a function`, part, hint);
  }
  if (kind === "kretprobe" && isOlder(options.release, 6, 9)) {
    const hint = "Linux 6.9 is the first; capture it with a kprobe at the entry";
    return fault(`Linux ${options.release} has no arguments at the return`, part, hint);
  }
  return undefined;
}

function checkRegister(name: string, arch: Arch | undefined): Fault | undefined {
  if (isRegister(name, arch)) return undefined;
  const meant = similarRegister(name, arch);
  const where = arch === undefined ? "The kernel" : `The kernel on ${arch}`;
  const hint = meant && `The kernel calls it %${meant}`;
  return fault(`${where} has no register %${name}`, `%${name}`, hint);
}

/** Whether kernel `release` comes before version `major`.`minor`; false if it is not known. */
function isOlder(release: string | undefined, major: number, minor: number): boolean {
  const version = /^(\d+)\.(\d+)/.exec(release ?? "");
  if (version === null) return false;
  return Number(version[1]) < major ||
    Number(version[1]) === major && Number(version[2]) < minor;
}
