/**
 * The options of an instance: `trace_options` and the files in `options/` (kernel/trace/trace.h,
 * `TRACE_FLAGS`).
 * @module
 */
import { KernelError } from "../../../../core/kernel/error.ts";

type Version = "6.1" | "6.12";

interface OptionFact {
  readonly name: string;
  /** Set when the kernel starts. */
  readonly set?: boolean;
  /** Has no file in instances. */
  readonly topOnly?: boolean;
  /** Not set in a new instance, whatever it is at the top. */
  readonly zeroed?: boolean;
  /** The only version that has it. */
  readonly only?: Version;
}

/** In the kernel's order; those of the function tracers, which Debian's kernels have, included. */
const OPTIONS: readonly OptionFact[] = [
  { name: "print-parent", set: true },
  { name: "sym-offset" },
  { name: "sym-addr" },
  { name: "verbose" },
  { name: "raw" },
  { name: "hex" },
  { name: "bin" },
  { name: "block" },
  { name: "fields", only: "6.12" },
  { name: "trace_printk", set: true, topOnly: true },
  { name: "annotate", set: true },
  { name: "userstacktrace" },
  { name: "sym-userobj" },
  { name: "printk-msg-only", topOnly: true },
  { name: "context-info", set: true },
  { name: "latency-format" },
  { name: "record-cmd", set: true, topOnly: true },
  { name: "record-tgid" },
  { name: "overwrite", set: true },
  { name: "disable_on_free" },
  { name: "irq-info", set: true },
  { name: "markers", set: true },
  { name: "event-fork", zeroed: true },
  { name: "trace_printk_dest", set: true, zeroed: true, only: "6.12" },
  { name: "pause-on-trace" },
  { name: "hash-ptr", set: true },
  { name: "function-trace", set: true },
  { name: "function-fork", zeroed: true },
  { name: "display-graph" },
  { name: "stacktrace" },
];

/** Options of the tracer `nop`; it takes one and refuses the other (kernel/trace/trace_nop.c). */
const ACCEPTED = "test_nop_accept";
const REFUSED = "test_nop_refuse";

/** Told that an option was set or cleared. */
export type OptionListener = (name: string, on: boolean) => void;

/** State of the tracer `nop`, which all instances share. */
export interface NopState {
  accepted: boolean;
}

/** The options of one instance. */
export class TraceOptions {
  readonly #known: readonly OptionFact[];
  readonly #set: Set<string>;
  readonly #isTop: boolean;
  readonly #nop: NopState;
  readonly #listener: OptionListener;

  /** @param top the options at the top of tracefs, which a new instance takes over */
  constructor(version: Version, listener: OptionListener, top?: TraceOptions) {
    this.#known = OPTIONS.filter(({ only }) => only === undefined || only === version);
    this.#isTop = top === undefined;
    this.#nop = top === undefined ? { accepted: false } : top.#nop;
    this.#listener = listener;
    this.#set = new Set(
      this.#known.filter(({ name, set, zeroed }) =>
        top === undefined ? set : top.#set.has(name) && !zeroed
      ).map(({ name }) => name),
    );
  }

  /** Names of the files in `options/`. */
  get files(): string[] {
    const core = this.#known.filter(({ topOnly }) => this.#isTop || !topOnly);
    return [...core.map(({ name }) => name), ACCEPTED, REFUSED];
  }

  isSet(name: string): boolean {
    return name === ACCEPTED ? this.#nop.accepted : this.#set.has(name);
  }

  /** A write to a file in `options/`. @throws {KernelError} EINVAL */
  setByFile(name: string, on: boolean): void {
    if (this.isSet(name) !== on) this.#change(name, on);
  }

  #change(name: string, on: boolean): void {
    if (name === ACCEPTED) {
      this.#nop.accepted = on;
      return;
    }
    const known = this.#known.some((option) => option.name === name);
    // The top keeps `trace_printk_dest` until an instance takes it, which is not modelled.
    const kept = name === "trace_printk_dest" && this.#isTop && !on;
    if (!known || kept) throw new KernelError("EINVAL", "write");
    if (on) this.#set.add(name);
    else this.#set.delete(name);
    this.#listener(name, on);
  }

  /** A write to `trace_options`: an option, or `no` and an option. @throws {KernelError} EINVAL */
  write(text: string): void {
    if (text.length >= 64) throw new KernelError("EINVAL", "write");
    const word = strip(text);
    const negative = word.startsWith("no");
    this.#change(negative ? word.slice(2) : word, !negative);
  }

  /** Text of `trace_options`. */
  text(): string {
    return [...this.#known.map(({ name }) => name), ACCEPTED, REFUSED]
      .map((name) => `${this.isSet(name) ? "" : "no"}${name}\n`).join("");
  }
}

/** A text without the white space around it (`strstrip`, lib/string_helpers.c). */
export function strip(text: string): string {
  return text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, "");
}
