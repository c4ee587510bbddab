/**
 * The fields of a trace event as filters see them
 * (`struct ftrace_event_field`, kernel/trace/trace.h).
 * @module
 */

/** A kernel whose filter grammar is known: 6.12 added `CPUS{…}` and `.function`. */
export type FilterVersion = "6.1" | "6.12";

/**
 * How a field takes part in filters (`enum` in include/linux/trace_events.h):
 * `other` is an integer, the strings differ in where their bytes are.
 */
export type FilterType =
  | "other"
  | "static_string"
  | "dyn_string"
  | "rdyn_string"
  | "ptr_string"
  | "trace_fn"
  | "comm"
  | "cpu"
  | "cpumask"
  | "stacktrace";

/** One field of a trace event. */
export interface FilterField {
  readonly name: string;
  /** The type as the `format` file prints it before the name: `u64`, `char[16]`, `__data_loc char[]`. */
  readonly type: string;
  /** Bytes from the start of the entry. */
  readonly offset: number;
  /** Bytes the field takes in the entry; 4 for `__data_loc` and `__rel_loc`. */
  readonly size: number;
  readonly signed: boolean;
  readonly filterType: FilterType;
}

function common(name: string, type: string, offset: number, size: number): FilterField {
  return { name, type, offset, size, signed: type === "int", filterType: "other" };
}

/** The fields that start every entry (`struct trace_entry`, include/linux/trace_events.h). */
export const COMMON_FIELDS: readonly FilterField[] = [
  common("common_type", "unsigned short", 0, 2),
  common("common_flags", "unsigned char", 2, 1),
  common("common_preempt_count", "unsigned char", 3, 1),
  common("common_pid", "int", 4, 4),
];

function generic(name: string, type: string, filterType: FilterType): FilterField {
  return { name, type, offset: 0, size: 0, signed: type === "int", filterType };
}

const GENERIC_FIELDS: readonly FilterField[] = [
  generic("CPU", "int", "cpu"),
  generic("cpu", "int", "cpu"),
  generic("common_cpu", "int", "cpu"),
  generic("COMM", "char *", "comm"),
  generic("comm", "char *", "comm"),
];

const STACK_FIELDS: readonly FilterField[] = [
  generic("stacktrace", "char *", "stacktrace"),
  generic("STACKTRACE", "char *", "stacktrace"),
];

/**
 * The fields that every event has without storing them: the CPU and the name of
 * the task (`trace_define_generic_fields()`, kernel/trace/trace_events.c).
 */
export function genericFields(version: FilterVersion): readonly FilterField[] {
  return version === "6.1" ? GENERIC_FIELDS : [...GENERIC_FIELDS, ...STACK_FIELDS];
}

/**
 * The field called `name`: the event's own, else a generic one, else a common
 * one, as `trace_find_event_field()` looks.
 */
export function findField(
  name: string,
  fields: readonly FilterField[],
  version: FilterVersion,
): FilterField | undefined {
  const called = (field: FilterField) => field.name === name;
  return fields.find(called) ?? genericFields(version).find(called) ?? COMMON_FIELDS.find(called);
}

/** Whether filters compare `field` with quoted strings. */
export function isStringField(field: FilterField): boolean {
  switch (field.filterType) {
    case "static_string":
    case "dyn_string":
    case "rdyn_string":
    case "ptr_string":
    case "comm":
      return true;
    default:
      return false;
  }
}

/** The filter type of a field declared as `type` (`filter_assign_type()`, kernel/trace/trace_events_filter.c). */
export function filterTypeOf(type: string, version: FilterVersion): FilterType {
  const isChar = type.includes("char");
  if (type.includes("__data_loc")) {
    if (isChar) return "dyn_string";
    if (type.includes("cpumask_t") && version !== "6.1") return "cpumask";
  }
  if (type.includes("__rel_loc") && isChar) return "rdyn_string";
  if (type.includes("[") && isChar) return "static_string";
  if (type === "char *" || type === "const char *") return "ptr_string";
  return "other";
}
