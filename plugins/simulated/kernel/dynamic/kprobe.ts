/**
 * `p` and `r` lines on kernel code: `kprobe_events` (kernel/trace/trace_kprobe.c).
 * @module
 */
import { type ErrnoCode } from "../../../../core/kernel/errno.ts";
import { madeUpEventName, splitWords } from "./ctype.ts";
import { parseEventName } from "./event_name.ts";
import { MAX_ARGUMENTS, parseArgument } from "./fetch_argument.ts";
import { ParseContext, type ProbeSite } from "./fetch_context.ts";
import type { ProbeArgument } from "./fetch_program.ts";
import type { DynamicHost } from "./host.ts";
import {
  checkSymbol,
  defaultMaxActive,
  isNotrace,
  type KprobeTarget,
  moduleOf,
  registerKprobe,
  resolveKprobe,
} from "./kprobe_address.ts";
import { hasMaxActive, nameIn, parseMaxActive } from "./max_active.ts";
import { expandArguments } from "./meta_arguments.ts";
import { parseSigned, parseUnsigned } from "./numbers.ts";
import { addProbe, type RegisteredProbe } from "./probe_entry.ts";
import type { ProbeErrorCode } from "./probe_errors.ts";
import { ProbeLog } from "./probe_log.ts";
import type { DynamicParser, Registry } from "./registry.ts";
import { resolveSymbols } from "./symbols.ts";

const U32_MAX = 0xffffffffn;
/** Characters of a place that a delete command is compared with (`MAX_ARGSTR_LEN`). */
const MAX_PLACE = 63;

/** The parser of kprobe events. */
export function kprobeParser(registry: Registry): DynamicParser {
  const parser: DynamicParser = {
    name: "kprobe",
    create: (line) => create(splitWords(line), parser, registry),
  };
  return parser;
}

function create(
  words: readonly string[],
  parser: DynamicParser,
  registry: Registry,
): "not mine" | void {
  const [first, place] = words;
  if (first === undefined) return;
  if (!/^[pr]/.test(first) || place === undefined) return "not mine";
  const { host } = registry;
  const log = new ProbeLog(registry.errors, "trace_kprobe", words);
  const maxActive = parseKprobeMaxActive(first, host, log);
  // A path with an offset is a uprobe's.
  if (typeof parseUnsigned(place, 0) === "string" && place.includes("/") && place.includes(":")) {
    return "not mine";
  }
  const { target, site, isReturn } = parsePlace(place, first.startsWith("r"), host, log);
  log.index = 0;
  const name = nameIn(first);
  const given = name === undefined ? {} : parseEventName(name.text, name.start, log);
  const group = given.group ?? "kprobes";
  const event = given.event ?? madeUpName(target, isReturn, host);
  const functionName = target.symbol;
  const ctx = new ParseContext({ host, log, site, functionName });
  const probeArguments = parseArguments(words.slice(2), ctx);
  const parsed = { kind: "kprobe", group, event, isReturn, arguments: probeArguments } as const;
  addProbe(registry, parser, parsed, log, {
    place: { kind: "kprobe", symbol: target.symbol, offset: offsetOf(target) },
    register: () => register(host, target, isReturn, maxActive, probeArguments, log),
  });
}

function parseKprobeMaxActive(word: string, host: DynamicHost, log: ProbeLog): number {
  if (hasMaxActive(word) && word.startsWith("p")) {
    log.fail(1, host.version === "6.1" ? "MAXACT_NO_KPROBE" : "BAD_MAXACT_TYPE");
  }
  return parseMaxActive(word, log);
}

interface ParsedPlace {
  readonly target: KprobeTarget;
  readonly site: ProbeSite;
  readonly isReturn: boolean;
}

function parsePlace(
  text: string,
  returnAsked: boolean,
  host: DynamicHost,
  log: ProbeLog,
): ParsedPlace {
  const address = parseUnsigned(text, 0);
  if (typeof address === "bigint") {
    return { target: { address }, site: "inside", isReturn: returnAsked };
  }
  log.index = 1;
  const percent = text.indexOf("%");
  const suffix = percent < 0 ? "" : text.slice(percent);
  if (suffix !== "" && suffix !== "%return") log.fail(percent, "BAD_ADDR_SUFFIX");
  const isReturn = returnAsked || suffix !== "";
  const target = parseSymbol(percent < 0 ? text : text.slice(0, percent), log);
  // 6.1 looks at the entry before it counts the symbols.
  if (host.version === "6.12") checkUnique(target.symbol, host, log);
  const resolved = resolveKprobe(host, target);
  const onEntry = typeof resolved !== "string" && resolved.onEntry;
  if (isReturn && !onEntry && resolved !== "ENOENT") log.fail(0, "BAD_RETPROBE");
  if (host.version === "6.1") checkUnique(target.symbol, host, log);
  return { target, site: isReturn ? "return" : onEntry ? "entry" : "inside", isReturn };
}

function parseSymbol(text: string, log: ProbeLog): { symbol: string; offset: bigint } {
  const sign = text.search(/[+-]/);
  if (sign < 0) return { symbol: text, offset: 0n };
  const offset = parseSigned(text.slice(sign), 0);
  if (typeof offset === "string" || offset < 0n || offset > U32_MAX) log.fail(0, "BAD_PROBE_ADDR");
  return { symbol: text.slice(0, sign), offset };
}

function checkUnique(symbol: string, host: DynamicHost, log: ProbeLog): void {
  const error = checkSymbol(host, symbol);
  if (error === undefined) return;
  const code = error === "EADDRNOTAVAIL" ? "NON_UNIQ_SYMBOL" : "BAD_PROBE_ADDR";
  log.fail(0, code, host.version === "6.1" ? error : "EINVAL");
}

function parseArguments(words: readonly string[], ctx: ParseContext): ProbeArgument[] {
  // 6.1 rewrites none, and is silent about those that are too many.
  const parsed = ctx.old ? words.slice(0, MAX_ARGUMENTS) : expandArguments(words, ctx);
  return parseAll(parsed, ctx);
}

/** Parses arguments as they stand. */
export function parseAll(words: readonly string[], ctx: ParseContext): ProbeArgument[] {
  const parsed: ProbeArgument[] = [];
  for (const [i, word] of words.entries()) {
    ctx.log.index = i + 2;
    ctx.offset = 0;
    parsed.push(parseArgument(word, parsed, ctx));
  }
  return parsed;
}

function offsetOf(target: KprobeTarget): bigint {
  return target.symbol === undefined ? 0n : target.offset;
}

function madeUpName(target: KprobeTarget, isReturn: boolean, host: DynamicHost): string {
  const letter = isReturn ? "r" : "p";
  if (target.symbol === undefined) {
    return madeUpEventName(`${letter}_0x${showPointer(target.address, host)}`);
  }
  return madeUpEventName(`${letter}_${target.symbol}_${target.offset}`);
}

/** An address as `%p` shows it: hashed, unless it is null or an error number. */
function showPointer(address: bigint, host: DynamicHost): string {
  const isPlain = address === 0n || address >= (1n << 64n) - 4095n;
  return (isPlain ? address : host.hashPointer(address)).toString(16).padStart(16, "0");
}

const REGISTER_ERRORS: Partial<Record<ErrnoCode, ProbeErrorCode>> = {
  EILSEQ: "BAD_INSN_BNDRY",
  ENOENT: "BAD_PROBE_ADDR",
};

/** Logs why a probe on a function could not be placed, and fails the command. */
export function failRegister(error: ErrnoCode, log: ProbeLog): never {
  log.index = 1;
  log.fail(0, REGISTER_ERRORS[error] ?? "FAIL_REG_PROBE", error);
}

function register(
  host: DynamicHost,
  target: KprobeTarget,
  isReturn: boolean,
  maxActive: number,
  probeArguments: readonly ProbeArgument[],
  log: ProbeLog,
): RegisteredProbe {
  const placed = isNotrace(host, target)
    ? "EINVAL"
    : resolveSymbols(host, probeArguments) ?? registerKprobe(host, target, isReturn);
  // A module may come that has it; an address may be anything.
  const mayCome = placed === "ENOENT" && !isLoaded(host, target);
  if (typeof placed === "string" && !mayCome) failRegister(placed, log);
  const address = typeof placed === "string" ? undefined : placed;
  const active = maxActive === 0 && isReturn && address !== undefined
    ? defaultMaxActive(host.possibleCpus)
    : maxActive;
  const head = isReturn ? `r${active || ""}` : "p";
  const placeText = showPlace(target, address, host);
  const { symbol } = target;
  const offset = offsetOf(target);
  return {
    place: { kind: "kprobe", symbol, offset, address, maxActive: active },
    head,
    placeText,
    matchesPlace: (word) => word === placeText.slice(0, MAX_PLACE),
  };
}

/** Whether what the target is in is there, so that not finding it is final. */
function isLoaded(host: DynamicHost, target: KprobeTarget): boolean {
  if (target.symbol === undefined) return false;
  const module = moduleOf(target.symbol);
  return module === undefined || host.hasModule(module);
}

function showPlace(
  target: KprobeTarget,
  address: bigint | undefined,
  host: DynamicHost,
): string {
  if (target.symbol === undefined) return `0x${showPointer(address ?? target.address, host)}`;
  return target.offset === 0n ? target.symbol : `${target.symbol}+${target.offset}`;
}
