/**
 * A filter as a tree. Offsets are indexes in the filter text; ends are exclusive.
 * @module
 */

import type { FilterField, FilterVersion } from "./field.ts";

/** How a predicate compares: `~` is a glob, `&` asks for a common bit. */
export type FilterOperator = "~" | "!=" | "==" | "<=" | "<" | ">=" | ">" | "&";

/** `"text"` or `'text'`; with `~` a glob. */
export interface StringOperand {
  readonly kind: "string";
  readonly value: string;
}

/** A number: decimal, `0x…` or octal `0…`; from -2^63 to 2^64-1. */
export interface IntegerOperand {
  readonly kind: "integer";
  readonly value: bigint;
}

/** `CPUS{0-3,8}`. */
export interface CpusOperand {
  readonly kind: "cpus";
  /** Ascending, without duplicates. */
  readonly cpus: readonly number[];
}

/** The function that a `.function` field is compared with: a name, or an address in it. */
export interface FunctionOperand {
  readonly kind: "function";
  readonly value: string;
  /** Where the function is; known in a bound filter only. */
  readonly range?: AddressRange;
}

/** Addresses from `start` to before `end`. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}

export type FilterOperand = StringOperand | IntegerOperand | CpusOperand | FunctionOperand;

/** One comparison: `field op operand`. */
export interface Predicate {
  readonly kind: "predicate";
  /** The field's name. */
  readonly name: string;
  /** `field.ustring`: the pointer is one to user memory. */
  readonly ustring: boolean;
  readonly operator: FilterOperator;
  readonly operand: FilterOperand;
  readonly start: number;
  readonly end: number;
}

/** A predicate whose field was found in an event. */
export interface BoundPredicate extends Predicate {
  readonly field: FilterField;
}

/** A condition: `&&` binds before `||`; parentheses leave no trace. */
export type FilterNode<P extends Predicate = Predicate> =
  | P
  | { readonly kind: "not"; readonly term: FilterNode<P> }
  | { readonly kind: "and" | "or"; readonly terms: readonly FilterNode<P>[] };

/** A filter that is well formed, whatever the event's fields are. */
export interface ParsedFilter {
  readonly text: string;
  readonly version: FilterVersion;
  readonly root: FilterNode;
}

/** A filter that an event takes. */
export interface BoundFilter {
  readonly text: string;
  readonly version: FilterVersion;
  readonly root: FilterNode<BoundPredicate>;
  /** CPUs that the kernel knows of (`nr_cpu_ids`). */
  readonly cpuCount: number;
}

/** The predicates of a filter, in the order in which they are written. */
export function predicatesOf<P extends Predicate>(node: FilterNode<P>): P[] {
  if (node.kind === "and" || node.kind === "or") return node.terms.flatMap(predicatesOf<P>);
  if (node.kind === "not") return predicatesOf<P>(node.term);
  return [node as P];
}

/** The names of the fields that a filter compares, each once. */
export function fieldsOf(filter: ParsedFilter | BoundFilter): string[] {
  return [...new Set(predicatesOf<Predicate>(filter.root).map(({ name }) => name))];
}
