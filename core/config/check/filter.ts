import { fieldsOf, type ParsedFilter, predicatesOf } from "../../filter/ast.ts";
import { FilterError } from "../../filter/error.ts";
import { COMMON_FIELDS, type FilterField, findField, genericFields } from "../../filter/field.ts";
import { bindFilter, parseFilter } from "../../filter/parse.ts";
import type { Finding } from "../finding.ts";
import { didYouMean } from "../text.ts";
import type { Path } from "../tree.ts";

/** The newest grammar that is known: what an older kernel refuses is found on that kernel. */
const VERSION = "6.12";

const COMMON_NAMES = [...COMMON_FIELDS, ...genericFields(VERSION)].map(({ name }) => name);

/** The fields of an event, as far as a config tells. */
export interface EventFields {
  /** What the fields are, in words: `captured` or `declared`. */
  readonly are: string;
  /** A type is absent where only the kernel knows it. */
  readonly fields: ReadonlyMap<string, FilterField | undefined>;
}

/** Checks the filter at `path`; against the event's fields too where they are known. */
export function checkFilter(text: string, path: Path, event: EventFields | undefined): Finding[] {
  if (text.trim() === "") {
    return [{ path, code: "bad_value", message: "The filter is empty", hint: "Remove the key" }];
  }
  try {
    const filter = parseFilter(text, VERSION);
    if (event === undefined) return [];
    const unknown = unknownFields(filter, path, event);
    if (unknown.length === 0) checkTypes(filter, event);
    return unknown;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { message, hint, offset } = error;
    return [{ path, code: "bad_value", message, offset, ...(hint !== undefined && { hint }) }];
  }
}

function unknownFields(filter: ParsedFilter, path: Path, { are, fields }: EventFields): Finding[] {
  const unknown = predicatesOf(filter.root).filter(({ name }) =>
    !fields.has(name) && findField(name, [], VERSION) === undefined
  );
  // Those with "__" hold addresses of the probe's place, and are not worth an offer.
  const own = [...fields.keys()].filter((name) => !name.startsWith("__"));
  return unknown.map(({ name, start }) => ({
    path,
    offset: start,
    length: name.length,
    code: "undeclared",
    message: `Field "${name}" of the filter is not ${are}`,
    hint: () =>
      didYouMean(name, [...own, ...COMMON_NAMES]) ??
        `The event has ${[...own, "comm", "cpu", "common_pid"].join(", ")}`,
  }));
}

/** @throws {FilterError} if a value does not fit the field that it is compared with. */
function checkTypes(filter: ParsedFilter, { fields }: EventFields): void {
  const known = [...fields.values()].filter((field) => field !== undefined);
  const compared = fieldsOf(filter);
  if (compared.some((name) => fields.has(name) && fields.get(name) === undefined)) return;
  bindFilter(filter, known, {
    version: VERSION,
    cpuCount: 8192,
    findFunction: () => ({ start: 0n, end: 1n }), // Functions are looked up on the host.
  });
}
