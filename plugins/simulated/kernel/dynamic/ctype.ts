/**
 * Characters and words as the kernel sees them: one character is one byte
 * (Latin-1), with the classes of the kernel's own table (lib/ctype.c), in which
 * bytes above 127 can be letters and 0xa0 is a space.
 * @module
 */

const SPACES = /[\t-\r \xa0]+/;
const ALPHA = /[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]/;
const DIGIT = /[0-9]/;
const GOOD_NAME = /^[A-Za-z_\xc0-\xd6\xd8-\xf6\xf8-\xff][A-Za-z0-9_\xc0-\xd6\xd8-\xf6\xf8-\xff]*$/;
const GOOD_SYSTEM_NAME =
  /^[A-Za-z_\-\xc0-\xd6\xd8-\xf6\xf8-\xff][A-Za-z0-9_\-\xc0-\xd6\xd8-\xf6\xf8-\xff]*$/;

/** Longest event or group name with its NUL (`MAX_EVENT_NAME_LEN`, include/linux/trace_events.h). */
export const MAX_EVENT_NAME_LEN = 64;

/** Whether `text` starts with a decimal digit; false for an empty text. */
export function startsWithDigit(text: string): boolean {
  return DIGIT.test(text.charAt(0));
}

/** Whether `text` starts with a letter; false for an empty text. */
export function startsWithAlpha(text: string): boolean {
  return ALPHA.test(text.charAt(0));
}

/** The words of `text`, split at white space; there is no quoting (lib/argv_split.c). */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== "");
}

/** `text` without the white space it starts with (`skip_spaces`). */
export function skipSpaces(text: string): string {
  return text.replace(/^[\t-\r \xa0]+/, "");
}

/** Whether `name` may name an event, a field or an argument (`is_good_name`, kernel/trace/trace.h). */
export function isGoodName(name: string): boolean {
  return GOOD_NAME.test(name);
}

/** Whether `name` may name a group; `-` is allowed anywhere (`is_good_system_name`). */
export function isGoodSystemName(name: string): boolean {
  return GOOD_SYSTEM_NAME.test(name);
}

/**
 * An event name that the kernel made up, cut at 63 characters, with `:`, `.` and
 * `*` turned into `_`. The first character is left alone (`sanitize_event_name`).
 */
export function madeUpEventName(text: string): string {
  const cut = text.slice(0, MAX_EVENT_NAME_LEN - 1);
  return cut.slice(0, 1) + cut.slice(1).replace(/[:.*]/g, "_");
}
