import { parseUnsigned } from "./numbers.ts";

/** A type of a fetch argument (`struct fetch_type`, kernel/trace/trace_probe.h). */
export interface FetchType {
  readonly name: string;
  /** Bytes in the entry; 4 for strings, which are stored apart. */
  readonly size: number;
  readonly signed: boolean;
  readonly isString: boolean;
  /** Its conversion in a print fmt. */
  readonly printf: string;
  /** Its name in a `format` file. */
  readonly formatName: string;
}

function integers(letter: "u" | "s" | "x", printf: string): FetchType[] {
  return [8, 16, 32, 64].map((bits) => ({
    name: `${letter}${bits}`,
    size: bits / 8,
    signed: letter === "s",
    isString: false,
    printf: bits === 64 ? printf.replace("%", "%L") : printf,
    formatName: `${letter === "s" ? "s" : "u"}${bits}`,
  }));
}

function string(name: string): FetchType {
  const formatName = "__data_loc char[]";
  return { name, size: 4, signed: true, isString: true, printf: '\\"%s\\"', formatName };
}

function alias(name: string, size: number, printf: string): FetchType {
  const formatName = `u${size * 8}`;
  return { name, size, signed: false, isString: false, printf, formatName };
}

const CHAR = alias("char", 1, "'%c'");

const TYPES = new Map(
  [
    string("string"),
    string("ustring"),
    string("symstr"),
    ...integers("u", "%u"),
    ...integers("s", "%d"),
    ...integers("x", "0x%x"),
    CHAR,
    alias("symbol", 8, "%pS"),
  ].map((type) => [type.name, type]),
);

const BITFIELD_TYPES: Record<string, string> = { 8: "u8", 16: "u16", 32: "u32", 64: "u64" };

function lookup(name: string): FetchType {
  const type = TYPES.get(name);
  if (type === undefined) throw new TypeError(`no fetch type "${name}"`);
  return type;
}

/** The type of a value for which none is asked (`DEFAULT_FETCH_TYPE`). */
export const DEFAULT_FETCH_TYPE: FetchType = lookup("x64");

/** The type of task names and immediate strings. */
export const STRING_FETCH_TYPE: FetchType = lookup("string");

/**
 * The type that a text names, without its array suffix; nothing if the kernel has none.
 *
 * @param where kernel version, and whether the probe is a uprobe, which has no
 * `symbol` and `symstr` from 6.12 on
 */
export function findFetchType(
  text: string,
  where: { readonly version: "6.12" | "6.1"; readonly user: boolean },
): FetchType | undefined {
  if (where.version === "6.12" && where.user && (text === "symbol" || text === "symstr")) {
    return undefined;
  }
  if (text.startsWith("b")) {
    const slash = text.indexOf("/");
    const bits = slash < 0 ? "EINVAL" : parseUnsigned(text.slice(slash + 1), 0);
    return TYPES.get(BITFIELD_TYPES[String(bits)] ?? "");
  }
  const type = TYPES.get(text);
  return type === CHAR && where.version === "6.1" ? undefined : type;
}
