/**
 * Types of user_event fields, as people write them and as the kernel takes them.
 *
 * Grammar and limits: `user_event_parse_field()` of kernel/trace/trace_events_user.c. The kernel
 * checks little of it, so what it would take and then print wrongly is refused here.
 * @module
 */

import { quote } from "../probe/identifier.ts";
import { didYouMean } from "../config/text.ts";
import { ValueError } from "../config/units.ts";

/** Types of the kernel that have one size. */
const FIXED_TYPES = [
  "u8",
  "u16",
  "u32",
  "u64",
  "s8",
  "s16",
  "s32",
  "s64",
  "int",
  "unsigned int",
  "short",
  "unsigned short",
  "char",
  "unsigned char",
] as const;

/** Types of ours for data of any length. Only `__rel_loc` survives a change of the header. */
const DYNAMIC_TYPES: Readonly<Record<string, string>> = {
  string: "__rel_loc char[]",
  bytes: "__rel_loc u8[]",
};

/** MAX_FIELD_ARRAY_SIZE of kernel/trace/trace_events_user.c. */
const MAX_ARRAY = 1024;
/** MAX_EVENT_DESC is 512 there, with the NUL. */
export const MAX_REGISTRATION = 511;

/** What a field type looks like, for hints. */
const TYPE_HINT = "Types are u8 to u64, s8 to s64, char[1] to char[1024], string and bytes";

/**
 * The kernel's spelling of a field type: `string` is `__rel_loc char[]`.
 * @throws {ValueError} for a type that user_events cannot have, with a hint.
 */
export function kernelFieldType(type: string): string {
  if (Object.hasOwn(DYNAMIC_TYPES, type)) return DYNAMIC_TYPES[type];
  if ((FIXED_TYPES as readonly string[]).includes(type)) return type;
  if (Object.values(DYNAMIC_TYPES).includes(type)) return type;
  const array = /^((?:unsigned )?char)\[([0-9]{1,5})\]$/.exec(type);
  if (array === null) {
    const near = didYouMean(type, [...FIXED_TYPES, ...Object.keys(DYNAMIC_TYPES)]);
    throw new ValueError(
      `Unknown field type ${quote(type)}`,
      near ?? TYPE_HINT,
    );
  }
  const length = Number(array[2]);
  if (length < 1 || length > MAX_ARRAY) {
    throw new ValueError(`Array of ${length} characters`, `Write 1 to ${MAX_ARRAY}, or string`);
  }
  return `${array[1]}[${length}]`;
}

/**
 * The text that registers an event: `name type field; type field`. `fields` are in the order of
 * the payload, with their types as {@link kernelFieldType} takes them.
 * @throws {ValueError} for a type that user_events cannot have.
 */
export function registrationText(
  name: string,
  fields: Iterable<readonly [name: string, type: string]>,
): string {
  const parts = Array.from(fields, ([field, type]) => `${kernelFieldType(type)} ${field}`);
  // 6.12 compares a registration with what exists word for word, blanks included.
  return parts.length === 0 ? name : `${name} ${parts.join("; ")}`;
}
