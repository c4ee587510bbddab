/**
 * Fields of an entry as values of expressions.
 * @module
 */

import { dynamicStart, type Field, inlineEnd } from "../field.ts";
import { PrintFmtError } from "./error.ts";
import { bigintOf, textAt } from "./read.ts";
import type { Scope } from "./scope.ts";
import {
  type Compiled,
  type CompiledInteger,
  type CompiledSpan,
  type CompiledText,
  promoted,
} from "./value.ts";

/** The field called `name`. @throws {PrintFmtError} */
export function fieldNamed(name: string, { decoder }: Scope, at: number): Field {
  const reader = decoder.find(name);
  if (reader === undefined) throw new PrintFmtError(at, `the event has no field "${name}"`);
  return reader.field;
}

/** The value of `REC->name`. */
export function compileField(field: Field): Compiled {
  if (field.place !== "inline") {
    // The text has `REC->__data_loc_name` nowhere; a dynamic field by its name is its content.
    return field.kind === "string" ? dynamicText(field, field.offset) : dynamicSpan(field);
  }
  if (field.kind === "int") {
    const { name, offset, elementSize: size, signed } = field;
    return {
      kind: "integer",
      type: promoted(size, signed),
      field: name,
      get: ({ source, start }) => bigintOf(source.view, start + offset, size, signed),
    };
  }
  return {
    kind: "span",
    elementSize: field.elementSize,
    signed: field.signed,
    get: ({ start, length }) => ({
      start: start + field.offset,
      end: Math.max(start + field.offset, inlineEnd(field, start, length)),
    }),
  };
}

/** Text of a dynamic field whose u32 is at `offset`. */
export function dynamicText(field: Field, offset: number): CompiledText {
  return {
    kind: "text",
    get: ({ source, start }) => {
      const size = source.view.getUint16(start + offset + 2, true);
      if (size === 0) return null;
      const from = dynamicStart(source.view, field, start + offset, start);
      return textAt(source, { start: from, end: from + size });
    },
  };
}

/** Bytes of a dynamic field. */
export function dynamicSpan(field: Field): CompiledSpan {
  return {
    kind: "span",
    elementSize: field.elementSize,
    signed: field.signed,
    get: ({ source: { view }, start }) => {
      const from = dynamicStart(view, field, start + field.offset, start);
      return { start: from, end: from + view.getUint16(start + field.offset + 2, true) };
    },
  };
}

/** An element of an array; 0 where the entry does not have it. */
export function elementOf(array: CompiledSpan, index: CompiledInteger): CompiledInteger {
  const { elementSize, signed } = array;
  return {
    kind: "integer",
    type: promoted(elementSize, signed),
    get: (entry) => {
      const { start, end } = array.get(entry);
      const at = start + Number(index.get(entry)) * elementSize;
      if (at < start || at + elementSize > end) return 0n;
      return bigintOf(entry.source.view, at, elementSize, signed);
    },
  };
}
