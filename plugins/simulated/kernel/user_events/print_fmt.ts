import type { EventField } from "../event_field.ts";

const FORMATS: ReadonlyMap<string, string> = new Map([
  ["s64", "%lld"],
  ["u64", "%llu"],
  ["s32", "%d"],
  ["u32", "%u"],
  ["int", "%d"],
  ["unsigned int", "%u"],
  ["s16", "%d"],
  ["u16", "%u"],
  ["short", "%d"],
  ["unsigned short", "%u"],
  ["s8", "%d"],
  ["u8", "%u"],
  ["char", "%d"],
  ["unsigned char", "%u"],
]);

/**
 * The `print fmt` of an event with these fields (`user_event_set_print_fmt`). Field names go in
 * as they are, so a quote in one makes a format that nothing can read.
 */
export function printFmt(fields: readonly EventField[]): string {
  const formats = fields.map((field) => `${field.name}=${formatOf(field.type)}`);
  const values = fields.map((field) => `, ${valueOf(field)}`);
  return `"${formats.join(" ")}"${values.join("")}`;
}

function formatOf(type: string): string {
  return FORMATS.get(type) ?? (type.includes("char[") ? "%s" : "%llu");
}

function valueOf({ type, name }: EventField): string {
  if (type.includes("char")) {
    if (type.startsWith("__data_loc ")) return `__get_str(${name})`;
    if (type.startsWith("__rel_loc ")) return `__get_rel_str(${name})`;
  }
  return `REC->${name}`;
}
