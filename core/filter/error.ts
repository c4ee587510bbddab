import { ERRNO, type ErrnoCode } from "../kernel/errno.ts";
import { textOffset, toByteString } from "./bytes.ts";

/** What the kernel says of a filter that it refuses (`ERRORS`, kernel/trace/trace_events_filter.c). */
export const FILTER_ERRORS = {
  INVALID_OP: "Invalid operator",
  TOO_MANY_OPEN: "Too many '('",
  TOO_MANY_CLOSE: "Too few '('",
  MISSING_QUOTE: "Missing matching quote",
  MISSING_BRACE_OPEN: "Missing '{'",
  MISSING_BRACE_CLOSE: "Missing '}'",
  OPERAND_TOO_LONG: "Operand too long",
  EXPECT_STRING: "Expecting string field",
  EXPECT_DIGIT: "Expecting numeric field",
  ILLEGAL_FIELD_OP: "Illegal operation for field type",
  FIELD_NOT_FOUND: "Field not found",
  ILLEGAL_INTVAL: "Illegal integer value",
  BAD_SUBSYS_FILTER: "Couldn't find or set field in one of a subsystem's events",
  TOO_MANY_PREDS: "Too many terms in predicate expression",
  INVALID_FILTER: "Meaningless filter expression",
  INVALID_CPULIST: "Invalid cpulist",
  INVALID_VALUE: "Invalid value (did you forget quotes)?",
  NO_FUNCTION: "Function not found",
  /** The kernel has no text for it. */
  ERRNO: "Error",
  NO_FILTER: "No filter found",
} as const;

/** The kernel's name of a reason to refuse a filter, without `FILT_ERR_`. */
export type FilterErrorCode = keyof typeof FILTER_ERRORS;

/** Where and why a filter fails. */
export interface FilterFault {
  readonly code: FilterErrorCode;
  readonly errno: ErrnoCode;
  /** The filter, as a byte string. */
  readonly filter: string;
  /** The kernel's position, in bytes; mostly one past the byte it means. */
  readonly position: number;
  /** The byte that the fault is at. */
  readonly at: number;
  /** What the kernel does not say: the name or value at fault. */
  readonly detail?: string;
  readonly hint?: string;
}

/**
 * A filter that the kernel refuses.
 *
 * `errno` is the kernel's (positive), `text` its words, `position` its caret in
 * bytes as `error_log` prints it. For people, `message` names what is at fault,
 * `offset` is its index in the filter text, and `hint` what would help.
 */
export class FilterError extends Error {
  readonly code: FilterErrorCode;
  readonly errno: number;
  readonly errnoName: ErrnoCode;
  readonly text: string;
  readonly position: number;
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(fault: FilterFault) {
    super(fault.detail ?? FILTER_ERRORS[fault.code]);
    this.name = "FilterError";
    this.code = fault.code;
    this.errno = ERRNO[fault.errno];
    this.errnoName = fault.errno;
    this.text = FILTER_ERRORS[fault.code];
    this.position = fault.position;
    this.offset = textOffset(fault.filter, fault.at);
    this.hint = fault.hint;
  }
}

/**
 * What an event's `filter` file holds after `filter` was refused with `error`:
 * the filter, a caret and the reason (`append_filter_err()`,
 * kernel/trace/trace_events_filter.c). The file prints one more line end.
 */
export function filterErrorText(filter: string, error: FilterError): string {
  if (error.code === "ERRNO") return `${filter}\nError: (0)\n`;
  const position = Math.min(error.position, toByteString(filter).length);
  const caret = "^".padStart(position === 0 ? 1 : position + 1);
  return `${filter}\n${caret}\nparse_error: ${error.text}\n`;
}
