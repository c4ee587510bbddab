/**
 * Fields of synthetic events (kernel/trace/trace_events_synth.c).
 * @module
 */
import { isGoodName } from "./ctype.ts";
import { parseUnsigned } from "./numbers.ts";

/** Bytes that a string of fixed length takes in the entry, whatever its length (`STR_VAR_LEN_MAX`). */
export const FIXED_STRING_SIZE = 256;

/** One field of a synthetic event. */
export interface SyntheticField {
  /** As in the `format` file; `__data_loc` in front if the value is stored apart. */
  readonly type: string;
  readonly name: string;
  /** Bytes of the value: 8 for one that is stored apart. */
  readonly size: number;
  readonly signed: boolean;
  readonly isString: boolean;
  /** Whether it is a stack trace: `long[]`. */
  readonly isStack: boolean;
  readonly isDynamic: boolean;
}

const INTEGERS: ReadonlyMap<string, { readonly size: number; readonly printf: string }> = new Map(
  Object.entries({
    s64: { size: 8, printf: "%lld" },
    u64: { size: 8, printf: "%llu" },
    s32: { size: 4, printf: "%d" },
    u32: { size: 4, printf: "%u" },
    s16: { size: 2, printf: "%d" },
    u16: { size: 2, printf: "%u" },
    s8: { size: 1, printf: "%d" },
    u8: { size: 1, printf: "%u" },
    char: { size: 1, printf: "%d" },
    "unsigned char": { size: 1, printf: "%u" },
    int: { size: 4, printf: "%d" },
    "unsigned int": { size: 4, printf: "%u" },
    long: { size: 8, printf: "%ld" },
    "unsigned long": { size: 8, printf: "%lu" },
    bool: { size: 1, printf: "%d" },
    pid_t: { size: 4, printf: "%d" },
    gfp_t: { size: 4, printf: "%x" },
  }),
);

/** Why a field is refused. */
export interface FieldError {
  readonly code:
    | "INCOMPLETE_TYPE"
    | "INVALID_TYPE"
    | "INVALID_FIELD"
    | "INVALID_ARRAY_SPEC"
    | "BAD_NAME";
  /** The text that the caret points to, where it first stands in the command. */
  readonly text: string;
}

/**
 * The field that `words` start with: a type, of one word or `unsigned` and
 * another, and a name, perhaps with an array length.
 */
export function parseSyntheticField(
  words: readonly string[],
): { readonly field: SyntheticField; readonly used: number } | FieldError {
  const [first = "", second, third] = words;
  const isUnsigned = first === "unsigned";
  if (isUnsigned && third === undefined) return { code: "INCOMPLETE_TYPE", text: first };
  const baseType = isUnsigned ? second ?? "" : first;
  const declared = isUnsigned ? third : second;
  if (declared === undefined) return { code: "INVALID_FIELD", text: baseType };
  const bracket = declared.indexOf("[");
  const name = bracket < 0 ? declared : declared.slice(0, bracket);
  if (!isGoodName(name)) return { code: "BAD_NAME", text: declared };
  const array = bracket < 0 ? "" : declared.slice(bracket);
  const type = `${isUnsigned ? "unsigned " : ""}${baseType}${array}`;
  const size = sizeOf(type);
  if (size === undefined) {
    return array === ""
      ? { code: "INVALID_TYPE", text: baseType }
      : { code: "INVALID_ARRAY_SPEC", text: declared };
  }
  const field = makeField(type, name, size);
  if (field === undefined) return { code: "INVALID_TYPE", text: baseType };
  return { field, used: isUnsigned ? 3 : 2 };
}

function makeField(type: string, name: string, size: number): SyntheticField | undefined {
  const isString = type.includes("char[");
  const isStack = !isString && type.includes("long[");
  const isDynamic = size === 0;
  if (isDynamic && !isString && !isStack) return undefined;
  const shown = isDynamic ? `__data_loc ${type}` : type;
  const signed = !shown.startsWith("u") && shown !== "gfp_t";
  return { type: shown, name, size: isDynamic ? 8 : size, signed, isString, isStack, isDynamic };
}

/** Bytes of a type; 0 for an unknown one or one of any length, nothing for a bad length. */
function sizeOf(type: string): number | undefined {
  return INTEGERS.get(type)?.size ?? (type.includes("char[") ? stringSize(type) : 0);
}

function stringSize(type: string): number | undefined {
  const start = type.indexOf("char[") + 5;
  const end = type.indexOf("]");
  if (end < start || end !== type.length - 1 || end - start > 3) return undefined;
  if (end === start) return 0;
  const size = parseUnsigned(type.slice(start, end), 0);
  return typeof size === "bigint" && size <= FIXED_STRING_SIZE ? Number(size) : undefined;
}

/** The conversion of a field in the print fmt. */
export function syntheticPrintf(field: SyntheticField): string {
  return field.isString || field.isStack ? "%s" : INTEGERS.get(field.type)?.printf ?? "%llu";
}
