import process from "node:process";
import { styleText } from "node:util";

/** How much is said on standard error. */
export type Verbosity = "quiet" | "normal" | "verbose";

/** What a person at the terminal is told: everything but data, on standard error. */
export class Terminal {
  readonly verbosity: Verbosity;
  #progress = false;

  constructor(verbosity: Verbosity) {
    this.verbosity = verbosity;
  }

  /** Whether standard error takes colours (a terminal, and no `NO_COLOR`). */
  get colors(): boolean {
    return process.stderr.isTTY === true && !process.env.NO_COLOR;
  }

  /** An error: always said. */
  error(message: string, hint?: string): void {
    this.#tell(this.#style("red", "error:"), message, hint);
  }

  warn(message: string, hint?: string): void {
    this.#tell(this.#style("yellow", "warning:"), message, hint);
  }

  /** What happens; not with `--quiet`. */
  info(message: string): void {
    if (this.verbosity !== "quiet") this.#line(visible(message));
  }

  /** Details; only with `--verbose`. */
  detail(message: string): void {
    if (this.verbosity === "verbose") this.#line(visible(message));
  }

  /** Text that has its own layout, such as diagnostics. */
  block(text: string): void {
    this.#line(text);
  }

  /** Such a text about what is no error; not with `--quiet`. */
  noteBlock(text: string): void {
    if (this.verbosity !== "quiet") this.#line(text);
  }

  /** Shows how far something is, in one line that the next one takes the place of. */
  progress(message: string): void {
    if (this.verbosity === "quiet" || process.stderr.isTTY !== true) return;
    process.stderr.write(`\r\x1b[K${message}`);
    this.#progress = true;
  }

  #tell(label: string, message: string, hint: string | undefined): void {
    this.#line(`${label} ${visible(message)}`);
    if (hint !== undefined) this.#line(`${this.#style("cyan", "hint:")} ${visible(hint)}`);
  }

  #line(text: string): void {
    if (this.#progress) process.stderr.write("\r\x1b[K");
    this.#progress = false;
    process.stderr.write(`${text}\n`);
  }

  #style(style: "red" | "yellow" | "cyan", text: string): string {
    return this.colors ? styleText(["bold", style], text, { validateStream: false }) : text;
  }
}

/** Text without what a terminal would obey: names that people give may hold anything. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** Writes data to standard output, all of it before it returns. */
export function printData(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Prints a value as JSON; bigints as exact numbers. */
export function printJson(value: unknown): void {
  printData(toJson(value));
}

/** `JSON.rawJSON` (ES2026) is in both runtimes, but not in the types yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON with bigints as exact numbers. */
export function toJson(value: unknown): string {
  const exact = (_key: string, item: unknown) =>
    typeof item === "bigint" ? rawJSON(String(item)) : item;
  return JSON.stringify(value, exact, 2);
}
