/**
 * What expressions are compiled against.
 * @module
 */

import type { Decoder } from "../decoder.ts";
import type { FieldNames } from "./functions.ts";

/** `name+0x12/0x80` or `name` alone. */
export type SymbolForm = "offset" | "name";

/** Name of a kernel address; undefined where there is none. */
export type SymbolOf = (address: bigint, form: SymbolForm) => string | undefined;

/** What expressions are compiled against. */
export interface Scope {
  readonly decoder: Decoder;
  readonly symbolOf: SymbolOf;
  /** Takes the names of values that are found on the way. */
  readonly names: Map<string, FieldNames>;
  /** Whether the value must be the same for all entries. */
  readonly constant: boolean;
}
