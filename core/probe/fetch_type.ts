import { DefinitionError } from "./error.ts";
import { parseInteger } from "./number.ts";

/** Most elements of an array (`MAX_ARRAY_LEN`, kernel/trace/trace_probe.h). */
const MAX_ARRAY = 64n;

/** Types of one value (`probe_fetch_types`, kernel/trace/trace_probe.c). */
const BASIC_TYPES = [
  ..."u8 u16 u32 u64 s8 s16 s32 s64 x8 x16 x32 x64".split(" "),
  ..."char string ustring symbol symstr".split(" "),
];

/** What follows the `:` of a fetch argument. */
export type FetchType =
  | {
    readonly kind: "basic";
    /** `u8` to `u64`, `s8` to `s64`, `x8` to `x64`, `char`, `string`, `ustring`, `symbol`, `symstr`. */
    readonly name: string;
    /** Elements of an array, 1 to 64; absent for a single value. */
    readonly count?: number;
  }
  | {
    /** `b<width>@<offset>/<container>`: some bits of an integer. */
    readonly kind: "bitfield";
    readonly width: number;
    readonly offset: number;
    readonly container: 8 | 16 | 32 | 64;
    readonly count?: number;
  }
  | {
    /** The name of a `struct dentry` (`%pd`) or `struct file` (`%pD`) that the value points to. */
    readonly kind: "path";
    readonly name: "%pd" | "%pD";
  };

/** What the field of the event holds. */
export type FieldType =
  | {
    readonly kind: "integer";
    readonly bits: 8 | 16 | 32 | 64;
    readonly signed: boolean;
    /** How the kernel prints it. */
    readonly shown: "decimal" | "hex" | "character" | "symbol";
    readonly count?: number;
  }
  | {
    readonly kind: "bitfield";
    /** Bits that count; the field itself has `bits`. */
    readonly width: number;
    readonly bits: 8 | 16 | 32 | 64;
    readonly count?: number;
  }
  | { readonly kind: "string"; readonly count?: number }
  /** The kernel decides by its BTF when the probe is defined. */
  | { readonly kind: "btf" };

/** Reads the type that starts at `offset` of `text`. */
export function parseType(text: string, offset: number): FetchType {
  const body = text.slice(offset);
  if (body === "%pd" || body === "%pD") return { kind: "path", name: body };
  const bracket = body.indexOf("[");
  const base = bracket < 0 ? body : body.slice(0, bracket);
  const type = parseBase(text, offset, base);
  if (bracket < 0) return type;
  return { ...type, count: parseCount(text, offset + bracket) };
}

/** A type as the kernel reads it, without the `:`. */
export function formatType(type: FetchType): string {
  if (type.kind === "path") return type.name;
  const base = type.kind === "basic"
    ? type.name
    : `b${type.width}@${type.offset}/${type.container}`;
  return type.count === undefined ? base : `${base}[${type.count}]`;
}

/** What a field of `type` holds. */
export function fieldOfType(type: FetchType): FieldType {
  if (type.kind === "path") return { kind: "string" };
  const count = type.count === undefined ? {} : { count: type.count };
  if (type.kind === "bitfield") {
    return { kind: "bitfield", width: type.width, bits: type.container, ...count };
  }
  switch (type.name) {
    case "string":
    case "ustring":
    case "symstr":
      return { kind: "string", ...count };
    case "char":
      return { kind: "integer", bits: 8, signed: false, shown: "character", ...count };
    case "symbol":
      return { kind: "integer", bits: 64, signed: false, shown: "symbol", ...count };
    default:
      return {
        kind: "integer",
        bits: Number(type.name.slice(1)) as 8 | 16 | 32 | 64,
        signed: type.name[0] === "s",
        shown: type.name[0] === "x" ? "hex" : "decimal",
        ...count,
      };
  }
}

/** Bytes that a field takes in an entry, without the text of strings. */
export function fieldSize(field: FieldType): number {
  if (field.kind === "btf") return 8;
  return (field.kind === "string" ? 4 : field.bits / 8) * (field.count ?? 1);
}

type BaseType = Extract<FetchType, { kind: "basic" | "bitfield" }>;

function parseBase(text: string, offset: number, base: string): BaseType {
  if (BASIC_TYPES.includes(base)) return { kind: "basic", name: base };
  const bits = /^b([^@/]+)@([^@/]+)\/([^@/]+)$/.exec(base)?.slice(1).map(parseInteger);
  if (bits === undefined) {
    const hint = `Expected one of ${BASIC_TYPES.join(", ")}, b<width>@<offset>/<size>, %pd, %pD`;
    throw new DefinitionError(`Unknown type "${base}"`, text, offset, hint);
  }
  const [width, bit, container] = bits;
  if (container !== 8n && container !== 16n && container !== 32n && container !== 64n) {
    throw new DefinitionError("A bit field is part of 8, 16, 32 or 64 bits", text, offset);
  }
  if (width === undefined || bit === undefined || width < 1n || bit < 0n) {
    throw new DefinitionError(
      `Invalid bit field "${base}"`,
      text,
      offset,
      "Write b<width>@<offset>/<size>, as in b4@0/8",
    );
  }
  if (width + bit > container) {
    throw new DefinitionError(
      `Bit field "${base}" reaches past its ${container} bits`,
      text,
      offset,
    );
  }
  return {
    kind: "bitfield",
    width: Number(width),
    offset: Number(bit),
    container: Number(container) as 8 | 16 | 32 | 64,
  };
}

function parseCount(text: string, bracket: number): number {
  const close = text.indexOf("]", bracket);
  if (close < 0) throw new DefinitionError("The array is not closed", text, text.length, 'Add "]"');
  if (close !== text.length - 1) {
    throw new DefinitionError("Nothing may follow an array", text, close + 1);
  }
  const count = parseInteger(text.slice(bracket + 1, close));
  if (count === undefined || count < 1n || count > MAX_ARRAY) {
    throw new DefinitionError(`An array has 1 to ${MAX_ARRAY} elements`, text, bracket + 1);
  }
  return Number(count);
}
