/**
 * The `print fmt` of event formats: entries as lines of text, the way the kernel's `trace` file has
 * them, and the names that it gives to values.
 * @module
 */

import type { Decoder } from "../decoder.ts";
import type { EntryBytes, FieldValue } from "../field.ts";
import { compileDirectives, type Part } from "./directives.ts";
import { PrintFmtError } from "./error.ts";
import { compile } from "./compile.ts";
import { ExpressionParser } from "./expression.ts";
import type { FieldNames } from "./functions.ts";
import type { Scope, SymbolOf } from "./scope.ts";
import { tokenize } from "./tokens.ts";
import type { Compiled, Entry } from "./value.ts";

/** Prints the entries of one event. */
export interface EventPrinter {
  /** Why entries are printed field by field; undefined where the event's own text is followed. */
  readonly problem: PrintFmtError | undefined;
  /** What the values of fields are called, as far as `print fmt` says so plainly. */
  readonly names: ReadonlyMap<string, FieldNames>;
  /** What the `trace` file shows behind `event: `. The entry must fit its decoder. */
  print(source: EntryBytes, start: number, length: number): string;
}

/**
 * Compiles the printer of an event. Never throws: what cannot be followed is told in `problem`.
 * @param symbolOf names kernel addresses, for `%pS`.
 */
export function compilePrinter(
  decoder: Decoder,
  symbolOf: SymbolOf = () => undefined,
): EventPrinter {
  const names = new Map<string, FieldNames>();
  try {
    const parts = compileParts({ decoder, symbolOf, names, constant: false });
    return {
      problem: undefined,
      names,
      print: (source, start, length) => join(parts, { source, start, length }),
    };
  } catch (problem) {
    if (!(problem instanceof PrintFmtError)) throw problem;
    return { problem, names, print: fieldByField(decoder) };
  }
}

function compileParts(scope: Scope): Part[] {
  const parser = new ExpressionParser(tokenize(scope.decoder.format.printFmt));
  const format = parser.strings();
  const values: Compiled[] = [];
  let problem: PrintFmtError | undefined;
  while (parser.accept(",")) {
    const expression = parser.expression();
    // What follows a value that cannot be followed still has names to tell.
    try {
      values.push(compile(expression, scope));
    } catch (error) {
      if (!(error instanceof PrintFmtError)) throw error;
      problem ??= error;
    }
  }
  parser.end();
  if (problem !== undefined) throw problem;
  return compileDirectives(...withPlace(format, values), scope.symbolOf);
}

/**
 * Where a probe sits is printed by code, not by this text: with symbols, and the caller before the
 * function (kernel/trace/trace_kprobe.c, `print_kretprobe_event`).
 */
function withPlace(format: string, values: Compiled[]): [string, Compiled[]] {
  const place = /^\(%lx( <- %lx)?\)/.exec(format);
  if (place === null) return [format, values];
  const rest = format.slice(place[0].length);
  const [first, second, ...others] = values;
  if (place[1] === undefined || first === undefined || second === undefined) {
    return [`(%pS)${rest}`, values];
  }
  return [`(%pS <- %ps)${rest}`, [second, first, ...others]];
}

/** What the kernel could not read is shown as `(fault)`, without the quotes of text around it. */
function join(parts: readonly Part[], entry: Entry): string {
  let line = "";
  let inQuotes = false;
  for (const part of parts) {
    const text = part(entry);
    if (text === null) {
      inQuotes = line.endsWith('"');
      line = `${inQuotes ? line.slice(0, -1) : line}(fault)`;
    } else {
      line += inQuotes && text.startsWith('"') ? text.slice(1) : text;
      inQuotes = false;
    }
  }
  return line;
}

/** `name=value` for all that the event carries. */
function fieldByField({ args }: Decoder): EventPrinter["print"] {
  return (source, start, length) =>
    args.map(({ field, read }) => `${field.name}=${shown(read(source, start, length))}`).join(" ");
}

function shown(value: FieldValue): string {
  if (value === null) return "(fault)";
  if (typeof value === "string") return `"${value}"`;
  return Array.isArray(value) ? `{${value.map(shown).join(",")}}` : String(value);
}
