import type { ErrnoCode } from "../../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../../core/kernel/error.ts";
import type { TriggerErrorLog } from "../host.ts";

/** What the kernel says of a `hist` trigger that it refuses (`ERRORS`, kernel/trace/trace_events_hist.c). */
export const HIST_ERRORS = {
  DUPLICATE_VAR: "Variable already defined",
  VAR_NOT_UNIQUE:
    "Variable name not unique, need to use fully qualified name (subsys.event.var) for variable",
  TOO_MANY_VARS: "Too many variables defined",
  MALFORMED_ASSIGNMENT: "Malformed assignment",
  NAMED_MISMATCH: "Named hist trigger doesn't match existing named trigger (includes variables)",
  TRIGGER_EEXIST: "Hist trigger already exists",
  TRIGGER_ENOENT_CLEAR: "Can't clear or continue a nonexistent hist trigger",
  SET_CLOCK_FAIL: "Couldn't set trace_clock",
  BAD_FIELD_MODIFIER: "Invalid field modifier",
  TOO_MANY_SUBEXPR: "Too many subexpressions (3 max)",
  TIMESTAMP_MISMATCH: "Timestamp units in expression don't match",
  TOO_MANY_FIELD_VARS: "Too many field variables defined",
  EVENT_FILE_NOT_FOUND: "Event file not found",
  HIST_NOT_FOUND: "Matching event histogram not found",
  HIST_CREATE_FAIL: "Couldn't create histogram for field",
  SYNTH_VAR_NOT_FOUND: "Couldn't find synthetic variable",
  SYNTH_EVENT_NOT_FOUND: "Couldn't find synthetic event",
  SYNTH_TYPE_MISMATCH: "Param type doesn't match synthetic event field type",
  SYNTH_COUNT_MISMATCH: "Param count doesn't match synthetic event field count",
  FIELD_VAR_PARSE_FAIL: "Couldn't parse field variable",
  VAR_CREATE_FIND_FAIL: "Couldn't create or find variable",
  ONX_NOT_VAR: "For onmax(x) or onchange(x), x must be a variable",
  ONX_VAR_NOT_FOUND: "Couldn't find onmax or onchange variable",
  ONX_VAR_CREATE_FAIL: "Couldn't create onmax or onchange variable",
  FIELD_VAR_CREATE_FAIL: "Couldn't create field variable",
  TOO_MANY_PARAMS: "Too many action params",
  INVALID_PARAM: "Invalid action param",
  PARAM_NOT_FOUND: "Couldn't find param",
  ACTION_NOT_FOUND: "No action found",
  TOO_MANY_SAVE_ACTIONS: "Can't have more than one save() action per hist",
  ACTION_MISMATCH: "Handler doesn't support action",
  NO_CLOSING_PAREN: "No closing paren found",
  SUBSYS_NOT_FOUND: "Missing subsystem",
  INVALID_SUBSYS_EVENT: "Invalid subsystem or event name",
  INVALID_REF_KEY: "Using variable references in keys not supported",
  VAR_NOT_FOUND: "Couldn't find variable",
  FIELD_NOT_FOUND: "Couldn't find field",
  EMPTY_ASSIGNMENT: "Empty assignment",
  INVALID_SORT_MODIFIER: "Invalid sort modifier",
  EMPTY_SORT_FIELD: "Empty sort field",
  TOO_MANY_SORT_FIELDS: "Too many sort fields (Max = 2)",
  INVALID_SORT_FIELD: "Sort field must be a key or a val",
  INVALID_STR_OPERAND: "String type can not be an operand in expression",
  EXPECT_NUMBER: "Expecting numeric literal",
  UNARY_MINUS_SUBEXPR: "Unary minus not supported in sub-expressions",
  DIVISION_BY_ZERO: "Division by zero",
  NEED_NOHC_VAL: "Non-hitcount value is required for 'nohitcount'",
} as const;

/** The kernel's name of an error, without `HIST_ERR_`. */
export type HistErrorCode = keyof typeof HIST_ERRORS;

/** Bytes that the kernel keeps of `hist:SYSTEM:EVENT`. */
const MAX_LOCATION = 255;

/**
 * The command that errors are logged for. The kernel has one for all, and
 * commands that it gives to itself leave it as it is.
 */
export class HistCommandLog {
  #command: string | undefined;
  #location = "";

  /** Starts a command: what follows `hist:`. */
  start(system: string, event: string, text: string | undefined): void {
    this.end();
    if (text === undefined) return;
    this.#command = `hist:${text}`;
    this.#location = `hist:${system}:${event}`.slice(0, MAX_LOCATION);
  }

  /** Forgets the command. */
  end(): void {
    if (this.#command !== undefined) this.#command = "";
    this.#location = "";
  }

  /** Logs an error; the caret goes to where `part` first stands in the command, else to its start. */
  report(log: TriggerErrorLog, code: HistErrorCode, part?: string): void {
    if (this.#command === undefined) return;
    const position = part === undefined ? 0 : Math.max(0, this.#command.indexOf(part));
    log.log(this.#location, this.#command, HIST_ERRORS[code], position);
  }
}

/** The refusal of a write to a `trigger` file. */
export function refusal(errno: ErrnoCode): KernelError {
  return new KernelError(errno, "write");
}
