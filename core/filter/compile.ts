/**
 * Evaluates a bound filter on the raw bytes of an entry, as the kernel does when
 * the event fires (`filter_match_preds()`, kernel/trace/trace_events_filter.c).
 * @module
 */

import type {
  AddressRange,
  BoundFilter,
  BoundPredicate,
  CpusOperand,
  FilterNode,
  FilterOperator,
} from "./ast.ts";
import { bytesOf, toByteString } from "./bytes.ts";
import { compareCpu, compareCpuSets, compareIntegers } from "./compare.ts";
import type { FilterField } from "./field.ts";
import { compilePattern, matchPattern, type Pattern } from "./pattern.ts";

/** What a filter may look at beside the entry: the task and CPU that the event fires on. */
export interface FilterContext {
  readonly cpu: number;
  /** The task's name, at most 15 bytes. */
  readonly comm: string;
  /**
   * The bytes of the string at `address` without its NUL, or `undefined` if it
   * cannot be read. The kernel looks at the first 1023. Without it, predicates on
   * `char *` fields are false.
   */
  readonly readString?: (address: bigint, memory: "kernel" | "user") => Uint8Array | undefined;
}

/**
 * Whether an event passes. Its entry is the `length` bytes of `entry` from
 * `offset`, little endian, and the offsets of fields are relative to that.
 * A predicate on a field that lies beyond the entry is false.
 */
export type EntryPredicate = (
  entry: DataView,
  offset: number,
  length: number,
  context: FilterContext,
) => boolean;

/** `TASK_COMM_LEN`. */
const COMM_BYTES = 16;
/** `USTRING_BUF_SIZE` without the NUL. */
const MAX_POINTED_BYTES = 1023;

/** The predicate of a filter that {@link bindFilter} took. */
export function compilePredicate(filter: BoundFilter): EntryPredicate {
  return compileNode(filter.root, filter.cpuCount);
}

function compileNode(node: FilterNode<BoundPredicate>, cpuCount: number): EntryPredicate {
  if (node.kind === "predicate") return compileTerm(node, cpuCount);
  if (node.kind === "not") {
    const term = compileNode(node.term, cpuCount);
    return (entry, offset, length, context) => !term(entry, offset, length, context);
  }
  const terms = node.terms.map((term) => compileNode(term, cpuCount));
  const decisive = node.kind === "or";
  return (entry, offset, length, context) => {
    for (const term of terms) {
      if (term(entry, offset, length, context) === decisive) return decisive;
    }
    return !decisive;
  };
}

function compileTerm(predicate: BoundPredicate, cpuCount: number): EntryPredicate {
  const { field, operator, operand } = predicate;
  switch (operand.kind) {
    case "string": {
      const pattern = compilePattern(operator as "==" | "!=" | "~", operand.value);
      return compileString(field, pattern, predicate.ustring ? "user" : "kernel");
    }
    case "function":
      return compileFunction(field, operator, operand.range);
    case "cpus":
      return compileCpus(field, operator, operand, cpuCount);
    case "integer":
      if (field.filterType !== "cpu") {
        return compileInteger(field, operator, operand.value, field.signed);
      }
      return compileCpu(operator, Number(BigInt.asIntN(32, operand.value)));
  }
}

/** The operand loses what does not fit the field: a `u8` is equal to 256 where it is 0. */
function compileInteger(
  { offset: at, size }: FilterField,
  operator: FilterOperator,
  operand: bigint,
  signed: boolean,
): EntryPredicate {
  const read = INTEGER_READERS[`${signed ? "s" : "u"}${size * 8}`];
  if (read === undefined) return () => false;
  const value = signed ? BigInt.asIntN(size * 8, operand) : BigInt.asUintN(size * 8, operand);
  const other = size === 8 ? value : Number(value);
  return (entry, offset, length) =>
    at + size <= length && compareIntegers(operator, read(entry, offset + at), other);
}

type IntegerReader = (entry: DataView, at: number) => number | bigint;

const INTEGER_READERS: { readonly [type: string]: IntegerReader | undefined } = {
  s8: (entry, at) => entry.getInt8(at),
  u8: (entry, at) => entry.getUint8(at),
  s16: (entry, at) => entry.getInt16(at, true),
  u16: (entry, at) => entry.getUint16(at, true),
  s32: (entry, at) => entry.getInt32(at, true),
  u32: (entry, at) => entry.getUint32(at, true),
  s64: (entry, at) => entry.getBigInt64(at, true),
  u64: (entry, at) => entry.getBigUint64(at, true),
};

function compileCpu(operator: FilterOperator, value: number): EntryPredicate {
  // `filter_pred_cpu()` knows no `&`.
  if (operator === "&") return () => false;
  return (_entry, _offset, _length, { cpu }) => compareIntegers(operator, cpu, value);
}

function compileCpus(
  field: FilterField,
  operator: FilterOperator,
  { cpus }: CpusOperand,
  cpuCount: number,
): EntryPredicate {
  if (field.filterType === "cpumask") return compileCpuMask(field, operator, cpus, cpuCount);
  if (field.filterType === "cpu") {
    return (_entry, _offset, _length, { cpu }) => compareCpu(operator, cpu, cpus);
  }
  if (cpus.length === 1) {
    return compileInteger(field, operator === "&" ? "==" : operator, BigInt(cpus[0]), false);
  }
  const { offset: at, size } = field;
  const read = INTEGER_READERS[`u${size * 8}`];
  if (read === undefined) return () => false;
  return (entry, offset, length) => {
    if (at + size > length) return false;
    const cpu = Number(BigInt.asUintN(32, BigInt(read(entry, offset + at))));
    return cpu < cpuCount && compareCpu(operator, cpu, cpus);
  };
}

function compileCpuMask(
  { offset: at }: FilterField,
  operator: FilterOperator,
  cpus: readonly number[],
  cpuCount: number,
): EntryPredicate {
  return (entry, offset, length) => {
    if (at + 4 > length) return false;
    const start = entry.getUint16(offset + at, true);
    const set: number[] = [];
    for (let cpu = 0; cpu < cpuCount && start + (cpu >> 3) < length; cpu++) {
      if ((entry.getUint8(offset + start + (cpu >> 3)) >> (cpu & 7) & 1) !== 0) set.push(cpu);
    }
    return compareCpuSets(operator, set, cpus);
  };
}

function compileFunction(
  { offset: at, size }: FilterField,
  operator: FilterOperator,
  range: AddressRange | undefined,
): EntryPredicate {
  if (range === undefined) throw new TypeError("A bound function operand has a range");
  return (entry, offset, length) => {
    if (at + size > length) return false;
    const address = entry.getBigUint64(offset + at, true);
    return (range.start <= address && address < range.end) === (operator === "==");
  };
}

function compileString(
  field: FilterField,
  pattern: Pattern,
  memory: "kernel" | "user",
): EntryPredicate {
  const { offset: at, size } = field;
  switch (field.filterType) {
    case "comm":
      return (_entry, _offset, _length, { comm }) => {
        const data = bytesOf(toByteString(comm));
        return matchPattern(pattern, { data, start: 0, length: COMM_BYTES });
      };
    case "static_string":
      return (entry, offset, length) => {
        const data = bytesAt(entry, offset, length);
        return at + size <= length && matchPattern(pattern, { data, start: at, length: size });
      };
    case "dyn_string":
    case "rdyn_string": {
      const base = field.filterType === "rdyn_string" ? at + 4 : 0;
      return (entry, offset, length) => {
        if (at + 4 > length) return false;
        const start = base + entry.getUint16(offset + at, true);
        const data = bytesAt(entry, offset, length);
        const stringLength = entry.getUint16(offset + at + 2, true);
        return matchPattern(pattern, { data, start, length: stringLength });
      };
    }
    default:
      return (entry, offset, length, { readString }) => {
        if (at + 8 > length) return false;
        const found = readString?.(entry.getBigUint64(offset + at, true), memory);
        if (found === undefined) return false;
        const data = found.subarray(0, MAX_POINTED_BYTES);
        return matchPattern(pattern, { data, start: 0, length: data.length + 1 });
      };
  }
}

function bytesAt(entry: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(entry.buffer, entry.byteOffset + offset, length);
}
