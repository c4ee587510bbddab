import type { FilterType } from "../../../core/filter/field.ts";

export { COMMON_FIELDS } from "../../../core/filter/field.ts";
export type { FilterType };

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
  /** Elements of an array in the entry; absent where the kernel keeps none and prints `[]`, as for probes. */
  readonly length?: number;
}
