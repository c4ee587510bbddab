/**
 * Evaluates a filter on decoded records, where no kernel can.
 * @module
 */

import type { FilterNode, FilterOperator, ParsedFilter, Predicate } from "./ast.ts";
import { toByteString } from "./bytes.ts";
import { compareCpu, compareIntegers } from "./compare.ts";
import { FilterError } from "./error.ts";
import { compilePattern, matchText } from "./pattern.ts";

/** The parts of a record that filters look at. */
export interface FilterableRecord {
  readonly cpu?: number;
  /** The thread; `common_pid` in a filter. */
  readonly tid?: number;
  readonly comm?: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Whether a record passes. */
export type RecordPredicate = (record: FilterableRecord) => boolean;

/**
 * The filter as a predicate on records.
 *
 * Fields are looked up in `args`, then `cpu` (also `CPU`, `common_cpu`), `comm`
 * (also `COMM`) and `common_pid`. Integers are compared exactly, as the numbers
 * that they are: unlike in the kernel, an operand that does not fit the field is
 * never equal to it. A predicate is false where the record lacks the field or
 * holds something of another kind. `*x` looks at the end of the string; in the
 * kernel, for a `char[n]` field, at the end of the array.
 *
 * Throws {@link FilterError} for `.function`, which needs the kernel's symbols.
 */
export function compileRecordFilter(filter: ParsedFilter): RecordPredicate {
  return compileNode(filter.root, filter.text);
}

function compileNode(node: FilterNode, filter: string): RecordPredicate {
  if (node.kind === "predicate") return compileTerm(node, filter);
  if (node.kind === "not") {
    const term = compileNode(node.term, filter);
    return (record) => !term(record);
  }
  const terms = node.terms.map((term) => compileNode(term, filter));
  return node.kind === "and"
    ? (record) => terms.every((term) => term(record))
    : (record) => terms.some((term) => term(record));
}

function compileTerm(predicate: Predicate, filter: string): RecordPredicate {
  const { name, operator, operand } = predicate;
  switch (operand.kind) {
    case "integer":
      return (record) => testInteger(operator, valueOf(record, name), operand.value);
    case "string": {
      const pattern = compilePattern(operator as "==" | "!=" | "~", operand.value);
      return (record) => {
        const value = valueOf(record, name);
        return typeof value === "string" && matchText(pattern, value);
      };
    }
    case "cpus":
      return (record) => {
        const cpu = integerOf(valueOf(record, name));
        return cpu !== undefined && compareCpu(operator, Number(cpu), operand.cpus);
      };
    case "function":
      throw new FilterError({
        code: "NO_FUNCTION",
        errno: "EINVAL",
        filter: toByteString(filter),
        position: predicate.start,
        at: predicate.start,
        detail: `"${name}.function" cannot be compared outside the kernel`,
        hint: "Let the kernel take this filter",
      });
  }
}

function valueOf(record: FilterableRecord, name: string): unknown {
  if (Object.hasOwn(record.args, name)) return record.args[name];
  switch (name) {
    case "cpu":
    case "CPU":
    case "common_cpu":
      return record.cpu;
    case "comm":
    case "COMM":
      return record.comm;
    case "common_pid":
      return record.tid;
  }
}

function testInteger(operator: FilterOperator, value: unknown, operand: bigint): boolean {
  const integer = integerOf(value);
  return integer !== undefined && compareIntegers(operator, integer, operand);
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}
