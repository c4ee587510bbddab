import { filterSuffix, type TriggerFilter } from "../trigger.ts";
import { printActions } from "./action.ts";
import type { HistData } from "./data.ts";
import { FLAG, type HistField, modifierOf, nameOf } from "./field.ts";

/** What a trigger adds to its histogram. */
interface TriggerSpec {
  /** The name that it shares its histogram by, with `name=`. */
  readonly name: string | undefined;
  readonly filter: TriggerFilter | undefined;
  readonly paused: boolean;
}

/** The trigger as its file shows it (`event_hist_trigger_print()`), with a line end. */
export function printTrigger(hist: HistData, { name, filter, paused }: TriggerSpec): string {
  const { attributes, values, version } = hist;
  const variables = values.filter(isVariable).map(printField).join(",");
  const shown = values.slice(1).filter((field) => !isVariable(field)).map(printField);
  return [
    "hist:",
    name === undefined ? "" : `${name}:`,
    `keys=${hist.keys.map((key) => printKey(key, version)).join(",")}`,
    `:vals=${(attributes.hideHitcount ? shown : ["hitcount", ...shown]).join(",")}`,
    variables === "" ? "" : `:${variables}`,
    `:sort=${hist.sortKeys.map((_, i) => printSortKey(hist, i)).join(",")}`,
    `:size=${1 << attributes.sizeBits}`,
    hist.usesTimestamps ? `:clock=${attributes.clock}` : "",
    attributes.hideHitcount ? ":nohitcount" : "",
    printActions(hist),
    filterSuffix(filter),
    paused ? " [paused]\n" : " [active]\n",
  ].join("");
}

function isVariable({ flags }: HistField): boolean {
  return (flags & FLAG.VAR) !== 0;
}

function printKey(key: HistField, version: "6.1" | "6.12"): string {
  if ((key.flags & FLAG.STACKTRACE) === 0) return printField(key);
  if (version === "6.1") return "stacktrace";
  return key.field === undefined ? "common_stacktrace" : `${key.field.name}.stacktrace`;
}

function printSortKey(hist: HistData, place: number): string {
  const { index, descending } = hist.sortKeys[place];
  const name = index === 0 ? "hitcount" : printField(sortable(hist)[index]);
  return name + (descending ? ".descending" : "");
}

/** What entries may be sorted by: values and keys, without the variables. */
export function sortable(hist: HistData): HistField[] {
  return hist.fields.filter((field) => !isVariable(field));
}

/** A field as it stands in a command (`hist_field_print()`). */
function printField(field: HistField): string {
  const { buckets, variable, hist, flags } = field;
  const name = variable?.name === undefined ? "" : `${variable.name}=`;
  const plain = FLAG.VAR_REF | FLAG.EXPR | (hist.version === "6.1" ? 0 : FLAG.STACKTRACE);
  const modifier = (flags & plain) === 0 ? modifierOf(field) : "";
  return name + bareField(field) + modifier + (buckets === 0n ? "" : `=${buckets}`);
}

function bareField(field: HistField): string {
  const { flags, constant, system, hist } = field;
  if ((flags & FLAG.CPU) !== 0) return "common_cpu";
  if ((flags & FLAG.CONST) !== 0) return String(constant);
  const isReference = (flags & (FLAG.VAR_REF | FLAG.ALIAS)) !== 0;
  const dollar = isReference && (system === undefined || hist.version === "6.1") ? "$" : "";
  return dollar + nameOf(field);
}
