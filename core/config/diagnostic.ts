import { splitLines } from "./source.ts";

/** What kind of mistake a diagnostic is about; stable, for programs. */
export type DiagnosticCode =
  | "unreadable"
  | "too_large"
  | "syntax"
  | "duplicate_key"
  | "unknown_key"
  | "missing_key"
  | "wrong_type"
  | "bad_value"
  | "bad_name"
  | "variable"
  | "undeclared"
  | "conflict";

/** A mistake in a file: where it is, what it is, and what to do. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1; 0 if the diagnostic is about the file as a whole. */
  readonly line: number;
  /** In characters, from 1; 0 if the diagnostic is about the file as a whole. */
  readonly column: number;
  /** Characters that the mistake covers, at least 1; absent if only its start is known. */
  readonly length?: number;
  /** One line in sentence case, without a final period. */
  readonly message: string;
  /** What would help. */
  readonly hint?: string;
  readonly code: DiagnosticCode;
}

/** How {@link formatDiagnostic} prints. */
export interface FormatOptions {
  /** Whether to use ANSI colours. Off unless set. */
  readonly color?: boolean;
}

/** Columns of a terminal that a quoted line may take. */
const MAX_WIDTH = 100;
/** Columns kept before the mistake when a long line is cut. */
const LEAD = 40;

/**
 * A diagnostic as text for a terminal: `file:line:column: error: message`, the line of
 * `sourceText` with a caret under the mistake, and the hint. No final newline.
 */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  sourceText: string,
  options: FormatOptions = {},
): string {
  const paint = options.color ? painted : plain;
  const { severity, file, line, column } = diagnostic;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const lines = [
    `${paint("bold", `${printable(place)}:`)} ${
      paint(severity === "error" ? "red" : "yellow", `${severity}:`)
    } ${paint("bold", printable(diagnostic.message))}`,
  ];
  const text = line === 0 ? undefined : splitLines(sourceText)[line - 1];
  if (text !== undefined) {
    const { quoted, caret } = excerpt(text, column, diagnostic.length ?? 1);
    lines.push(quoted, paint("green", caret));
  }
  if (diagnostic.hint !== undefined) {
    lines.push(`${paint("cyan", "hint:")} ${printable(diagnostic.hint)}`);
  }
  return lines.join("\n");
}

/** The part of `line` around `column`, and a line of carets to print below it. */
function excerpt(line: string, column: number, length: number): { quoted: string; caret: string } {
  const cells = Array.from(line, (character) => cell(character));
  const at = Math.min(column - 1, cells.length);
  const from = widthOf(cells) <= MAX_WIDTH ? 0 : Math.max(0, at - LEAD);
  let to = from;
  for (let width = 0; to < cells.length && width + cells[to].width <= MAX_WIDTH; to++) {
    width += cells[to].width;
  }
  const lead = from > 0 ? "…" : "";
  const quoted = lead + cells.slice(from, to).map((c) => c.text).join("") +
    (to < cells.length ? "…" : "");
  const before = cells.slice(from, at).map((c) => c.text === "\t" ? "\t" : " ".repeat(c.width));
  const marked = Math.max(1, widthOf(cells.slice(at, Math.min(at + length, to))));
  return { quoted, caret: lead.replace("…", " ") + before.join("") + "^".repeat(marked) };
}

interface Cell {
  readonly text: string;
  readonly width: number;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO_WIDTH = /[\p{Mark}\u200b-\u200d\ufe00-\ufe0f]/u;
/** Controls, line breaks, what reorders text (Trojan Source), halves of a surrogate pair. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** How a terminal shows one character. A tab is kept; its stop is the same in both lines. */
function cell(character: string): Cell {
  if (character !== "\t" && UNPRINTABLE.test(character)) return { text: "\ufffd", width: 1 };
  if (ZERO_WIDTH.test(character)) return { text: character, width: 0 };
  return { text: character, width: WIDE.test(character) ? 2 : 1 };
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0);
}

/** `text` without characters that a terminal would obey. */
function printable(text: string): string {
  return Array.from(text, (character) => cell(character).text).join("");
}

const STYLES = { bold: "1", red: "1;31", yellow: "1;33", green: "32", cyan: "36" } as const;

function painted(style: keyof typeof STYLES, text: string): string {
  return `\x1b[${STYLES[style]}m${text}\x1b[0m`;
}

function plain(_style: keyof typeof STYLES, text: string): string {
  return text;
}
