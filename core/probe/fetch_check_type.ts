import type { FetchExpression } from "./fetch_arg.ts";
import { type Fetch, formatFetch, MAX_FETCH_TEXT } from "./fetch_arg.ts";
import { formatType } from "./fetch_type.ts";
import type { DefinedProbe } from "./probe.ts";

/**
 * Steps that the kernel has for one argument: `FETCH_INSN_MAX` less the end mark
 * (kernel/trace/trace_probe.h).
 */
const MAX_STEPS = 15;

/** Why a probe cannot have an argument. */
export interface Fault {
  readonly reason: string;
  readonly hint?: string;
  /** The piece at fault, as it is written; absent for the whole argument. */
  readonly part?: string;
}

/** A {@link Fault} of what is given. */
export function fault(reason: string, part?: string, hint?: string): Fault {
  return {
    reason,
    ...(hint !== undefined && { hint }),
    ...(part !== undefined && { part }),
  };
}

/** Why the type does not fit the source, on a probe of `kind`. */
export function checkType(
  { fetch, type }: FetchExpression,
  kind: DefinedProbe["kind"],
): Fault | undefined {
  if (type === undefined) return undefined;
  const part = `:${formatType(type)}`;
  const source = formatFetch(fetch);
  const user = kind === "uprobe" || kind === "uretprobe";

  if (fetch.kind === "comm" || fetch.kind === "text") {
    return part === ":string" ? undefined : fault(`${source} is a string and nothing else`, part);
  }
  if (type.kind === "path") return checkPathType(source, type.name, user);
  if (type.kind === "basic" && user && (type.name === "symbol" || type.name === "symstr")) {
    return fault(`Type ${type.name} is of kernel probes only`, part, "Use x64");
  }
  if (type.kind === "basic" && (type.name === "string" || type.name === "ustring")) {
    if (!canBeString(fetch, kind)) {
      const hint = `Read what it points to: +0(${source}):${type.name}`;
      return fault(`${source} is a number, not the text of a string`, part, hint);
    }
  }
  if (type.kind === "basic" && type.name === "symstr") {
    if (!canBeSymbolText(fetch)) {
      return fault(`${source} cannot be shown as a symbol`, part, "Use symbol");
    }
    if (type.count !== undefined) return fault("symstr has no arrays", part, "Use symbol");
  }
  if (type.count !== undefined) {
    if (!isMemory(fetch)) return fault(`${source} is one value; an array needs memory`, part);
    const text = type.kind === "basic" && type.name.endsWith("string");
    if (fetch.kind === "dereference" && fetch.user && !text) {
      return fault("User memory has no arrays of numbers", part, "Write + instead of +u");
    }
  }
  return undefined;
}

/** Whether the kernel has steps enough for the argument; each dereference takes one. */
export function checkDepth({ fetch, type }: FetchExpression): Fault | undefined {
  const text = type?.kind === "basic" &&
    (type.name === "string" || type.name === "ustring" || type.name === "symstr");
  const count = type?.kind === "path" ? undefined : type?.count;
  let steps = sourceSteps(fetch);
  if (type?.kind === "path") steps += type.name === "%pD" ? 3 : 2;
  else if (text) steps += type.name === "symstr" || !isMemory(fetch) || count !== undefined ? 1 : 0;
  else if (!isMemory(fetch)) steps += 1;
  if (type?.kind === "bitfield") steps += 1;
  if (count !== undefined) steps += 1;
  return steps > MAX_STEPS ? fault("Too many dereferences for the kernel") : undefined;
}

/** `%pd` and `%pD` are text macros of kernel probes (`traceprobe_expand_dentry_args()`). */
function checkPathType(source: string, name: "%pd" | "%pD", user: boolean): Fault | undefined {
  const part = `:${name}`;
  if (user) return fault(`Type ${name} is of kernel probes only`, part);
  const added = name === "%pd" ? "+0x0(+0x28()):string" : "+0x0(+0x28(+0x48())):string";
  if (source.length + added.length > MAX_FETCH_TEXT) {
    return fault(`The argument is too long once the kernel has put in ${name}`, part);
  }
  return undefined;
}

/** Steps of the kernel's program that fetch the value, before it is stored. */
function sourceSteps(fetch: Fetch): number {
  switch (fetch.kind) {
    case "address":
    case "file_offset":
      return 2;
    case "symbol":
      return 3;
    case "dereference":
      return sourceSteps(fetch.of) + 1;
    case "variable":
    case "retval":
      return 1 + fetch.members.filter(({ via }) => via === "->").length;
    default:
      return 1;
  }
}

/** Whether the last step reads memory. */
function isMemory(fetch: Fetch): boolean {
  switch (fetch.kind) {
    case "address":
    case "file_offset":
    case "symbol":
    case "dereference":
      return true;
    case "variable":
    case "retval":
      return fetch.members.length > 0;
    default:
      return false;
  }
}

function canBeString(fetch: Fetch, kind: DefinedProbe["kind"]): boolean {
  if (isMemory(fetch) || fetch.kind === "immediate") return true;
  // By BTF the kernel follows a `char *` by itself (`check_prepare_btf_string_fetch()`).
  return fetch.kind === "variable" || fetch.kind === "retval" && kind === "kretprobe";
}

function canBeSymbolText(fetch: Fetch): boolean {
  if (fetch.kind === "stack_address" || fetch.kind === "immediate") return false;
  return !(fetch.kind === "dereference" && fetch.user);
}
