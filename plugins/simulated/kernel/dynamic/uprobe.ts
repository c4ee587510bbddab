/**
 * `p` and `r` lines on user code: `uprobe_events` (kernel/trace/trace_uprobe.c).
 * @module
 */
import { MAX_EVENT_NAME_LEN, splitWords, startsWithDigit } from "./ctype.ts";
import { parseEventName } from "./event_name.ts";
import type { Place } from "./event.ts";
import { MAX_ARGUMENTS } from "./fetch_argument.ts";
import { ParseContext } from "./fetch_context.ts";
import type { DynamicHost } from "./host.ts";
import { parseAll } from "./kprobe.ts";
import { parseUnsigned } from "./numbers.ts";
import { addProbe, type RegisteredProbe } from "./probe_entry.ts";
import { ProbeLog, refuse } from "./probe_log.ts";
import type { DynamicParser, Registry } from "./registry.ts";

/** Characters of an offset that a delete command is compared with (`MAX_ARGSTR_LEN`). */
const MAX_OFFSET_TEXT = 63;

type UprobePlace = Extract<Place, { kind: "uprobe" }>;

/** The parser of uprobe events. */
export function uprobeParser(registry: Registry): DynamicParser {
  const counters = new CounterTable();
  const parser: DynamicParser = {
    name: "uprobe",
    create: (line) => create(splitWords(line), parser, registry, counters),
  };
  return parser;
}

/** All probes at one place of a file must have the same reference counter. */
class CounterTable {
  readonly #counters = new Map<string, { readonly refCounter: bigint; users: number }>();

  /** @throws {KernelError} EINVAL if a probe there has another counter; nothing is logged */
  check(place: UprobePlace): void {
    const known = this.#counters.get(keyOf(place));
    if (known !== undefined && known.refCounter !== place.refCounter) refuse("EINVAL");
  }

  add(place: UprobePlace): void {
    const known = this.#counters.get(keyOf(place));
    if (known !== undefined) known.users++;
    else this.#counters.set(keyOf(place), { refCounter: place.refCounter, users: 1 });
  }

  remove(place: UprobePlace): void {
    const known = this.#counters.get(keyOf(place));
    if (known !== undefined && --known.users === 0) this.#counters.delete(keyOf(place));
  }
}

function keyOf(place: UprobePlace): string {
  return `${place.offset} ${place.inode}`;
}

function create(
  words: readonly string[],
  parser: DynamicParser,
  registry: Registry,
  counters: CounterTable,
): "not mine" | void {
  const [first, where] = words;
  if (first === undefined) return;
  if (!/^[pr]/.test(first) || where === undefined) return "not mine";
  const { host } = registry;
  const old = host.version === "6.1";
  if (!old && words.length - 2 > MAX_ARGUMENTS) refuse("E2BIG");
  const colon = where.lastIndexOf(":");
  if (!where.includes("/") || colon < 0 || !startsWithDigit(where.slice(colon + 1))) {
    return "not mine";
  }
  const log = new ProbeLog(registry.errors, "trace_uprobe", words);
  log.index = 1;
  const { place, isReturn } = parsePlace(where, colon, first.startsWith("r"), host, log);
  log.index = 0;
  // Only a `:` right behind the letter starts a name; other text is ignored.
  const given = first[1] === ":" ? parseEventName(first.slice(2), 2, log) : {};
  const group = given.group ?? "uprobes";
  const event = given.event ?? madeUpName(place);
  const ctx = new ParseContext({ host, log, site: isReturn ? "user_return" : "user" });
  const probeArguments = parseAll(words.slice(2, 2 + MAX_ARGUMENTS), ctx);
  counters.check(place);
  const parsed = { kind: "uprobe", group, event, isReturn, arguments: probeArguments } as const;
  addProbe(registry, parser, parsed, log, {
    place,
    register: () => register(place, isReturn, counters),
  });
}

function parsePlace(
  text: string,
  colon: number,
  returnAsked: boolean,
  host: DynamicHost,
  log: ProbeLog,
): { readonly place: UprobePlace; readonly isReturn: boolean } {
  const path = text.slice(0, colon);
  const file = host.lookupPath(path);
  if (typeof file === "string") log.fail(0, "FILE_NOT_FOUND", file);
  if (!file.regular) log.fail(0, "NO_REGULAR_FILE");
  const start = colon + 1;
  const open = text.indexOf("(", start);
  const refCounter = open < 0 ? 0n : parseRefCounter(text, open, log);
  const end = open < 0 ? text.length : open;
  const percent = text.slice(start, end).indexOf("%");
  const suffix = percent < 0 ? "" : text.slice(start + percent, end);
  if (suffix !== "" && suffix !== "%return") log.fail(start + percent, "BAD_ADDR_SUFFIX");
  const offset = parseUnsigned(text.slice(start, end - suffix.length), 0);
  if (typeof offset === "string") log.fail(start, "BAD_UPROBE_OFFS", offset);
  const place = { kind: "uprobe", path, inode: file.inode, offset, refCounter } as const;
  return { place, isReturn: returnAsked || suffix !== "" };
}

function parseRefCounter(text: string, open: number, log: ProbeLog): bigint {
  const close = text.indexOf(")", open);
  if (close < 0) log.fail(text.length, "REFCNT_OPEN_BRACE");
  if (close !== text.length - 1) log.fail(close + 1, "BAD_REFCNT_SUFFIX");
  const value = parseUnsigned(text.slice(open + 1, close), 0);
  if (typeof value === "string") log.fail(open + 1, "BAD_REFCNT", value);
  return value;
}

function madeUpName(place: UprobePlace): string {
  const file = place.path.slice(place.path.lastIndexOf("/") + 1);
  const stem = file.split(/[.\-_]/, 1)[0] ?? "";
  return `p_${stem}_0x${place.offset.toString(16)}`.slice(0, MAX_EVENT_NAME_LEN - 1);
}

function register(
  place: UprobePlace,
  isReturn: boolean,
  counters: CounterTable,
): RegisteredProbe {
  counters.add(place);
  const counter = place.refCounter === 0n ? "" : `(0x${place.refCounter.toString(16)})`;
  const offset = `0x${place.offset.toString(16).padStart(16, "0")}${counter}`;
  return {
    place,
    head: isReturn ? "r" : "p",
    placeText: `${place.path}:${offset}`,
    matchesPlace: (word) => word === `${place.path}:${offset.slice(0, MAX_OFFSET_TEXT)}`,
    onFree: () => counters.remove(place),
  };
}
