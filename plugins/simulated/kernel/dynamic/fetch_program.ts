import type { EventField } from "../event_field.ts";
import type { FetchType } from "./fetch_type.ts";

/**
 * One step of a fetch program (`enum fetch_op`, kernel/trace/trace_probe.h): load
 * a value, follow pointers from it, store what is found, modify that, repeat.
 */
export type FetchStep =
  | { readonly op: "register"; readonly name: string }
  | { readonly op: "stack"; readonly index: number }
  | { readonly op: "stack_pointer" }
  | { readonly op: "return_value" }
  | { readonly op: "immediate"; readonly value: bigint }
  | { readonly op: "comm" }
  /** An argument of the function, from 0. */
  | { readonly op: "argument"; readonly index: number }
  /** An argument that a return probe saved at the entry, from 0. */
  | { readonly op: "entry_argument"; readonly index: number }
  /** An offset in the probed file, made an address. */
  | { readonly op: "file_offset"; readonly offset: bigint }
  /** A text that stands in the definition. */
  | { readonly op: "text"; readonly text: string }
  | { readonly op: "event_field"; readonly field: EventField }
  /** A field of the attached event that is not looked up yet (6.1). */
  | { readonly op: "field_name"; readonly name: string }
  /** A symbol with an offset; its address goes into the `immediate` that follows. */
  | { readonly op: "symbol"; readonly text: string }
  | { readonly op: "dereference"; readonly user: boolean; readonly offset: number }
  | { readonly op: "store_value"; readonly size: number }
  | {
    readonly op: "store_memory";
    readonly user: boolean;
    readonly offset: number;
    readonly size: number;
  }
  | { readonly op: "store_string"; readonly user: boolean; readonly offset: number }
  | { readonly op: "store_symbol_name" }
  /** Shifts the stored bytes left, then right. */
  | {
    readonly op: "bitfield";
    readonly size: number;
    readonly left: number;
    readonly right: number;
  }
  | { readonly op: "repeat"; readonly count: number };

/** Steps that a program can have: `FETCH_INSN_MAX` 16, less the end mark. */
const MAX_STEPS = 15;

/** A fetch program in the making. */
export class FetchProgram {
  readonly #steps: FetchStep[] = [];

  get steps(): readonly FetchStep[] {
    return this.#steps;
  }

  get last(): FetchStep | undefined {
    return this.#steps.at(-1);
  }

  /** Adds a step; false if there is no room. */
  add(step: FetchStep): boolean {
    if (this.#steps.length === MAX_STEPS) return false;
    this.#steps.push(step);
    return true;
  }

  /** Puts `step` in the place of the last one. */
  replaceLast(step: FetchStep): void {
    this.#steps[this.#steps.length - 1] = step;
  }
}

/** An argument of a probe, ready to be fetched (`struct probe_arg`). */
export interface ProbeArgument {
  readonly name: string;
  /** Its definition after the `=`, as listings show it. */
  readonly text: string;
  readonly type: FetchType;
  /** Elements of an array; 0 for a single value. */
  readonly count: number;
  /** Bytes from the start of the arguments. */
  readonly offset: number;
  /** The program; addresses of symbols are filled in when the probe is registered. */
  steps: readonly FetchStep[];
}

/** Bytes that a value of `type`, or `count` of them, takes in the entry. */
export function storedSize(type: FetchType, count: number): number {
  return type.size * Math.max(count, 1);
}
