import { Buffer } from "node:buffer";
import type { EventField } from "../event_field.ts";
import { filterTypeOf, formatText } from "./format.ts";
import type { DynamicHost } from "./host.ts";
import { FIXED_STRING_SIZE, type SyntheticField, syntheticPrintf } from "./synthetic_field.ts";

/** Group of all synthetic events. */
export const SYNTHETIC_GROUP = "synthetic";

/** Bytes of the common fields (`struct trace_entry`). */
const COMMON_SIZE = 8;
/** Addresses of a stack trace (`HIST_STACKTRACE_DEPTH`). */
const MAX_STACK = 16;

/**
 * A value for a field of a synthetic event: an integer, a string (one character a
 * byte; nothing if it cannot be read), or the addresses of a stack trace.
 */
export type SyntheticValue = bigint | string | null | readonly bigint[];

/** An event that `hist` actions write (`struct synth_event`). */
export class SyntheticEvent {
  readonly kind = "synthetic";
  readonly group = SYNTHETIC_GROUP;
  readonly name: string;
  readonly id: number;
  /** Its own fields, without the common ones. */
  readonly fields: readonly EventField[];
  readonly printFmt: string;
  /** The fields as they were declared. */
  readonly declared: readonly SyntheticField[];
  readonly #fixedSize: number;
  readonly #version: DynamicHost["version"];

  constructor(
    name: string,
    id: number,
    declared: readonly SyntheticField[],
    version: DynamicHost["version"],
  ) {
    this.name = name;
    this.id = id;
    this.declared = declared;
    this.#version = version;
    let offset = COMMON_SIZE;
    this.fields = declared.map((field): EventField => {
      const { name, type, size, signed } = field;
      const at = offset;
      offset += slotSize(field);
      return { name, type, offset: at, size, signed, filterType: filterType(field, version) };
    });
    this.#fixedSize = offset;
    this.printFmt = printFmt(declared);
  }

  /**
   * The entry that values make, the common fields zeroed. Bytes that the kernel
   * leaves as they were are 0.
   *
   * @throws {TypeError} if a value is missing or not of its field's kind
   */
  encode(values: readonly SyntheticValue[]): Uint8Array<ArrayBuffer> {
    const tails = this.declared.map((field, i) =>
      field.isDynamic ? dynamicBytes(field, values[i], this.#version) : new Uint8Array()
    );
    const size = tails.reduce((sum, tail) => sum + tail.length, this.#fixedSize);
    const entry = Buffer.alloc(size);
    let free = this.#fixedSize;
    for (const [i, field] of this.declared.entries()) {
      const at = this.fields[i]?.offset ?? 0;
      const tail = tails[i] ?? new Uint8Array();
      if (field.isDynamic) {
        entry.writeUInt32LE(((tail.length << 16) | free) >>> 0, at);
        entry.set(tail, free);
        free += tail.length;
      } else if (field.isString) {
        entry.set(fixedString(field, values[i]), at);
      } else {
        const value = BigInt.asUintN(field.size * 8, integer(field, values[i]));
        entry.writeBigUInt64LE(value, at);
      }
    }
    return new Uint8Array(entry);
  }

  /** Its `format` file. */
  format(): string {
    return formatText(this);
  }

  /** Its definition as `synthetic_events` lists it. */
  definition(): string {
    const fields = this.declared
      .map((field) => `${field.type.replace("__data_loc ", "")} ${field.name}`);
    return `${this.name}\t${fields.join("; ")}`;
  }
}

function slotSize(field: SyntheticField): number {
  return field.isString && !field.isDynamic ? FIXED_STRING_SIZE : 8;
}

function filterType(
  field: SyntheticField,
  version: DynamicHost["version"],
): EventField["filterType"] {
  return field.isStack && version === "6.12" ? "stacktrace" : filterTypeOf(field.type);
}

function printFmt(fields: readonly SyntheticField[]): string {
  const printf = fields.map((field) => `${field.name}=${syntheticPrintf(field)}`).join(", ");
  const values = fields.map((field) => {
    if (field.isString && field.isDynamic) return `__get_str(${field.name})`;
    return field.isStack ? `__get_stacktrace(${field.name})` : `REC->${field.name}`;
  });
  return [`"${printf}"`, ...values].join(", ");
}

function integer(field: SyntheticField, value: SyntheticValue | undefined): bigint {
  if (typeof value === "bigint") return value;
  throw new TypeError(`field "${field.name}" takes an integer`);
}

function fixedString(field: SyntheticField, value: SyntheticValue | undefined): Uint8Array {
  if (value === null) return Buffer.from("(fault)\0");
  if (typeof value !== "string") throw new TypeError(`field "${field.name}" takes a string`);
  return Buffer.from(`${value.slice(0, FIXED_STRING_SIZE - 1)}\0`, "latin1");
}

function dynamicBytes(
  field: SyntheticField,
  value: SyntheticValue | undefined,
  version: DynamicHost["version"],
): Uint8Array {
  if (field.isString) {
    if (value === null) return new Uint8Array();
    if (typeof value === "string") return Buffer.from(`${value}\0`, "latin1");
    throw new TypeError(`field "${field.name}" takes a string`);
  }
  if (!Array.isArray(value)) throw new TypeError(`field "${field.name}" takes a stack trace`);
  const bytes = Buffer.alloc(8 * (MAX_STACK + 1));
  const words = stackWords(value, version);
  for (const [i, word] of words.entries()) bytes.writeBigUInt64LE(word, 8 * i);
  return bytes.subarray(0, 8 * words.length);
}

/** 6.12 stores the number of addresses in front of them, 6.1 a zero behind them if there is room. */
function stackWords(addresses: readonly bigint[], version: DynamicHost["version"]): bigint[] {
  if (version === "6.12") {
    const kept = addresses.slice(0, MAX_STACK - 1);
    return [BigInt(kept.length), ...kept];
  }
  const kept = addresses.slice(0, MAX_STACK);
  return kept.length < MAX_STACK ? [...kept, 0n] : [...kept];
}
