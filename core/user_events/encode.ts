/**
 * Payloads of user_events: values by field name, packed as the kernel's layout has them
 * (kernel/trace/trace_events_user.c, `user_event_add_field`): fields one behind the other, without
 * padding, data of any length behind all of them.
 * @module
 */

/** Names of C for types that have shorter ones. */
const ALIASES = {
  int: "s32",
  "unsigned int": "u32",
  short: "s16",
  "unsigned short": "u16",
  char: "s8",
  "unsigned char": "u8",
  "__rel_loc char[]": "string",
  "__rel_loc u8[]": "bytes",
} as const;

/** Types that a field of a provider's event can have. */
export type FieldType =
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "s8"
  | "s16"
  | "s32"
  | "s64"
  | "string"
  | "bytes"
  | `char[${number}]`
  | `unsigned char[${number}]`
  | keyof typeof ALIASES;

/** The fields of an event, in the order of the payload. */
export type Fields = Readonly<Record<string, FieldType>>;

/** What a field of a type is given. */
export type ValueOf<T extends FieldType> = T extends "u64" | "s64" ? bigint
  : T extends "string" | "__rel_loc char[]" | `char[${number}]` | `unsigned char[${number}]`
    ? string
  : T extends "bytes" | "__rel_loc u8[]" ? Uint8Array
  : number;

/** What an event with these fields is given. */
export type ValuesOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** A value does not fit its field. */
export class FieldError extends Error {
  /** Name of the field. */
  readonly field: string;

  constructor(field: string, reason: string) {
    super(`Field "${field}": ${reason}`);
    this.name = "FieldError";
    this.field = field;
  }
}

/** Entries larger than a sub-buffer's room are dropped by the kernel, and nobody hears of it. */
export const MAX_PAYLOAD = 4064;

const TOO_LARGE =
  `The payload has more than ${MAX_PAYLOAD} bytes, which the kernel would drop in silence`;

/** Bytes in front of the payload: the index that the registration gave. */
const INDEX_SIZE = 4;

const encoder = new TextEncoder();

/** Puts one value; the number of bytes put at the end of the payload. */
type Put = (view: DataView, bytes: Uint8Array, end: number, value: unknown) => number;

interface FieldPlan {
  readonly name: string;
  readonly put: Put;
}

/** Encodes values into one buffer that is used again: `[write index][payload]`. */
export class PayloadEncoder<F extends Fields> {
  readonly #bytes = new Uint8Array(new ArrayBuffer(INDEX_SIZE + MAX_PAYLOAD));
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #plans: readonly FieldPlan[];
  readonly #fixedEnd: number;

  /** @throws {FieldError} for fields of fixed size that leave no room within {@link MAX_PAYLOAD}. */
  constructor(fields: F) {
    let offset = INDEX_SIZE;
    this.#plans = Object.entries(fields).map(([name, given]) => {
      const type = Object.hasOwn(ALIASES, given)
        ? ALIASES[given as keyof typeof ALIASES]
        : given as Exclude<FieldType, keyof typeof ALIASES>;
      const plan = { name, put: putterOf(name, type, offset) };
      offset += sizeOf(type);
      if (offset > this.#bytes.length) throw new FieldError(name, TOO_LARGE);
      return plan;
    });
    this.#fixedEnd = offset;
  }

  /** Sets the index that the registration gave, which every payload has in front. */
  set writeIndex(index: number) {
    this.#view.setUint32(0, index, true);
  }

  /**
   * The bytes to write; valid until the next call.
   * @throws {FieldError} for a value that does not fit, or a payload over {@link MAX_PAYLOAD}.
   */
  encode(values: ValuesOf<F>): Uint8Array {
    let end = this.#fixedEnd;
    if (typeof values !== "object" || values === null) {
      throw new FieldError(
        this.#plans[0]?.name ?? "",
        "Expected an object with the fields' values",
      );
    }
    for (const { name, put } of this.#plans) {
      end += put(this.#view, this.#bytes, end, values[name as keyof F]);
    }
    return this.#bytes.subarray(0, end);
  }
}

function sizeOf(type: FieldType): number {
  const array = /\[(\d+)\]$/.exec(type);
  if (array !== null) return Number(array[1]);
  return type === "string" || type === "bytes" ? 4 : Number(type.slice(1)) / 8;
}

function putterOf(name: string, type: FieldType, offset: number): Put {
  if (type === "string") {
    // With its NUL, which the kernel's validator asks for.
    return dynamicPutter(name, offset, (value) => encoder.encode(`${text(name, value)}\0`));
  }
  if (type === "bytes") {
    return dynamicPutter(name, offset, (value) => {
      if (!(value instanceof Uint8Array)) throw new FieldError(name, "Expected a Uint8Array");
      return value;
    });
  }
  if (type.endsWith("]")) return fixedTextPutter(name, offset, sizeOf(type));
  return type.endsWith("64") ? bigPutter(name, offset, type) : smallPutter(name, offset, type);
}

function smallPutter(name: string, offset: number, type: FieldType): Put {
  const bits = Number(type.slice(1));
  const signed = type[0] === "s";
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return (view, _bytes, _end, value) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
      throw new FieldError(name, `Expected a whole number from ${low} to ${high}`);
    }
    if (bits === 8) view.setUint8(offset, value);
    else if (bits === 16) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
    return 0;
  };
}

function bigPutter(name: string, offset: number, type: FieldType): Put {
  const signed = type === "s64";
  return (view, _bytes, _end, value) => {
    const fits = typeof value === "bigint" &&
      (signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) === value;
    if (!fits) {
      throw new FieldError(name, `Expected a bigint of 64 bits, ${signed ? "" : "un"}signed`);
    }
    view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    return 0;
  };
}

/** Text in an array of fixed size: cut between characters so that a NUL ends it. */
function fixedTextPutter(name: string, offset: number, size: number): Put {
  return (_view, bytes, _end, value) => {
    const { written } = encoder.encodeInto(
      text(name, value),
      bytes.subarray(offset, offset + size - 1),
    );
    bytes.fill(0, offset + written, offset + size);
    return 0;
  };
}

/** Data behind all fields; a `__rel_loc` word says where: size << 16 | offset from its own end. */
function dynamicPutter(name: string, offset: number, toBytes: (value: unknown) => Uint8Array): Put {
  return (view, bytes, end, value) => {
    const data = toBytes(value);
    if (end + data.length > bytes.length) {
      throw new FieldError(name, TOO_LARGE);
    }
    bytes.set(data, end);
    view.setUint32(offset, (data.length << 16) | (end - offset - 4), true);
    return data.length;
  };
}

function text(name: string, value: unknown): string {
  if (typeof value !== "string") throw new FieldError(name, "Expected a string");
  if (value.includes("\0")) throw new FieldError(name, "A string cannot hold a NUL, which ends it");
  return value;
}
