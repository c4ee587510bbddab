/**
 * Reads one predicate, `field op operand`, in the order in which the kernel
 * checks it (`parse_pred()`, kernel/trace/trace_events_filter.c).
 * @module
 */

import { nearest } from "../text/nearest.ts";
import type {
  AddressRange,
  BoundPredicate,
  FilterOperand,
  FilterOperator,
  Predicate,
} from "./ast.ts";
import { fromByteString, isAlphanumeric, isDigit, isSpace, textOffset } from "./bytes.ts";
import { parseCpuList } from "./cpulist.ts";
import { FilterError, type FilterErrorCode, type FilterFault } from "./error.ts";
import {
  type FilterField,
  type FilterVersion,
  findField,
  genericFields,
  isStringField,
} from "./field.ts";
import { parseSigned, parseUnsigned } from "./integer.ts";

/** What a predicate is checked against. */
export interface Scope {
  readonly version: FilterVersion;
  /** The event's fields; absent to check the syntax alone. */
  readonly fields?: readonly FilterField[];
  readonly cpuCount: number;
  /** The function of that name, or the one that holds that address. */
  readonly findFunction?: (nameOrAddress: string | bigint) => AddressRange | undefined;
}

/** A scope with an event. */
export interface EventScope extends Scope {
  readonly fields: readonly FilterField[];
}

/** A predicate, and the byte at which to read on. */
export interface Scanned<P extends Predicate = Predicate> {
  readonly predicate: P;
  readonly next: number;
}

/** Longer operators stand before those that they start with. */
const OPERATORS: readonly FilterOperator[] = ["~", "!=", "==", "<=", "<", ">=", ">", "&"];
/** `MAX_FILTER_STR_VAL`, with room for the NUL. */
const MAX_STRING_BYTES = 255;
/** The kernel's buffer for a number holds 24 bytes, one of them the NUL. */
const MAX_NUMBER_BYTES = 23;
/** `sizeof(long)`. */
const ADDRESS_BYTES = 8;

/** Reads the predicate that starts at byte `start` of the byte string `filter`. */
export function scanPredicate(
  filter: string,
  start: number,
  scope: EventScope,
): Scanned<BoundPredicate>;
export function scanPredicate(filter: string, start: number, scope: Scope): Scanned;
export function scanPredicate(filter: string, start: number, scope: Scope): Scanned {
  return new PredicateScanner(filter, start, scope).scan();
}

class PredicateScanner {
  readonly #filter: string;
  readonly #start: number;
  readonly #scope: Scope;
  #at: number;

  constructor(filter: string, start: number, scope: Scope) {
    this.#filter = filter;
    this.#start = start;
    this.#scope = scope;
    this.#at = start;
  }

  scan(): Scanned {
    const name = this.#take((c) => isAlphanumeric(c) || c === "_");
    const field = this.#findField(name);
    const ustring = this.#skip(".ustring");
    const isFunction = this.#scope.version !== "6.1" && this.#skip(".function");
    this.#take(isSpace);
    const operator = this.#operator();
    this.#take(isSpace);
    const operand = isFunction ? this.#function(field, operator) : this.#operand(field, operator);
    const start = textOffset(this.#filter, this.#start);
    const end = textOffset(this.#filter, this.#at);
    const predicate = { kind: "predicate", name, ustring, operator, operand, start, end } as const;
    const bound = field === undefined ? predicate : { ...predicate, field };
    return { predicate: bound, next: this.#at };
  }

  #findField(name: string): FilterField | undefined {
    const { fields, version } = this.#scope;
    if (name === "") {
      // The kernel answers EPERM and has no words for it.
      throw this.#error("ERRNO", "EPERM", { position: 0, detail: "A field name is missing" });
    }
    if (fields === undefined) return undefined;
    const field = findField(name, fields, version);
    if (field !== undefined) return field;
    const names = [...fields, ...genericFields(version)].map((known) => known.name);
    throw this.#fail("FIELD_NOT_FOUND", {
      at: this.#start,
      detail: `Field not found: "${fromByteString(name)}"`,
      hint: fieldHint(fromByteString(name), names),
    });
  }

  #operator(): FilterOperator {
    const found = OPERATORS.find((operator) => this.#skip(operator));
    if (found !== undefined) return found;
    const hint = this.#filter[this.#at] === "="
      ? 'Write "==" for "equals"'
      : `The operators are ${OPERATORS.join(" ")}`;
    throw this.#fail("INVALID_OP", { hint });
  }

  #operand(field: FilterField | undefined, operator: FilterOperator): FilterOperand {
    const next = this.#filter[this.#at];
    if (this.#scope.version !== "6.1" && this.#skip("CPUS")) return this.#cpus(field, operator);
    if (next === "'" || next === '"') return this.#string(field, operator, next);
    if (isDigit(next) || next === "-") return this.#integer(field, operator);
    throw this.#fail("INVALID_VALUE", { hint: "Quote strings; numbers start with a digit or -" });
  }

  #function(field: FilterField | undefined, operator: FilterOperator): FilterOperand {
    if (field !== undefined && field.size !== ADDRESS_BYTES) throw this.#fail("ILLEGAL_FIELD_OP");
    if (operator !== "==" && operator !== "!=") {
      throw this.#fail("INVALID_OP", { hint: 'Compare a ".function" field with == or !=' });
    }
    const first = this.#at;
    const isAddress = isDigit(this.#filter[first]);
    const value = this.#take((c) => isAddress ? isAlphanumeric(c) : !isSpace(c));
    const address = isAddress ? this.#address(value) : undefined;
    const range = this.#scope.findFunction?.(address ?? value);
    if (value === "" || (range === undefined && this.#scope.fields !== undefined)) {
      throw this.#fail("NO_FUNCTION", { at: first, detail: `Function not found: "${value}"` });
    }
    return { kind: "function", value, range };
  }

  #address(text: string): bigint {
    if (text.length > MAX_NUMBER_BYTES) throw this.#fail("OPERAND_TOO_LONG");
    const address = parseUnsigned(text);
    if (address === undefined) throw this.#fail("INVALID_VALUE");
    return address;
  }

  #cpus(field: FilterField | undefined, operator: FilterOperator): FilterOperand {
    const keyword = this.#at - "CPUS".length;
    const fits = field === undefined || ["cpumask", "cpu", "other"].includes(field.filterType);
    if (!fits || !["==", "!=", "&"].includes(operator)) {
      throw this.#fail("ILLEGAL_FIELD_OP", { from: keyword });
    }
    const brace = this.#filter[this.#at++];
    if (brace !== "{") throw this.#fail("MISSING_BRACE_OPEN", { at: this.#at - 1 });
    const first = this.#at;
    const list = this.#take((c) => c !== "}");
    if (this.#at === this.#filter.length) throw this.#fail("MISSING_BRACE_CLOSE");
    const cpus = list === "" ? undefined : parseCpuList(list, this.#scope.cpuCount);
    if (cpus === undefined) {
      throw this.#fail("INVALID_CPULIST", { at: first, detail: `Invalid CPU list: "${list}"` });
    }
    this.#at++;
    return { kind: "cpus", cpus };
  }

  #string(
    field: FilterField | undefined,
    operator: FilterOperator,
    quote: string,
  ): FilterOperand {
    if (!["!=", "~", "=="].includes(operator)) {
      throw this.#fail("ILLEGAL_FIELD_OP", { hint: "Strings take ==, != and ~" });
    }
    if (field !== undefined && !isStringField(field)) {
      throw this.#fail("EXPECT_DIGIT", {
        detail: `Field "${field.name}" is compared with a string, but it is no string`,
        hint: "Drop the quotes",
      });
    }
    const first = ++this.#at;
    const value = this.#take((c) => c !== quote);
    if (this.#at === this.#filter.length) throw this.#fail("MISSING_QUOTE", { at: first - 1 });
    if (value.length > MAX_STRING_BYTES) {
      const detail = `The string is longer than ${MAX_STRING_BYTES} bytes`;
      throw this.#fail("OPERAND_TOO_LONG", { detail });
    }
    this.#at++;
    return { kind: "string", value: fromByteString(value) };
  }

  #integer(field: FilterField | undefined, operator: FilterOperator): FilterOperand {
    if (field !== undefined && isStringField(field)) {
      throw this.#fail("EXPECT_STRING", {
        detail: `Field "${field.name}" is a string, but it is compared with a number`,
        hint: "Quote the value",
      });
    }
    if (operator === "~") throw this.#fail("ILLEGAL_FIELD_OP", { hint: "Only strings take ~" });
    const first = this.#at;
    const sign = this.#skip("-") ? "-" : "";
    const text = sign + this.#take(isAlphanumeric);
    if (text.length > MAX_NUMBER_BYTES) throw this.#fail("OPERAND_TOO_LONG");
    const value = parseOperand(text, field);
    if (value === undefined) {
      throw this.#fail("ILLEGAL_INTVAL", {
        from: first,
        detail: `Illegal integer value: "${fromByteString(text)}"`,
        hint: integerHint(sign, field),
      });
    }
    return { kind: "integer", value };
  }

  /** Takes characters for as long as `belongs` says. */
  #take(belongs: (character: string) => boolean): string {
    const first = this.#at;
    while (this.#at < this.#filter.length && belongs(this.#filter[this.#at])) this.#at++;
    return this.#filter.slice(first, this.#at);
  }

  #skip(word: string): boolean {
    const found = this.#filter.startsWith(word, this.#at);
    if (found) this.#at += word.length;
    return found;
  }

  /** An error whose caret is one past `from`, which is where the scanner stands unless told. */
  #fail(
    code: FilterErrorCode,
    more: { from?: number; at?: number; detail?: string; hint?: string } = {},
  ): FilterError {
    const { from = this.#at, ...rest } = more;
    return this.#error(code, "EINVAL", { position: from + 1, at: from, ...rest });
  }

  #error(
    code: FilterErrorCode,
    errno: FilterFault["errno"],
    more: Partial<FilterFault> & Pick<FilterFault, "position">,
  ): FilterError {
    return new FilterError({ code, errno, filter: this.#filter, at: this.#at, ...more });
  }
}

/** Without a field, either sign is allowed. */
function parseOperand(text: string, field: FilterField | undefined): bigint | undefined {
  if (field === undefined) return parseUnsigned(text) ?? parseSigned(text);
  return field.signed ? parseSigned(text) : parseUnsigned(text);
}

function integerHint(sign: string, field: FilterField | undefined): string | undefined {
  if (sign === "-" && field?.signed === false) return `Field "${field.name}" is unsigned`;
  return undefined;
}

function fieldHint(name: string, known: readonly string[]): string {
  const [meant] = nearest(name, known);
  return meant === undefined ? `The fields are ${known.join(", ")}` : `Did you mean "${meant}"?`;
}
