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

/** One field of a trace event, as `struct ftrace_event_field` describes it. */
export interface EventField {
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

/** The fields that start every entry (`struct trace_entry`, kernel/trace/trace_events.c). */
export const COMMON_FIELDS: readonly EventField[] = [
  {
    name: "common_type",
    type: "unsigned short",
    offset: 0,
    size: 2,
    signed: false,
    filterType: "other",
  },
  {
    name: "common_flags",
    type: "unsigned char",
    offset: 2,
    size: 1,
    signed: false,
    filterType: "other",
  },
  {
    name: "common_preempt_count",
    type: "unsigned char",
    offset: 3,
    size: 1,
    signed: false,
    filterType: "other",
  },
  { name: "common_pid", type: "int", offset: 4, size: 4, signed: true, filterType: "other" },
];
