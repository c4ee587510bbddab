/**
 * What a dynamic event looks like from outside: its fields, its print fmt and
 * its `format` file (kernel/trace/trace_probe.c, kernel/trace/trace_events.c).
 * @module
 */
import { COMMON_FIELDS, type EventField, type FilterType } from "../event_field.ts";
import { type ProbeArgument, storedSize } from "./fetch_program.ts";

/** How the entries of a probe event start, behind the common fields. */
export type EntryHeader = "entry" | "return" | "none";

/** Bytes of the common fields (`struct trace_entry`). */
const COMMON_SIZE = 8;

const HEADER_NAMES: Record<EntryHeader, readonly string[]> = {
  entry: ["__probe_ip"],
  return: ["__probe_func", "__probe_ret_ip"],
  none: [],
};

/** Bytes from the start of the entry to the first argument. */
export function headerSize(header: EntryHeader): number {
  return COMMON_SIZE + 8 * HEADER_NAMES[header].length;
}

/** How filters treat a field of this type (`filter_assign_type`, kernel/trace/trace_events_filter.c). */
export function filterTypeOf(type: string): FilterType {
  if (type.includes("__data_loc") && type.includes("char")) return "dyn_string";
  return type.includes("[") && type.includes("char") ? "static_string" : "other";
}

/** The type of an argument as the event's field has it. */
function fieldType(argument: ProbeArgument): string {
  const name = argument.type.formatName;
  return argument.count > 0 ? `${name}[${argument.count}]` : name;
}

/** The fields of a probe event, without the common ones. */
export function probeFields(
  header: EntryHeader,
  probeArguments: readonly ProbeArgument[],
): EventField[] {
  const addresses = HEADER_NAMES[header].map((name, i): EventField => ({
    name,
    type: "unsigned long",
    offset: COMMON_SIZE + 8 * i,
    size: 8,
    signed: false,
    filterType: "other",
  }));
  const values = probeArguments.map((argument): EventField => ({
    name: argument.name,
    type: fieldType(argument),
    offset: headerSize(header) + argument.offset,
    size: storedSize(argument.type, argument.count),
    signed: argument.type.signed,
    filterType: filterTypeOf(fieldType(argument)),
  }));
  return [...addresses, ...values];
}

const HEADER_PRINTF: Record<EntryHeader, string> = {
  entry: "(%lx)",
  return: "(%lx <- %lx)",
  none: "",
};

function argumentPrintf(argument: ProbeArgument): string {
  const { printf } = argument.type;
  if (argument.count === 0) return ` ${argument.name}=${printf}`;
  return ` ${argument.name}={${Array(argument.count).fill(printf).join(",")}}`;
}

function argumentValues(argument: ProbeArgument): string[] {
  const one = (name: string) => argument.type.isString ? `__get_str(${name})` : `REC->${name}`;
  if (argument.count === 0) return [one(argument.name)];
  return Array.from({ length: argument.count }, (_, i) => one(`${argument.name}[${i}]`));
}

/** The print fmt of a probe event (`traceprobe_set_print_fmt`). */
export function probePrintFmt(
  header: EntryHeader,
  probeArguments: readonly ProbeArgument[],
): string {
  const printf = HEADER_PRINTF[header] + probeArguments.map(argumentPrintf).join("");
  const values = [
    ...HEADER_NAMES[header].map((name) => `REC->${name}`),
    ...probeArguments.flatMap(argumentValues),
  ];
  return [`"${printf}"`, ...values].join(", ");
}

/** One line of a `format` file (`f_show`); dynamic events do not show how long an array is. */
function showField(field: EventField, isCommon: boolean): string {
  const bracket = isCommon || field.type.startsWith("__data_loc") ? -1 : field.type.indexOf("[");
  const declaration = bracket < 0
    ? `${field.type} ${field.name}`
    : `${field.type.slice(0, bracket)} ${field.name}[]`;
  const signed = field.signed ? 1 : 0;
  return `\tfield:${declaration};\toffset:${field.offset};\tsize:${field.size};\tsigned:${signed};\n`;
}

/** The `format` file of a dynamic event. */
export function formatText(
  event: {
    readonly name: string;
    readonly id: number;
    readonly fields: readonly EventField[];
    readonly printFmt: string;
  },
): string {
  const common = COMMON_FIELDS.map((field) => showField(field, true)).join("");
  const own = event.fields.map((field) => showField(field, false)).join("");
  const head = `name: ${event.name}\nID: ${event.id}\nformat:\n`;
  return `${head}${common}\n${own}\nprint fmt: ${event.printFmt}\n`;
}
