/**
 * `e` lines: probes on the entries of other events (kernel/trace/trace_eprobe.c).
 * @module
 */
import type { EventField } from "../event_field.ts";
import { splitWords } from "./ctype.ts";
import { type EventName, parseEventName } from "./event_name.ts";
import { MAX_ARGUMENTS, parseArgument } from "./fetch_argument.ts";
import { ParseContext } from "./fetch_context.ts";
import type { FetchStep, ProbeArgument } from "./fetch_program.ts";
import { nameIn } from "./max_active.ts";
import { addProbeEvent, type RegisteredProbe } from "./probe_entry.ts";
import { ProbeLog, refuse } from "./probe_log.ts";
import type { AttachableEvent, DynamicParser, Registry } from "./registry.ts";
import { resolveSymbols } from "./symbols.ts";

/** The parser of event probe events. */
export function eprobeParser(registry: Registry): DynamicParser {
  const parser: DynamicParser = {
    name: "eprobe",
    create: (line) => create(splitWords(line), parser, registry),
  };
  return parser;
}

function create(
  words: readonly string[],
  parser: DynamicParser,
  registry: Registry,
): "not mine" | void {
  const [first, attached] = words;
  if (first === undefined) return;
  if (attached === undefined || !first.startsWith("e")) return "not mine";
  const log: ProbeLog = new ProbeLog(registry.errors, "event_probe", words);
  const name = nameIn(first);
  const given = name === undefined ? {} : parseEventName(name.text, name.start, log);
  log.index = 1;
  const { system, event: attachedName } = parseAttached(attached, log);
  const group = given.group ?? "eprobes";
  const event = given.event ?? attachedName;
  const keyword = words.indexOf("if", 2);
  const rest = words.slice(2, keyword < 0 ? undefined : keyword);
  const old = registry.host.version === "6.1";
  if (!old && rest.length > MAX_ARGUMENTS) refuse("E2BIG");
  const target = registry.attachable(system, attachedName);
  if (target === undefined) log.fail(0, "BAD_ATTACH_EVENT", "ENODEV");
  const filter = keyword < 0 ? undefined : parseFilter(words, keyword + 1, target, registry, log);
  const probeArguments = parseArguments(rest.slice(0, MAX_ARGUMENTS), target.fields, registry, log);
  const parsed = {
    kind: "eprobe",
    group,
    event,
    isReturn: false,
    arguments: probeArguments,
  } as const;
  const register = (): RegisteredProbe => {
    if (target.dynamic !== undefined) registry.hold(target.dynamic);
    return {
      place: { kind: "eprobe", system, event: attachedName, filter },
      head: "e",
      placeText: `${system}.${attachedName}`,
      matchesPlace: (word) => matchesAttached(word, system, attachedName),
      onFree: () => target.dynamic && registry.release(target.dynamic),
    };
  };
  addProbeEvent(registry, parser, parsed, log, register);
}

function parseAttached(text: string, log: ProbeLog): { system: string; event: string } {
  const { group: system, event } = parseLogged(text, log);
  if (system === undefined || event === undefined) log.fail(0, "NO_EVENT_INFO");
  return { system, event };
}

/** A name that is refused is logged twice: for what it is, and for not being there. */
function parseLogged(text: string, log: ProbeLog): EventName {
  try {
    return parseEventName(text, 0, log);
  } catch (error) {
    log.error(0, "NO_EVENT_INFO");
    throw error;
  }
}

function matchesAttached(word: string, system: string, event: string): boolean {
  const slash = word.indexOf("/");
  const end = slash >= 0 ? slash : word.indexOf(".");
  return end >= 0 && word.slice(0, end) === system && word.slice(end + 1) === event;
}

function parseFilter(
  words: readonly string[],
  start: number,
  target: AttachableEvent,
  registry: Registry,
  log: ProbeLog,
): string {
  log.index = start;
  const filter = words.slice(start).join(" ");
  if (filter === "") log.fail(0, "NO_EP_FILTER");
  if (registry.host.checkFilter(target.fields, filter) !== undefined) refuse("EINVAL");
  return filter;
}

function parseArguments(
  words: readonly string[],
  eventFields: readonly EventField[],
  registry: Registry,
  log: ProbeLog,
): ProbeArgument[] {
  const { host } = registry;
  const parsed: ProbeArgument[] = [];
  for (const [i, word] of words.entries()) {
    log.index = i + 2;
    const ctx = new ParseContext({ host, log, site: "event", eventFields });
    const argument = parseArgument(word, parsed, ctx);
    argument.steps = argument.steps.map((step) => resolveField(step, eventFields, log));
    const error = resolveSymbols(host, [argument]);
    if (error !== undefined) refuse(error);
    parsed.push(argument);
  }
  return parsed;
}

/** Finds the field that 6.1 left as a name (`trace_eprobe_tp_arg_update`). */
function resolveField(
  step: FetchStep,
  eventFields: readonly EventField[],
  log: ProbeLog,
): FetchStep {
  if (step.op !== "field_name") return step;
  const field = eventFields.find((candidate) => candidate.name === step.name);
  if (field !== undefined) return { op: "event_field", field };
  if (step.name !== "comm" && step.name !== "COMM") log.fail(0, "BAD_ATTACH_ARG", "ENOENT");
  return { op: "comm" };
}
