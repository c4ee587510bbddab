/**
 * The functions that the kernel offers to `print fmt` (include/trace/stages/stage3_trace_output.h,
 * kernel/trace/trace_output.c).
 * @module
 */

import type { Field } from "../field.ts";
import { bitmap, hexBytes, socketAddress } from "./addresses.ts";
import { compile, compileInteger } from "./compile.ts";
import { PrintFmtError } from "./error.ts";
import { type Expression, isNull } from "./expression.ts";
import { dynamicSpan, dynamicText, fieldNamed } from "./fields.ts";
import { bigintOf, bytesAt } from "./read.ts";
import type { Scope } from "./scope.ts";
import {
  type Compiled,
  type CompiledInteger,
  type CompiledSpan,
  type CompiledText,
  type Entry,
  INT,
  UNSIGNED_LONG,
  wrap,
} from "./value.ts";

export type Call = Extract<Expression, { kind: "call" }>;

/** A value and what it is called. */
export interface NamedValue {
  /** As an unsigned 64-bit integer. */
  readonly value: bigint;
  readonly name: string;
}

/** What the values of a field are called. */
export interface FieldNames {
  readonly kind: "symbols" | "flags";
  /** Between flags. */
  readonly delimiter: string;
  readonly values: readonly NamedValue[];
}

/** Most bytes of an entry that are printed one by one; a trace line cannot hold more. */
const MAX_BYTES = 4096;

type Compiler = (call: Call, scope: Scope) => Compiled;

const FUNCTIONS: Readonly<Record<string, Compiler>> = {
  __get_str: compileString,
  __get_rel_str: compileString,
  __get_dynamic_array: compileDynamicArray,
  __get_rel_dynamic_array: compileDynamicArray,
  __get_dynamic_array_len: compileDynamicLength,
  __get_rel_dynamic_array_len: compileDynamicLength,
  __get_bitmask: compileBitmap,
  __get_rel_bitmask: compileBitmap,
  __get_cpumask: compileBitmap,
  __get_rel_cpumask: compileBitmap,
  __get_sockaddr: compileSocketAddress,
  __get_sockaddr_rel: compileSocketAddress,
  __get_stacktrace: compileStack,
  __print_symbolic: compileNames,
  __print_symbolic_u64: compileNames,
  __print_flags: compileNames,
  __print_flags_u64: compileNames,
  __print_hex: (call, scope) => compileHex(call, scope, " "),
  __print_hex_str: (call, scope) => compileHex(call, scope, ""),
  __print_array: compilePrintArray,
  __print_ns_to_secs: (call, scope) => compileTime(call, scope, (ns) => ns / 1_000_000_000n),
  __print_ns_without_secs: (call, scope) => compileTime(call, scope, (ns) => ns % 1_000_000_000n),
  __builtin_expect: (call, scope) => compile(argument(call, 0), scope),
};

/** @throws {PrintFmtError} for a function that is not known. */
export function compileCall(call: Call, scope: Scope): Compiled {
  const compiler = Object.hasOwn(FUNCTIONS, call.name) ? FUNCTIONS[call.name] : undefined;
  if (compiler === undefined) throw new PrintFmtError(call.at, `the function ${call.name}()`);
  return compiler(call, scope);
}

/** What `call`, of `__print_symbolic` or `__print_flags`, says that values are called. */
export function namesOf(call: Call, scope: Scope): FieldNames {
  const flags = call.name.startsWith("__print_flags");
  const delimiter = flags ? argument(call, 1) : undefined;
  if (delimiter !== undefined && delimiter.kind !== "string") {
    throw new PrintFmtError(delimiter.at, "a delimiter that is no string");
  }
  return {
    kind: flags ? "flags" : "symbols",
    delimiter: delimiter?.text ?? "",
    values: call.arguments.slice(flags ? 2 : 1).filter((pair) => !isEnd(pair))
      .map((pair) => namedValue(pair, scope)),
  };
}

/** What `value` is called, as `trace_print_flags_seq` and `trace_print_symbols_seq` put it. */
export function nameOfValue({ kind, delimiter, values }: FieldNames, value: bigint): string {
  let left = BigInt.asUintN(64, value);
  if (kind === "symbols") {
    return values.find((named) => named.value === left)?.name ?? `0x${left.toString(16)}`;
  }
  const names: string[] = [];
  for (const named of values) {
    if (left === 0n) break;
    if ((left & named.value) !== named.value) continue;
    names.push(named.name);
    left &= ~named.value;
  }
  if (left !== 0n) names.push(`0x${left.toString(16)}`);
  return names.join(delimiter);
}

const NOWHERE: Entry = {
  source: { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) },
  start: 0,
  length: 0,
};

/** `{ -1, NULL }` ends some lists. */
function isEnd(pair: Expression): boolean {
  return pair.kind === "pair" && isNull(pair.name);
}

function namedValue(pair: Expression, scope: Scope): NamedValue {
  if (pair.kind !== "pair" || pair.name.kind !== "string") {
    throw new PrintFmtError(pair.at, "no pair of a value and a name");
  }
  const { get } = compileInteger(pair.value, { ...scope, constant: true });
  return { value: BigInt.asUintN(64, get(NOWHERE)), name: pair.name.text };
}

function compileNames(call: Call, scope: Scope): CompiledText {
  const value = compileInteger(argument(call, 0), scope);
  const names = namesOf(call, scope);
  if (value.field !== undefined) scope.names.set(value.field, names);
  return { kind: "text", get: (entry) => nameOfValue(names, value.get(entry)) };
}

function compileString(call: Call, scope: Scope): CompiledText {
  const name = argument(call, 0);
  const index = name.kind === "index" ? compileInteger(name.index, scope) : undefined;
  const field = dynamicField(name.kind === "index" ? name.of : name, scope);
  if (index === undefined) return dynamicText(field, field.offset);
  const strings = Array.from(
    { length: Math.floor(field.size / 4) },
    (_, i) => dynamicText(field, field.offset + i * 4),
  );
  return { kind: "text", get: (entry) => strings[Number(index.get(entry))]?.get(entry) ?? null };
}

function compileDynamicArray(call: Call, scope: Scope): CompiledSpan {
  return dynamicSpan(dynamicField(argument(call, 0), scope));
}

function compileDynamicLength(call: Call, scope: Scope): CompiledInteger {
  const { get } = compileDynamicArray(call, scope);
  return {
    kind: "integer",
    type: INT,
    get: (entry) => {
      const { start, end } = get(entry);
      return BigInt(end - start);
    },
  };
}

function compileBitmap(call: Call, scope: Scope): CompiledText {
  const { get } = compileDynamicArray(call, scope);
  return {
    kind: "text",
    get: (entry) => {
      const bytes = bytesAt(entry.source, get(entry), MAX_BYTES);
      return bitmap(bytes, bytes.length * 8, "mask");
    },
  };
}

function compileSocketAddress(call: Call, scope: Scope): CompiledText {
  const { get } = compileDynamicArray(call, scope);
  return { kind: "text", get: (entry) => socketAddress(bytesAt(entry.source, get(entry)), "pc") };
}

function compileStack(call: Call, scope: Scope): CompiledText {
  const { get } = compileDynamicArray(call, scope);
  const { symbolOf } = scope;
  return {
    kind: "text",
    get: (entry) => {
      const { start, end } = get(entry);
      let text = "";
      for (let at = start; at + 8 <= end; at += 8) {
        const address = entry.source.view.getBigUint64(at, true);
        text += `=> ${symbolOf(address, "offset") ?? `0x${address.toString(16)}`}\n`;
      }
      return text;
    },
  };
}

function compileHex(call: Call, scope: Scope, separator: string): CompiledText {
  const bytes = spanArgument(call, 0, scope);
  const length = compileInteger(argument(call, 1), scope);
  return {
    kind: "text",
    get: (entry) => {
      const count = Math.min(Number(length.get(entry)), MAX_BYTES);
      return hexBytes(bytesAt(entry.source, bytes.get(entry), count), separator);
    },
  };
}

function compilePrintArray(call: Call, scope: Scope): CompiledText {
  const array = spanArgument(call, 0, scope);
  const count = compileInteger(argument(call, 1), scope);
  const { get: elementSize } = compileInteger(argument(call, 2), { ...scope, constant: true });
  const size = Number(elementSize(NOWHERE));
  if (![1, 2, 4, 8].includes(size)) {
    throw new PrintFmtError(call.at, `array elements of ${size} bytes`);
  }
  return {
    kind: "text",
    get: (entry) => {
      const { start, end } = array.get(entry);
      const last = Math.min(end, start + Math.min(Number(count.get(entry)) * size, MAX_BYTES));
      const values: string[] = [];
      for (let at = start; at + size <= last; at += size) {
        values.push(`0x${bigintOf(entry.source.view, at, size, false).toString(16)}`);
      }
      return `{${values.join(",")}}`;
    },
  };
}

function compileTime(
  call: Call,
  scope: Scope,
  part: (ns: bigint) => bigint,
): CompiledInteger {
  const { get } = compileInteger(argument(call, 0), scope);
  const type = UNSIGNED_LONG;
  return { kind: "integer", type, get: (entry) => part(wrap(get(entry), type)) };
}

function argument(call: Call, index: number): Expression {
  const found = call.arguments[index];
  if (found === undefined) {
    throw new PrintFmtError(call.at, `${call.name}() needs ${index + 1} arguments`);
  }
  return found;
}

function spanArgument(call: Call, index: number, scope: Scope): CompiledSpan {
  const compiled = compile(argument(call, index), scope);
  if (compiled.kind === "span") return compiled;
  throw new PrintFmtError(call.at, `${call.name}() of what is no array`);
}

function dynamicField(name: Expression, scope: Scope): Field {
  if (name.kind !== "name") throw new PrintFmtError(name.at, "no field name");
  const field = fieldNamed(name.name, scope, name.at);
  if (field.place !== "inline") return field;
  throw new PrintFmtError(name.at, `field "${name.name}" is not dynamic`);
}
