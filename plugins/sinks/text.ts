import type { FieldValue } from "../../core/event/field.ts";
import type { LostRecord, RecordBatch } from "../../core/event/record.ts";
import type { Output } from "../../core/pipeline/output.ts";
import type { Sink } from "../../core/pipeline/sink.ts";
import type { PluginFactory } from "../../core/plugin/plugin.ts";

const encoder = new TextEncoder();

const DIM = "\x1b[2m";
const BOLD = "\x1b[1m";
const RED = "\x1b[1;31m";
const CYAN = "\x1b[36m";
const RESET = "\x1b[0m";

/** Widths of columns; a longer value pushes the rest of its line. */
const THREAD_WIDTH = 22;
const PROBE_WIDTH = 16;

/** What a terminal would obey instead of showing: controls, and what turns the direction of text. */
const CONTROL = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Lines for people: time, CPU, thread, probe, values. */
const textPlugin: PluginFactory = () => ({
  kind: "sink",
  name: "text",
  description: "Aligned lines for people, coloured on a terminal",
  options: {
    type: "object",
    properties: {
      color: { type: "boolean", description: "Whether to colour; as the terminal is without" },
    },
    additionalProperties: false,
  },
  create: ({ output, options, terminal }) =>
    new TextSink(output, (options.color as boolean | undefined) ?? terminal),
});
export default textPlugin;

class TextSink implements Sink {
  readonly #output: Output;
  readonly #dim: string;
  readonly #bold: string;
  readonly #red: string;
  readonly #cyan: string;
  readonly #reset: string;

  constructor(output: Output, color: boolean) {
    this.#output = output;
    [this.#dim, this.#bold, this.#red, this.#cyan, this.#reset] = color
      ? [DIM, BOLD, RED, CYAN, RESET]
      : ["", "", "", "", ""];
  }

  write(batch: RecordBatch, from: number, to: number): void {
    let text = "";
    for (let i = from; i < to; i++) text += this.#line(batch, i);
    this.#output.write(encoder.encode(text));
  }

  lost({ cpu, count }: LostRecord): void {
    const what = count === null
      ? "an unknown number of events lost"
      : count === 1
      ? "1 event lost"
      : `${count} events lost`;
    this.#output.write(encoder.encode(`${this.#red}*** ${what} on CPU ${cpu} ***${this.#reset}\n`));
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }

  close(): Promise<void> {
    return this.#output.close();
  }

  #line(batch: RecordBatch, i: number): string {
    const { seconds, nanos, starts, lengths } = batch.columns;
    const time = `${seconds[i]}.${String(nanos[i]).padStart(9, "0")}`;
    const thread = `${visible(batch.comm(i)) || "?"}/${batch.tid(i)}`.padEnd(THREAD_WIDTH);
    const { probe, decoder } = batch.event(i);
    let values = "";
    for (const { field, read } of decoder.args) {
      const value = formatValue(read(batch, starts[i], lengths[i]));
      values += ` ${this.#dim}${field.name}=${this.#reset}${value}`;
    }
    return `${this.#dim}${time} [${String(batch.cpu).padStart(3, "0")}]${this.#reset} ` +
      `${this.#cyan}${thread}${this.#reset} ` +
      `${this.#bold}${values === "" ? probe : probe.padEnd(PROBE_WIDTH)}${this.#reset}${values}\n`;
  }
}

/** A value as text: strings quoted, a string that could not be read as `(fault)`. */
function formatValue(value: FieldValue): string {
  if (value === null) return "(fault)";
  if (typeof value === "string") return `"${visible(value)}"`;
  if (typeof value === "object") return `{${value.map(formatValue).join(",")}}`;
  return String(value);
}

/** Text from the kernel without what a terminal would obey. */
function visible(text: string): string {
  return text.replace(CONTROL, (character) => {
    const hex = character.charCodeAt(0).toString(16);
    return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex}`;
  });
}
