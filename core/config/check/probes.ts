import { MAX_ARGS } from "../../probe/definition.ts";
import type { Finding } from "../finding.ts";
import { checkName, SYMBOL } from "../names.ts";
import { DEFINED_KINDS, PROBE_KINDS } from "../schema/probe.ts";
import { entriesOf, get, itemsOf, type Path, type Plain } from "../tree.ts";
import { checkCaptures, type DefinedKind } from "./capture.ts";
import { capturedFields, declaredFields } from "./fields.ts";
import { checkFilter, type EventFields } from "./filter.ts";
import { findUserEvent } from "./user_events.ts";

/** Checks `probes`: names, captures and filters, as the kernel would, and what they refer to. */
export function checkProbes(config: Plain): Finding[] {
  return entriesOf(get(config, "probes")).flatMap(([id, probe]) => {
    const path = ["probes", id];
    return [
      ...(id === "lost" ? [reservedId(path)] : []),
      ...PROBE_KINDS.filter((kind) => get(probe, kind) !== undefined).flatMap((kind) =>
        isDefined(kind)
          ? checkDefinedProbe(probe, kind, path)
          : checkEventProbe(config, probe, kind, path)
      ),
    ];
  });
}

function reservedId(path: Path): Finding {
  return {
    path,
    onKey: true,
    code: "bad_name",
    message: 'A probe cannot be called "lost"',
    hint: "Tests expect lost events under that name",
  };
}

function isDefined(kind: string): kind is DefinedKind {
  return (DEFINED_KINDS as readonly string[]).includes(kind);
}

function checkDefinedProbe(probe: Plain, kind: DefinedKind, path: Path): Finding[] {
  const { expressions, findings } = checkCaptures(probe, kind, path);
  return [
    ...checkSymbols(probe, kind, [...path, kind, "symbol"]),
    ...findings,
    ...checkCount(probe, [...path, "capture"]),
    // A field whose capture is wrong may well be compared; nothing is said of it twice.
    ...(findings.length > 0
      ? checkFilterOf(probe, path, undefined)
      : checkFilterOf(probe, path, capturedFields(expressions, kind))),
  ];
}

function checkFilterOf(probe: Plain, path: Path, event: EventFields | undefined): Finding[] {
  const filter = get(probe, "filter");
  return typeof filter === "string" ? checkFilter(filter, [...path, "filter"], event) : [];
}

function checkSymbols(probe: Plain, kind: DefinedKind, path: Path): Finding[] {
  const symbol = get(get(probe, kind), "symbol");
  const symbols: (readonly [Plain, Path])[] = Array.isArray(symbol)
    ? itemsOf(symbol).map((item, index) => [item, [...path, index]])
    : symbol === undefined
    ? []
    : [[symbol, path]];
  return symbols.flatMap(([name, at]) => {
    const wrong = typeof name === "string" ? checkSymbol(name, kind) : undefined;
    return wrong ? [{ path: at, code: "bad_name" as const, ...wrong }] : [];
  });
}

function checkSymbol(
  name: string,
  kind: DefinedKind,
): { message: string; hint: string } | undefined {
  if (kind === "kprobe" || kind === "kretprobe") {
    return /[*?[]/.test(name)
      ? {
        message: `Symbol "${name}" is a pattern`,
        hint: "Name the functions, in a list of symbols",
      }
      : checkName(SYMBOL, name);
  }
  // Symbols of a program never reach the kernel, so those of every language are taken.
  if (name !== "" && name.length <= 4096 && !/\p{Cc}/u.test(name)) return undefined;
  return {
    message: name === "" ? "The symbol is empty" : "The symbol cannot be one of an ELF file",
    hint: "Write a name that nm prints",
  };
}

function checkCount(probe: Plain, path: Path): Finding[] {
  const { length } = entriesOf(get(probe, "capture"));
  if (length <= MAX_ARGS) return [];
  return [{
    path,
    code: "too_large",
    message: `The probe captures ${length} values`,
    hint: `The kernel takes ${MAX_ARGS}`,
  }];
}

/** Checks a tracepoint or user_event, whose fields somebody else declares. */
function checkEventProbe(config: Plain, probe: Plain, kind: string, path: Path): Finding[] {
  const reference = get(probe, kind);
  const lookup = kind === "user_event" && typeof reference === "string"
    ? findUserEvent(config, reference)
    : {};
  const event = lookup.event === undefined ? undefined : declaredFields(lookup.event);
  return [
    ...(lookup.finding ? [{ ...lookup.finding, path: [...path, kind] }] : []),
    ...(get(probe, "capture") === undefined ? [] : [noCapture(kind, path)]),
    ...checkFilterOf(probe, path, event),
  ];
}

function noCapture(kind: string, path: Path): Finding {
  return {
    path: [...path, "capture"],
    onKey: true,
    code: "conflict",
    message: `A ${kind} has fields of its own and captures nothing`,
    hint: "Remove capture; all fields are recorded",
  };
}
