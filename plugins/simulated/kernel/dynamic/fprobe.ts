/**
 * `f` lines, on the entry or return of functions, and `t` lines, on tracepoints:
 * 6.12 with CONFIG_FPROBE_EVENTS (kernel/trace/trace_fprobe.c, kernel/trace/fprobe.c).
 * @module
 */
import { madeUpEventName, splitWords, startsWithDigit } from "./ctype.ts";
import { parseEventName } from "./event_name.ts";
import { ParseContext } from "./fetch_context.ts";
import { type FtraceFilter, parseFtraceFilter } from "./glob.ts";
import type { DynamicHost } from "./host.ts";
import { failRegister, parseAll } from "./kprobe.ts";
import { nameIn, parseMaxActive } from "./max_active.ts";
import { expandArguments } from "./meta_arguments.ts";
import { parseUnsigned } from "./numbers.ts";
import { addProbe, type RegisteredProbe } from "./probe_entry.ts";
import { ProbeLog, refuse } from "./probe_log.ts";
import type { DynamicParser, Registry } from "./registry.ts";
import { resolveSymbols } from "./symbols.ts";

/** Characters of a place that a delete command is compared with (`MAX_ARGSTR_LEN`). */
const MAX_PLACE = 63;

/** The parser of fprobe and tracepoint probe events. */
export function fprobeParser(registry: Registry): DynamicParser {
  const hooked = new Set<string>();
  const parser: DynamicParser = {
    name: "fprobe",
    create: (line) => create(splitWords(line), parser, registry, hooked),
  };
  return parser;
}

/** A definition as far as it does not depend on the kind of probe. */
interface Definition {
  readonly kind: "fprobe" | "tprobe";
  readonly symbol: string;
  readonly isReturn: boolean;
  readonly maxActive: number;
}

function create(
  words: readonly string[],
  parser: DynamicParser,
  registry: Registry,
  hooked: Set<string>,
): "not mine" | void {
  const [first, place] = words;
  if (first === undefined) return;
  if (!/^[ft]/.test(first) || place === undefined) return "not mine";
  const { host } = registry;
  const log = new ProbeLog(registry.errors, "trace_fprobe", words);
  const kind: Definition["kind"] = first.startsWith("t") ? "tprobe" : "fprobe";
  const maxActive = parseMaxActive(first, log);
  log.index = 1;
  const { symbol, isReturn } = kind === "tprobe"
    ? parseTracepoint(words, log)
    : parseFunction(words, log);
  log.index = 0;
  if (!isReturn && maxActive > 0) log.fail(1, "BAD_MAXACT_TYPE");
  const name = nameIn(first);
  const given = name === undefined ? {} : parseEventName(name.text, name.start, log);
  const definition = { kind, symbol, isReturn, maxActive } as const;
  const group = given.group ?? (kind === "tprobe" ? "tracepoints" : "fprobes");
  const event = given.event ?? madeUpName(definition);
  const ctx = parseContext(definition, host, log);
  const probeArguments = parseAll(expandArguments(words.slice(2), ctx), ctx);
  const parsed = { kind, group, event, isReturn, arguments: probeArguments } as const;
  addProbe(registry, parser, parsed, log, {
    place: kind === "tprobe" ? { kind, tracepoint: symbol } : { kind, symbol },
    register: () => {
      const error = resolveSymbols(host, probeArguments);
      if (error !== undefined) failRegister(error, log);
      return kind === "tprobe"
        ? registerOnTracepoint(host, symbol, hooked, log)
        : registerOnFunctions(host, definition, log);
    },
  });
}

interface ParsedPlace {
  readonly symbol: string;
  readonly isReturn: boolean;
}

/** The first argument that fetches the return value, and where in it: that makes a probe one of returns. */
function findReturnValue(words: readonly string[]): { index: number; offset: number } | undefined {
  for (const [i, word] of words.entries()) {
    if (i < 2) continue;
    const offset = word.indexOf("$retval");
    const next = word.charAt(offset + 7);
    // The letters are those of isalnum(): bytes above 127 among them.
    if (offset >= 0 && !/[A-Za-z0-9_\xc0-\xd6\xd8-\xf6\xf8-\xff]/.test(next)) {
      return { index: i, offset };
    }
  }
  return undefined;
}

function parseFunction(words: readonly string[], log: ProbeLog): ParsedPlace {
  const [, text = ""] = words;
  const percent = text.indexOf("%");
  if (percent < 0) return { symbol: text, isReturn: findReturnValue(words) !== undefined };
  if (text.slice(percent) !== "%return") log.fail(percent, "BAD_ADDR_SUFFIX");
  return { symbol: text.slice(0, percent), isReturn: true };
}

function parseTracepoint(words: readonly string[], log: ProbeLog): ParsedPlace {
  const [, text = ""] = words;
  const percent = text.indexOf("%");
  if (percent >= 0) log.fail(percent, "BAD_ADDR_SUFFIX");
  const wrong = text.search(/[^A-Za-z0-9_\xc0-\xd6\xd8-\xf6\xf8-\xff]/);
  if (wrong >= 0) log.fail(wrong, "BAD_TP_NAME");
  const value = findReturnValue(words);
  if (value !== undefined) {
    log.index = value.index;
    log.fail(value.offset, "RETVAL_ON_PROBE");
  }
  return { symbol: text, isReturn: false };
}

function madeUpName(definition: Definition): string {
  const { kind, symbol, isReturn } = definition;
  const text = kind === "tprobe"
    ? `${startsWithDigit(symbol) ? "_" : ""}${symbol}`
    : `${symbol}__${isReturn ? "exit" : "entry"}`;
  return madeUpEventName(text);
}

function parseContext(definition: Definition, host: DynamicHost, log: ProbeLog): ParseContext {
  const { kind, symbol, isReturn } = definition;
  const site = isReturn ? "return" : "entry";
  if (kind === "fprobe") {
    return new ParseContext({ host, log, site, hooked: true, functionName: symbol });
  }
  const tracepoint = host.tracepoint(symbol);
  return new ParseContext({
    host,
    log,
    site,
    hooked: true,
    tracepoint: true,
    // The kernel asks BTF for the stub of a tracepoint, or for a function with the
    // name of one that it does not know.
    functionName: tracepoint === undefined ? symbol : undefined,
    stub: tracepoint?.prototype,
  });
}

/**
 * Puts a probe on a tracepoint. The kernel hooks a tracepoint with its stub, and
 * that can be done once; it stays hooked if the stub itself cannot be.
 *
 * @throws {KernelError} EEXIST if the tracepoint is hooked, and nothing is logged;
 * EINVAL if its stub cannot be
 */
function registerOnTracepoint(
  host: DynamicHost,
  name: string,
  hooked: Set<string>,
  log: ProbeLog,
): RegisteredProbe {
  const tracepoint = host.tracepoint(name);
  const known = tracepoint !== undefined;
  if (known) {
    if (hooked.has(name)) refuse("EEXIST");
    hooked.add(name);
    if (!tracepoint.traceable) failRegister("EINVAL", log);
  }
  return {
    place: { kind: "tprobe", tracepoint: name, known },
    head: "t",
    placeText: name,
    matchesPlace: (word) => word === name.slice(0, MAX_PLACE),
    onFree: () => known && hooked.delete(name),
  };
}

function registerOnFunctions(
  host: DynamicHost,
  definition: Definition,
  log: ProbeLog,
): RegisteredProbe {
  const { symbol, isReturn, maxActive } = definition;
  const filter = parseFtraceFilter(symbol);
  const addresses = matchFunctions(host, filter);
  // A filter that takes functions away leaves none to follow; at the entry that is no error.
  if (addresses === undefined || (filter.not && isReturn && maxActive === 0)) {
    failRegister("EINVAL", log);
  }
  return {
    place: { kind: "fprobe", symbol, addresses: filter.not ? [] : addresses, maxActive },
    head: `f${isReturn && maxActive > 0 ? maxActive : ""}`,
    placeText: `${symbol}${isReturn ? "%return" : ""}`,
    matchesPlace: (word) => word === symbol.slice(0, MAX_PLACE),
  };
}

/** Addresses of the functions that a filter matches; nothing if there are none (`ftrace_set_filter`). */
function matchFunctions(host: DynamicHost, filter: FtraceFilter): bigint[] | undefined {
  const found = [...matching(host, filter)].map((symbol) => symbol.address);
  return found.length === 0 ? undefined : found;
}

function* matching(host: DynamicHost, filter: FtraceFilter) {
  if (filter.kind === "name") {
    yield* host.symbols(filter.name).filter((symbol) =>
      symbol.traceable && host.symbolAt(symbol.address)?.name === symbol.name
    );
    return;
  }
  const wanted = filter.kind === "index" ? parseUnsigned(filter.text, 0) : undefined;
  let index = 0n;
  for (const symbol of host.traceableFunctions()) {
    index++;
    if (filter.kind === "index" ? index === wanted : filter.test(symbol.name)) yield symbol;
  }
}
