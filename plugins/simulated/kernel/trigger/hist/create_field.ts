import { type FilterField, isStringField } from "../../../../../core/filter/field.ts";
import { refusal } from "./errors.ts";
import type { HistData } from "./data.ts";
import { FLAG, type HistField, type Source } from "./field.ts";

/** `MAX_FILTER_STR_VAL`: bytes that a string takes in keys and variables. */
const MAX_STRING = 256;
/** `HIST_STACKTRACE_SIZE`: 16 addresses. */
const STACK_SIZE = 128;

type Shape = Pick<HistField, "source" | "size" | "type"> & Partial<HistField>;

/**
 * A field of a histogram, from a field of the event or from what `flags` say
 * (`create_hist_field()`, kernel/trace/trace_events_hist.c).
 *
 * @throws {KernelError} ENOMEM for a field that has no value: an array of numbers
 */
export function createField(
  hist: HistData,
  field: FilterField | undefined,
  flags: number,
): HistField {
  return {
    hist,
    field,
    flags,
    offset: 0,
    signed: false,
    buckets: 0n,
    operands: [],
    readOnce: false,
    refIndex: 0,
    constant: 0n,
    multiplier: 0n,
    ...shapeOf(hist, field, flags),
  };
}

/** The field, as the variable called `name` if there is a name. */
export function asVariable(field: HistField, name: string | undefined): HistField {
  if (name !== undefined) field.variable = { name, hist: field.hist, index: UNPLACED };
  return field;
}

/** Index of a variable for which there is no place in entries yet. */
const UNPLACED = -1;

function shapeOf(hist: HistData, field: FilterField | undefined, flags: number): Shape {
  const has = (flag: number) => (flags & flag) !== 0;
  if (has(FLAG.EXPR | FLAG.ALIAS)) return { source: "none", size: 0, type: "" };
  if (has(FLAG.VAR_REF)) return { source: "var_ref", size: 0, type: "" };
  if (has(FLAG.HITCOUNT)) return { source: "hitcount", size: 8, type: "u64" };
  if (has(FLAG.CONST)) return { source: "constant", size: 8, type: "u64" };
  if (has(FLAG.STACKTRACE)) return stackShape(hist, field);
  if (has(FLAG.LOG2 | FLAG.BUCKET)) {
    const operand = createField(hist, field, flags & ~(FLAG.LOG2 | FLAG.BUCKET));
    const source: Source = has(FLAG.LOG2) ? "log2" : "bucket";
    return { source, size: operand.size, type: operand.type, operands: [operand] };
  }
  if (has(FLAG.TIMESTAMP)) return { source: "timestamp", size: 8, type: "u64" };
  if (has(FLAG.CPU)) return { source: "cpu", size: 4, type: "unsigned int" };
  if (field === undefined) return { source: "none", size: 0, type: "" };
  return eventFieldShape(field, flags);
}

function stackShape({ version }: HistData, field: FilterField | undefined): Shape {
  if (version === "6.1") return { source: "none", size: 0, type: "" };
  const source = field === undefined ? "none" : "stack";
  return { source, size: STACK_SIZE, type: "unsigned long[]" };
}

function eventFieldShape(field: FilterField, flags: number): Shape {
  const { type, filterType } = field;
  if (isStringField(field) && filterType !== "ptr_string") {
    const size = filterType === "static_string" ? field.size : MAX_STRING;
    return { source: "string", size, type, flags: flags | FLAG.STRING };
  }
  if (filterType === "stacktrace") {
    return { source: "stack", size: MAX_STRING, type, flags: flags | FLAG.STACKTRACE };
  }
  if (filterType === "trace_fn" || ![1, 2, 4, 8].includes(field.size)) throw refusal("ENOMEM");
  return { source: "integer", size: field.size, type, signed: field.signed };
}
