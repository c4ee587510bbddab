/**
 * The `events/<system>/<name>/format` file: what an event's entry looks like in memory.
 * Written by kernel/trace/trace_events.c (`f_show`); read here without trust, because formats
 * also come from recordings.
 * @module
 */

import { elementSizeOf } from "./c_type.ts";

/** Longest text that is looked at; the longest of Linux 6.18 has 12 KiB. */
const MAX_TEXT = 1 << 20;
/** Longest `field:` line; the kernel's own limit for a definition is 4096. */
const MAX_LINE = 8192;
/** Most bytes an entry can have: sub-buffers of up to 1 MiB. */
const MAX_ENTRY = 1 << 20;

/** Where the bytes of a field are. */
export type FieldPlace =
  /** At the offset itself. */
  | "inline"
  /** Elsewhere in the entry: a u32 holds length << 16 | offset from the start of the entry. */
  | "data_loc"
  /** The same, but the offset counts from the end of that u32. */
  | "rel_loc";

/** One line of a format. */
export interface FieldFormat {
  readonly name: string;
  /** The type as it is printed, with its brackets: `unsigned long`, `char[16]`, `char[][2]`. */
  readonly type: string;
  readonly place: FieldPlace;
  /** Bytes from the start of the entry. */
  readonly offset: number;
  /** Bytes in the entry; 0 for an array that takes the rest of it. */
  readonly size: number;
  /** Whether integers are signed; means nothing for strings. */
  readonly signed: boolean;
  /** What one element is, `char`; the whole type where the field is no array. */
  readonly element: string;
  readonly array: boolean;
  /** Bytes of an element, 1 where its type is unknown; `size` where the field is no array. */
  readonly elementSize: number;
}

/** A parsed format. */
export interface EventFormat {
  /** The directory above, `sched`; the text does not have it. */
  readonly system?: string;
  readonly name: string;
  /** `common_type` of its entries, 0 to 65535. */
  readonly id: number;
  /** Fields that every event has, `common_type` and so on. */
  readonly common: readonly FieldFormat[];
  /** Fields of this event. */
  readonly fields: readonly FieldFormat[];
  /** The text after `print fmt: `. */
  readonly printFmt: string;
}

/** A format that cannot be understood. */
export class FormatError extends Error {
  /** Line in the text, from 1. */
  readonly line: number;

  constructor(line: number, reason: string) {
    super(`Bad event format, line ${line}: ${reason}`);
    this.name = "FormatError";
    this.line = line;
  }
}

/** How a format is to be read. */
export interface FormatOptions {
  /** The system that the event belongs to. */
  readonly system?: string;
  /** Bytes of `long` on the traced machine, 8 unless told. */
  readonly longSize?: 4 | 8;
}

/**
 * Parses the text of a `format` file.
 * @throws {FormatError} naming the line that is wrong.
 */
export function parseFormat(text: string, options: FormatOptions = {}): EventFormat {
  if (text.length > MAX_TEXT) throw new FormatError(1, `more than ${MAX_TEXT} characters`);
  const lines = text.split("\n");
  const name = valueOf(lines, 0, "name: ");
  const id = wholeNumber(valueOf(lines, 1, "ID: "), 0xffff, 2);
  valueOf(lines, 2, "format:");
  const groups: FieldFormat[][] = [[]];
  let at = 3;
  for (; at < lines.length && !lines[at]!.startsWith("print fmt:"); at++) {
    const line = lines[at]!;
    if (line.trim() === "") groups.push([]);
    else groups.at(-1)!.push(parseField(line, at + 1, options.longSize ?? 8));
  }
  if (at === lines.length) throw new FormatError(lines.length, `no "print fmt:" line`);
  // The fields that all events have come first, then a blank line.
  const [common, ...own] = groups;
  return {
    ...(options.system === undefined ? {} : { system: options.system }),
    name,
    id,
    common: common!,
    fields: own.flat(),
    printFmt: lines.slice(at).join("\n").slice("print fmt:".length).trim(),
  };
}

/**
 * Parses one `field:` line.
 * @throws {FormatError} naming `line`.
 */
export function parseField(text: string, line: number, longSize: 4 | 8 = 8): FieldFormat {
  if (text.length > MAX_LINE) throw new FormatError(line, `more than ${MAX_LINE} characters`);
  const parts = text.trim().split(";").map((part) => part.trim());
  const size = wholeNumber(property(parts, 2, "size", line), MAX_ENTRY, line);
  const { count, ...declaration } = parseDeclaration(property(parts, 0, "field", line), line);
  if (declaration.place !== "inline" && (size === 0 || size % 4 !== 0)) {
    throw new FormatError(line, `a dynamic field takes words of 4 bytes, not ${size} bytes`);
  }
  return {
    ...declaration,
    offset: wholeNumber(property(parts, 1, "offset", line), MAX_ENTRY, line),
    size,
    signed: wholeNumber(property(parts, 3, "signed", line), 1, line) === 1,
    elementSize: declaration.array
      ? elementSizeOf(declaration.element, count, size, declaration.place, longSize)
      : size,
  };
}

function parseDeclaration(text: string, line: number) {
  const place = placeOf(text);
  const bare = place === "inline" ? text : text.slice(text.indexOf(" ") + 1);
  // Brackets stand behind the name, `char comm[16]`, or behind the type, `char[16] comm`.
  const suffix = trailingBrackets(bare);
  const named = bare.slice(0, bare.length - suffix.length).trimEnd();
  const start = nameStart(named);
  const name = named.slice(start);
  if (name === "") throw new FormatError(line, `no field name in "${text.slice(0, 80)}"`);
  const before = named.slice(0, start).trimEnd();
  const brackets = suffix === "" ? trailingBrackets(before) : suffix;
  const count = /^\[(\d{1,7})\]/.exec(brackets)?.[1];
  return {
    name,
    type: before + suffix,
    place,
    element: suffix === "" ? before.slice(0, before.length - brackets.length).trimEnd() : before,
    array: place !== "inline" || brackets !== "",
    count: count === undefined ? undefined : Number(count),
  };
}

function placeOf(declaration: string): FieldPlace {
  if (declaration.startsWith("__data_loc ")) return "data_loc";
  return declaration.startsWith("__rel_loc ") ? "rel_loc" : "inline";
}

/** The `[..][..]` that ends `text`. */
function trailingBrackets(text: string): string {
  let start = text.length;
  while (text[start - 1] === "]") {
    const open = text.lastIndexOf("[", start - 1);
    if (open < 0) break;
    start = open;
  }
  return text.slice(start);
}

/** Where the identifier that ends `text` starts. */
function nameStart(text: string): number {
  let at = text.length;
  while (at > 0 && /[A-Za-z0-9_]/.test(text[at - 1]!)) at--;
  return at;
}

function valueOf(lines: readonly string[], index: number, prefix: string): string {
  const line = lines[index] ?? "";
  if (!line.startsWith(prefix)) throw new FormatError(index + 1, `no "${prefix.trim()}"`);
  return line.slice(prefix.length).trim();
}

function property(parts: readonly string[], index: number, key: string, line: number): string {
  const part = parts[index] ?? "";
  if (!part.startsWith(`${key}:`)) throw new FormatError(line, `no "${key}:"`);
  return part.slice(key.length + 1).trim();
}

function wholeNumber(text: string, limit: number, line: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) > limit) {
    throw new FormatError(line, `"${text.slice(0, 20)}" is no number up to ${limit}`);
  }
  return Number(text);
}
