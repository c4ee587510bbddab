/**
 * The kernel's printf (lib/vsprintf.c): `print fmt` strings compiled into writers of text.
 * @module
 */

import { bitmap, hexBytes, ipv4, ipv6, ipv6Compressed, socketAddress, uuid } from "./addresses.ts";
import { asText } from "./compile.ts";
import { PrintFmtError } from "./error.ts";
import { bytesAt, textAt } from "./read.ts";
import type { SymbolOf } from "./scope.ts";
import type { Compiled, CompiledInteger, Entry } from "./value.ts";

/** One part of a line. Null is text that the kernel could not read. */
export type Part = (entry: Entry) => string | null;

/** The widest a value is made: a trace line cannot hold more. */
const MAX_WIDTH = 4096;

/** A conversion such as `%-8.3lx`. */
interface Directive {
  readonly flags: string;
  readonly width: (entry: Entry) => number;
  /** Undefined where none is given. */
  readonly precision: ((entry: Entry) => number) | undefined;
  /** Bytes of the integer. */
  readonly size: number;
  readonly conversion: string;
  /** Letters behind `%p`. */
  readonly extension: string;
}

const DIRECTIVE =
  /%([-+ #0]*)(\*|\d+)?(?:\.(\*|-?\d+)?)?(hh|h|ll|l|L|q|z|t|j)?(?:p([A-Za-z0-9]*)|([a-zA-Z%]))/gy;
const SIZES: Readonly<Record<string, number>> = {
  hh: 1,
  h: 2,
  ll: 8,
  l: 8,
  L: 8,
  q: 8,
  z: 8,
  t: 8,
  j: 8,
};

/**
 * Compiles `format` with its `values`.
 * @throws {PrintFmtError} for a conversion that is not known or does not suit its value.
 */
export function compileDirectives(
  format: string,
  values: readonly Compiled[],
  symbolOf: SymbolOf,
): Part[] {
  const parts: Part[] = [];
  const left = [...values];
  const take = (): Compiled => {
    const value = left.shift();
    if (value === undefined) throw new PrintFmtError(0, "fewer values than conversions");
    return value;
  };
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf("%", at);
    const end = percent < 0 ? format.length : percent;
    const literal = format.slice(at, end);
    if (literal !== "") parts.push(() => literal);
    if (percent < 0) break;
    DIRECTIVE.lastIndex = percent;
    const match = DIRECTIVE.exec(format);
    if (match === null) {
      throw new PrintFmtError(0, `the conversion "${format.slice(percent, percent + 8)}"`);
    }
    parts.push(compileDirective(match, take, symbolOf));
    at = DIRECTIVE.lastIndex;
  }
  return parts;
}

function compileDirective(
  [whole, flags, width, precision, size, extension, conversion]: RegExpExecArray,
  take: () => Compiled,
  symbolOf: SymbolOf,
): Part {
  if (conversion === "%") return () => "%";
  const directive: Directive = {
    flags: flags ?? "",
    width: number(width, take) ?? (() => 0),
    precision: whole!.includes(".") ? number(precision, take) ?? (() => 0) : undefined,
    size: SIZES[size ?? ""] ?? 4,
    conversion: conversion ?? "p",
    extension: extension ?? "",
  };
  const value = take();
  switch (directive.conversion) {
    case "s":
      return text(value, directive);
    case "c":
      return padded(character(integer(value, directive)), directive);
    case "p":
      return pointer(value, directive, symbolOf);
    case "d":
    case "i":
    case "u":
    case "x":
    case "X":
    case "o":
      return digits(integer(value, directive), directive);
    default:
      throw new PrintFmtError(0, `the conversion "${whole}"`);
  }
}

/** A width or precision: in the text, or an argument in front of the value. */
function number(text: string | undefined, take: () => Compiled) {
  if (text === undefined) return undefined;
  if (text !== "*") return () => Math.min(Number(text), MAX_WIDTH);
  const value = take();
  if (value.kind !== "integer") throw new PrintFmtError(0, "a width that is no integer");
  return (entry: Entry) => Math.min(Number(BigInt.asIntN(32, value.get(entry))), MAX_WIDTH);
}

function integer(value: Compiled, { conversion }: Directive): CompiledInteger {
  if (value.kind === "integer") return value;
  throw new PrintFmtError(0, `"%${conversion}" of what is no integer`);
}

function text(value: Compiled, directive: Directive): Part {
  const { precision } = directive;
  if (value.kind === "span" && precision !== undefined) {
    return padded((entry) => {
      const { start, end } = value.get(entry);
      return textAt(entry.source, { start, end: Math.min(end, start + limit(precision, entry)) });
    }, directive);
  }
  const string = asText(value);
  if (string === undefined) {
    throw new PrintFmtError(0, "a string that is in the kernel's memory, not in the entry");
  }
  if (precision === undefined) return padded(string.get, directive);
  return padded(
    (entry) => string.get(entry)?.slice(0, limit(precision, entry)) ?? null,
    directive,
  );
}

/** A negative precision is none. */
function limit(precision: (entry: Entry) => number, entry: Entry): number {
  const value = precision(entry);
  return value < 0 ? MAX_WIDTH : value;
}

function character(value: CompiledInteger): Part {
  return (entry) => {
    const byte = Number(BigInt.asUintN(8, value.get(entry)));
    return byte < 0x80 ? String.fromCharCode(byte) : "\ufffd";
  };
}

/** Fills up with spaces to the width, which may be negative for the left side. */
function padded(part: Part, { flags, width }: Directive): Part {
  return (entry) => {
    const value = part(entry);
    const size = width(entry);
    if (value === null || size === 0) return value;
    return flags.includes("-") || size < 0 ? value.padEnd(Math.abs(size)) : value.padStart(size);
  };
}

function digits(value: CompiledInteger, directive: Directive): Part {
  const { flags, conversion, size, width, precision } = directive;
  const signed = conversion === "d" || conversion === "i";
  const radix = conversion === "o" ? 8 : conversion === "x" || conversion === "X" ? 16 : 10;
  const bits = size * 8;
  const plus = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return padded((entry) => {
    const raw = value.get(entry);
    const number = signed ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw);
    const sign = number < 0n ? "-" : signed ? plus : "";
    let prefix = "";
    if (flags.includes("#") && radix === 16) prefix = "0x";
    if (flags.includes("#") && radix === 8 && number !== 0n) prefix = "0";
    const least = precision === undefined
      ? flags.includes("0") && !flags.includes("-") ? width(entry) - sign.length - prefix.length : 0
      : precision(entry);
    const plain = (number < 0n ? -number : number).toString(radix).padStart(least, "0");
    const text = sign + prefix + plain;
    return conversion === "X" ? text.toUpperCase() : text;
  }, directive);
}

function pointer(value: Compiled, directive: Directive, symbolOf: SymbolOf): Part {
  const { extension, width } = directive;
  if (value.kind === "integer") {
    return padded(pointerText(value, extension, symbolOf), directive);
  }
  if (value.kind === "text") throw new PrintFmtError(0, `"%p${extension}" of text`);
  const { get } = value;
  const bytes = (entry: Entry) => bytesAt(entry.source, get(entry));
  const [letter, second = "", ...rest] = extension;
  switch (letter) {
    case "U":
      return padded((entry) => uuid(bytes(entry), second), directive);
    case "I":
    case "i":
      return padded(address(bytes, letter, second, rest.join("")), directive);
    case "M":
    case "m": {
      const separator = letter === "m" ? "" : second === "F" ? "-" : ":";
      return padded((entry) => {
        const six = bytes(entry).slice(0, 6);
        return hexBytes(second === "R" ? six.reverse() : six, separator);
      }, directive);
    }
    // For these the width is a length.
    case "h": {
      const separator = ({ C: ":", D: "-", N: "" } as Record<string, string>)[second] ?? " ";
      return (entry) => hexBytes(bytes(entry).subarray(0, Math.min(width(entry), 64)), separator);
    }
    case "b":
      return (entry) => bitmap(bytes(entry), width(entry), second === "l" ? "list" : "mask");
    default:
      throw new PrintFmtError(0, `"%p${extension}" of an array`);
  }
}

function address(
  bytes: (entry: Entry) => Uint8Array,
  letter: string,
  version: string,
  options: string,
): Part {
  const padded = letter === "i";
  if (version === "4") return (entry) => ipv4(bytes(entry), padded);
  if (version === "S") return (entry) => socketAddress(bytes(entry), options);
  if (version !== "6") throw new PrintFmtError(0, `"%p${letter}${version}"`);
  if (options.includes("c") && !padded) return (entry) => ipv6Compressed(bytes(entry));
  return (entry) => ipv6(bytes(entry), padded ? "" : ":");
}

/** An address in the kernel: by its symbol, or raw where the kernel would print a hash of it. */
function pointerText(value: CompiledInteger, extension: string, symbolOf: SymbolOf): Part {
  const [letter = ""] = extension;
  const known = "SsBFfx K".includes(letter);
  if (!known) throw new PrintFmtError(0, `"%p${extension}" of an address`);
  const form = letter === "s" || letter === "f" ? "name" : "offset";
  const symbolic = letter !== "" && "SsBFf".includes(letter);
  return (entry) => {
    const address = BigInt.asUintN(64, value.get(entry));
    if (!symbolic) return address.toString(16).padStart(16, "0");
    return symbolOf(address, form) ?? `0x${address.toString(16)}`;
  };
}
