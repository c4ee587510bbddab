import { DefinitionError } from "./error.ts";
import { quote } from "./identifier.ts";
import { parseInteger } from "./number.ts";
import type { FetchArg, KernelPlace, UserPlace } from "./probe.ts";

interface Named {
  readonly group: string;
  readonly event: string;
}

/** A definition as somebody wrote it or a kernel lists it. */
export type ParsedDefinition =
  | Named & {
    readonly kind: "kprobe" | "kretprobe";
    /** An address has no symbol; listings show it hashed. */
    readonly place: KernelPlace | { readonly address: bigint };
    readonly args: readonly FetchArg[];
    readonly maxActive?: number;
  }
  | Named & {
    readonly kind: "uprobe" | "uretprobe";
    readonly place: UserPlace;
    readonly args: readonly FetchArg[];
  }
  | Named & {
    /** What sonde does not define itself: `f`, `t`, `e`, `s` and `u` lines. */
    readonly kind: "fprobe" | "tprobe" | "eprobe" | "synthetic" | "user_event";
    /** What follows the name, with single blanks. */
    readonly text: string;
  };

const OTHER_KINDS = {
  f: { kind: "fprobe", group: "fprobes" },
  t: { kind: "tprobe", group: "tracepoints" },
  e: { kind: "eprobe", group: "eprobes" },
  s: { kind: "synthetic", group: "synthetic" },
  u: { kind: "user_event", group: "user_events" },
} as const;

interface Word {
  readonly text: string;
  readonly at: number;
}

/**
 * Reads a line of `kprobe_events`, `uprobe_events` or `dynamic_events`, as people write it and as
 * kernels list it. Names and fetch arguments are taken as they are: other tools' probes are read
 * too. Group, event and argument names that are left out get the kernel's default.
 *
 * @throws {DefinitionError} with the place in `line`.
 */
export function parseDefinition(line: string): ParsedDefinition {
  // The kernel drops what follows a "#" wherever it stands.
  const text = line.replace(/\n$/, "").replace(/#.*$/, "");
  const bad = /[\n\0]/.exec(text);
  if (bad !== null) {
    throw new DefinitionError(`A definition cannot hold ${quote(bad[0])}`, line, bad.index);
  }
  const words = Array.from(
    text.matchAll(/[^ \t\v\f\r]+/g),
    (match): Word => ({ text: match[0], at: match.index }),
  );
  if (words.length === 0) throw new DefinitionError("There is no definition", line);
  const [head, place, ...args] = words;
  const match = /^([a-z])([0-9][0-9a-zA-Z]*)?(?::(.*))?$/.exec(head.text);
  if (match === null || !"prftesu".includes(match[1])) {
    const hint = head.text.startsWith("-") ? "It deletes one" : "It starts with p or r";
    throw new DefinitionError(`${quote(head.text)} does not define a probe`, line, head.at, hint);
  }
  const [, letter, active, name] = match;
  if (letter !== "p" && letter !== "r") {
    return parseOther(line, head, letter as keyof typeof OTHER_KINDS, name, words.slice(1));
  }
  if (place === undefined) {
    throw new DefinitionError("The definition names no place", line, text.length);
  }
  const fetches = args.map((arg, index) => parseArg(line, arg, index));
  if (place.text.includes("/") && place.text.includes(":")) {
    return parseUprobe(line, letter, name, place, fetches);
  }
  return parseKprobe(line, letter, active, name, place, fetches);
}

/**
 * Whether `listed`, a line that the kernel lists, is what `written` has become there. The kernel
 * puts numbers in a form of its own, adds its default to a kretprobe without a number of active
 * calls, and replaces `%pd` and `%pD`.
 */
export function sameDefinition(written: string, listed: string): boolean {
  const [a, b] = [tryParse(written), tryParse(listed)];
  if (a === undefined || b === undefined) return false;
  if (a.kind !== b.kind || a.group !== b.group || a.event !== b.event) return false;
  if ("text" in a) return "text" in b && a.text === b.text;
  if ("text" in b || !samePlace(a.place, b.place)) return false;
  if ("maxActive" in a && a.maxActive !== ("maxActive" in b ? b.maxActive : undefined)) {
    return false;
  }
  return a.args.length === b.args.length &&
    a.args.every(({ name, fetch }, index) =>
      name === b.args[index].name && sameFetch(fetch, b.args[index].fetch)
    );
}

function tryParse(line: string): ParsedDefinition | undefined {
  try {
    return parseDefinition(line);
  } catch (error) {
    if (error instanceof DefinitionError) return undefined;
    throw error;
  }
}

type Place = KernelPlace | UserPlace | { readonly address: bigint };

function samePlace(a: Place, b: Place): boolean {
  if ("path" in a) {
    return "path" in b && a.path === b.path && a.offset === b.offset &&
      a.refCounter === b.refCounter;
  }
  if ("symbol" in a) {
    return "symbol" in b && a.symbol === b.symbol && a.offset === b.offset &&
      a.module === b.module;
  }
  return "address" in b && a.address === b.address;
}

/** `X:%pd` is listed as `+0x0(+0x28(X)):string`, with the offsets of the kernel's build. */
function sameFetch(written: string, listed: string): boolean {
  if (written === listed) return true;
  const depth = written.endsWith(":%pd") ? 1 : written.endsWith(":%pD") ? 2 : 0;
  if (depth === 0) return false;
  const start = new RegExp(`^\\+0x0\\((\\+0x[0-9a-f]+\\(){${depth}}`).exec(listed)?.[0];
  const rest = `${written.slice(0, -4)}${")".repeat(depth + 1)}:string`;
  return start !== undefined && listed === start + rest;
}

function parseKprobe(
  line: string,
  letter: "p" | "r",
  active: string | undefined,
  name: string | undefined,
  word: Word,
  args: readonly FetchArg[],
): ParsedDefinition {
  const address = parseInteger(word.text);
  const suffix = /%.*$/.exec(word.text);
  if (suffix !== null && suffix[0] !== "%return") {
    const hint = "Only %return may follow the place";
    throw new DefinitionError(`Unknown ${quote(suffix[0])}`, line, word.at + suffix.index, hint);
  }
  const returns = letter === "r" || suffix !== null;
  const place = address === undefined
    ? parseKernelPlace(line, word, word.text.slice(0, suffix?.index))
    : { address };
  const maxActive = active === undefined ? undefined : parseInteger(active);
  if (active !== undefined && (maxActive === undefined || letter === "p")) {
    const reason = letter === "p" ? "Only r takes a number of active calls" : "Not a number";
    throw new DefinitionError(reason, line, line.indexOf(active));
  }
  const auto = "symbol" in place ? kprobeName(returns, place) : undefined;
  return {
    kind: returns ? "kretprobe" : "kprobe",
    ...parseName(line, name, "kprobes", auto),
    place,
    args,
    ...(maxActive !== undefined && { maxActive: Number(maxActive) }),
  };
}

function parseKernelPlace(line: string, word: Word, text: string): KernelPlace {
  const [, module, symbol, digits] = /^(?:([^:]*):)?([^+-]*)([+-].*)?$/.exec(text) ?? [];
  const offset = digits === undefined ? 0n : parseInteger(digits);
  if (!symbol) throw new DefinitionError("The place names no function", line, word.at);
  if (offset === undefined || offset < 0n || offset > 0xffffffffn) {
    throw new DefinitionError(
      `Offset ${quote(digits)} is not +0 to +2^32-1`,
      line,
      word.at + text.length - digits.length,
    );
  }
  return { symbol, offset: Number(offset), ...(module !== undefined && { module }) };
}

function parseUprobe(
  line: string,
  letter: "p" | "r",
  name: string | undefined,
  word: Word,
  args: readonly FetchArg[],
): ParsedDefinition {
  const colon = word.text.lastIndexOf(":");
  const match = /^([0-9][0-9a-zA-Z]*)(%return)?(?:\(([^()]*)\))?$/.exec(word.text.slice(colon + 1));
  const offset = match === null ? undefined : parseInteger(match[1]);
  const counter = match?.[3] === undefined ? 0n : parseInteger(match[3]);
  if (offset === undefined || counter === undefined || counter < 0n) {
    throw new DefinitionError(
      "The path is not followed by an offset in the file",
      line,
      word.at + colon + 1,
      "As in /bin/sh:0x1234, or /bin/sh:0x1234(0x5678) with a reference counter",
    );
  }
  const returns = letter === "r" || match?.[2] !== undefined;
  const path = word.text.slice(0, colon);
  return {
    kind: returns ? "uretprobe" : "uprobe",
    ...parseName(line, name, "uprobes", uprobeName(path, offset)),
    place: { path, offset, ...(counter !== 0n && { refCounter: counter }) },
    args,
  };
}

function parseOther(
  line: string,
  head: Word,
  letter: keyof typeof OTHER_KINDS,
  name: string | undefined,
  rest: readonly Word[],
): ParsedDefinition {
  const { kind, group } = OTHER_KINDS[letter];
  if (!name) throw new DefinitionError("The event has no name", line, head.at);
  // Names of user_events may hold anything, and are followed by flags.
  const named = kind === "user_event"
    ? { group, event: name.replace(/:.*$/, "") }
    : parseName(line, name, group, undefined);
  return { kind, ...named, text: rest.map(({ text }) => text).join(" ") };
}

/** Group and event of `group/event`, `group.event`, `event` or `group/`. */
function parseName(
  line: string,
  name: string | undefined,
  defaultGroup: string,
  auto: string | undefined,
): Named {
  const text = name ?? "";
  const slash = text.indexOf("/");
  const split = slash < 0 ? text.indexOf(".") : slash;
  const group = split < 0 ? defaultGroup : text.slice(0, split);
  const event = text.slice(split + 1) || auto;
  if (event === undefined) {
    const hint = "Write :group/event after the first letter";
    throw new DefinitionError("The event has no name", line, 0, hint);
  }
  return { group, event };
}

/** The kernel's own name of a kprobe event (`sanitize_event_name()`, kernel/trace/trace.h). */
function kprobeName(returns: boolean, { symbol, offset, module }: KernelPlace): string {
  const name = `${returns ? "r" : "p"}_${
    module === undefined ? "" : `${module}:`
  }${symbol}_${offset}`;
  return name.slice(0, 63).replace(/[:.*]/g, "_");
}

/** The kernel's own name of a uprobe event, entry or return. */
function uprobeName(path: string, offset: bigint): string {
  const base = path.slice(path.lastIndexOf("/") + 1).replace(/[-._].*$/, "");
  return `p_${base}_0x${offset.toString(16)}`.slice(0, 63);
}

function parseArg(line: string, { text, at }: Word, index: number): FetchArg {
  const equals = text.indexOf("=");
  if (equals === 0) throw new DefinitionError("An argument has no name", line, at);
  if (equals === text.length - 1) throw new DefinitionError("The argument is empty", line, at);
  if (equals > 0) return { name: text.slice(0, equals), fetch: text.slice(equals + 1) };
  const before = text.replace(/:.*$/, "");
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(before) ? before : `arg${index + 1}`;
  return { name, fetch: text };
}
