/**
 * Probes as the lines of `kprobe_events` and `uprobe_events`.
 *
 * A line is written only after every part of it has been checked, so that no name in a config can
 * become a second definition, another argument or a comment.
 * @module
 */

import { DefinitionError } from "./error.ts";
import { fieldType, parseFetchArg } from "./fetch_arg.ts";
import { type CheckOptions, prepareFetchArg } from "./fetch_check.ts";
import { fieldSize } from "./fetch_type.ts";
import {
  eventFault,
  fieldFault,
  groupFault,
  moduleFault,
  pathFault,
  quote,
  symbolFault,
} from "./identifier.ts";
import { formatHex } from "./number.ts";
import type { DefinedProbe, KernelPlace, UserPlace } from "./probe.ts";

export { type ParsedDefinition, parseDefinition, sameDefinition } from "./definition_parse.ts";

/** Most arguments of a probe (`MAX_TRACE_ARGS`, kernel/trace/trace_probe.h). */
export const MAX_ARGS = 128;

/** Most concurrent calls of a kretprobe (`KRETPROBE_MAXACTIVE_MAX`, kernel/trace/trace_kprobe.c). */
export const MAX_ACTIVE = 4096;

/** Longest line, in bytes (`WRITE_BUFSIZE` less newline and NUL, kernel/trace/trace.c). */
const MAX_LINE = 4094;

/** Most bytes of all fields of an event (`MAX_PROBE_EVENT_SIZE`, kernel/trace/trace_probe.h). */
const MAX_EVENT_SIZE = 3072;

/** Largest file offset (`loff_t`). */
const MAX_FILE_OFFSET = (1n << 63n) - 1n;

const encoder = new TextEncoder();

/**
 * The line that defines `probe`, without a newline. Fetch arguments stay as they are written.
 *
 * @throws {DefinitionError} if any part is not valid, or the kernel would not take it.
 */
export function formatDefinition(probe: DefinedProbe, options: CheckOptions = {}): string {
  refuse(groupFault(probe.group), probe.group);
  refuse(eventFault(probe.event), probe.event);
  const line = [
    `${formatHead(probe)}:${probe.group}/${probe.event}`,
    formatPlace(probe),
    ...formatArgs(probe, options),
  ].join(" ");
  const length = encoder.encode(line).length;
  if (length > MAX_LINE) {
    const hint = "Capture fewer arguments";
    const message = `The definition has ${length} bytes, more than ${MAX_LINE}`;
    throw new DefinitionError(message, line, 0, hint);
  }
  return line;
}

/**
 * The line that deletes event `group/event`, without a newline.
 *
 * @throws {DefinitionError} if a name is not valid. An empty event name would delete the group.
 */
export function formatDelete(group: string, event: string): string {
  refuse(groupFault(group), group);
  refuse(eventFault(event), event);
  return `-:${group}/${event}`;
}

function formatHead(probe: DefinedProbe): string {
  if (probe.kind === "kprobe" || probe.kind === "uprobe") return "p";
  const active = probe.kind === "kretprobe" ? probe.maxActive : undefined;
  if (active === undefined) return "r";
  if (!Number.isInteger(active) || active < 1 || active > MAX_ACTIVE) {
    throw new DefinitionError(
      `The number of active calls is 1 to ${MAX_ACTIVE}, not ${active}`,
      String(active),
    );
  }
  return `r${active}`;
}

function formatPlace({ kind, place }: DefinedProbe): string {
  if ("path" in place) return formatUserPlace(place);
  if (kind === "kretprobe" && place.offset !== 0) {
    const hint = "Leave the offset out";
    throw new DefinitionError("A kretprobe has no offset", String(place.offset), 0, hint);
  }
  return formatKernelPlace(place);
}

function formatKernelPlace({ symbol, offset, module }: KernelPlace): string {
  refuse(symbolFault(symbol), symbol);
  if (module !== undefined) refuse(moduleFault(module), module);
  if (!Number.isInteger(offset) || offset < 0 || offset > 0xffffffff) {
    throw new DefinitionError(`Offset ${offset} is not 0 to 2^32-1`, String(offset));
  }
  return (module === undefined ? "" : `${module}:`) + symbol +
    (offset === 0 ? "" : `+${formatHex(offset)}`);
}

function formatUserPlace({ path, offset, refCounter }: UserPlace): string {
  refuse(pathFault(path), path);
  for (const value of [offset, refCounter ?? 0n]) {
    if (value < 0n || value > MAX_FILE_OFFSET) {
      throw new DefinitionError(`File offset ${value} is not 0 to 2^63-1`, String(value));
    }
  }
  return `${path}:${formatHex(offset)}` +
    (refCounter === undefined || refCounter === 0n ? "" : `(${formatHex(refCounter)})`);
}

function formatArgs(probe: DefinedProbe, options: CheckOptions): string[] {
  const { args, kind } = probe;
  if (args.length > MAX_ARGS) {
    const message = `A probe has at most ${MAX_ARGS} arguments, not ${args.length}`;
    throw new DefinitionError(message, "");
  }
  const seen = new Set<string>();
  let size = 0;
  for (const { name, fetch } of args) {
    refuse(fieldFault(name), name);
    if (seen.has(name)) throw new DefinitionError(`Two arguments are called ${quote(name)}`, name);
    seen.add(name);
    size += fieldSize(fieldType(parseFetchArg(fetch)));
  }
  if (size > MAX_EVENT_SIZE) {
    const message = `The fields of an event have at most ${MAX_EVENT_SIZE} bytes, not ${size}`;
    throw new DefinitionError(message, "", 0, "Capture fewer or shorter arrays");
  }
  const offset = kind === "kprobe" ? probe.place.offset : 0;
  return args.map(({ name, fetch }) =>
    `${name}=${prepareFetchArg(fetch, kind, { offset, ...options })}`
  );
}

function refuse(reason: string | undefined, text: string): void {
  if (reason !== undefined) throw new DefinitionError(reason, text);
}
