import { type FilterField, filterTypeOf } from "../../filter/field.ts";
import { type FetchExpression, fieldType } from "../../probe/fetch_arg.ts";
import { fieldSize, type FieldType } from "../../probe/fetch_type.ts";
import { entriesOf, get, type Plain } from "../tree.ts";
import { ValueError } from "../units.ts";
import { kernelFieldType } from "../../user_events/field_type.ts";
import type { DefinedKind } from "./capture.ts";
import type { EventFields } from "./filter.ts";

/** The fields of a probe's event: what it captures, and where it was hit. */
export function capturedFields(
  expressions: ReadonlyMap<string, FetchExpression>,
  kind: DefinedKind,
): EventFields {
  const fields = new Map<string, FilterField | undefined>();
  for (const [name, expression] of expressions) {
    fields.set(name, ofType(name, fieldType(expression)));
  }
  const places = kind === "kprobe" || kind === "uprobe"
    ? ["__probe_ip"]
    : ["__probe_func", "__probe_ret_ip"];
  for (const name of places) fields.set(name, integer(name, "unsigned long", 8, false));
  return { are: "captured", fields };
}

/** The field that a captured value becomes; undefined where the kernel chooses its type. */
function ofType(name: string, type: FieldType): FilterField | undefined {
  switch (type.kind) {
    case "btf":
      return undefined;
    case "string": {
      const text = "__data_loc char[]";
      const filterType = filterTypeOf(text, "6.12");
      return { name, type: text, offset: 0, size: 4, signed: true, filterType };
    }
    case "bitfield":
      return integer(name, `u${type.bits}`, fieldSize(type), false);
    case "integer":
      return integer(name, `${type.signed ? "s" : "u"}${type.bits}`, fieldSize(type), type.signed);
  }
}

function integer(name: string, type: string, size: number, signed: boolean): FilterField {
  return { name, type, offset: 0, size, signed, filterType: "other" };
}

/** The fields of a user_event that the config declares. */
export function declaredFields(event: Plain): EventFields {
  const fields = new Map<string, FilterField | undefined>();
  for (const [name, type] of entriesOf(get(event, "fields"))) {
    fields.set(name, typeof type === "string" ? declaredField(name, type) : undefined);
  }
  return { are: "declared", fields };
}

function declaredField(name: string, declared: string): FilterField | undefined {
  try {
    const type = kernelFieldType(declared);
    const filterType = filterTypeOf(type, "6.12");
    // Signed as the kernel has it: all but what starts with a "u" (kernel/trace/trace_events_user.c).
    return { name, type, offset: 0, size: 8, signed: type[0] !== "u", filterType };
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}
