/**
 * Sizes of the C types that kernel event formats name.
 * @module
 */

import type { FieldPlace } from "./format.ts";

const SIZES: ReadonlyMap<string, 1 | 2 | 4 | 8> = new Map([
  ...names(1, "char", "signed char", "unsigned char", "u8", "s8", "__u8", "__s8", "bool", "_Bool"),
  ...names(1, "uint8_t", "int8_t"),
  ...names(2, "short", "unsigned short", "short unsigned int", "short int", "u16", "s16", "__u16"),
  ...names(2, "__s16", "__le16", "__be16", "uint16_t", "int16_t", "umode_t"),
  ...names(2, "ushort"),
  ...names(4, "int", "unsigned int", "unsigned", "u32", "s32", "__u32", "__s32", "__le32"),
  ...names(4, "__be32", "uint32_t", "int32_t", "pid_t", "dev_t", "gfp_t"),
  ...names(4, "uint", "fmode_t", "blk_opf_t", "slab_flags_t", "vm_fault_t", "__kernel_rwf_t"),
  ...names(8, "long long", "unsigned long long", "u64", "s64", "__u64", "__s64", "__le64"),
  ...names(8, "__be64", "uint64_t", "int64_t", "sector_t", "loff_t"),
]);

/** Types as wide as `long`. A CPU mask is an array of them (include/linux/cpumask_types.h). */
const LONGS = new Set(["long", "unsigned long", "size_t", "ssize_t", "uintptr_t", "cpumask_t"]);

/** Bytes of C type `name`, or undefined where it is not known, as for structures. */
export function sizeOfType(name: string, longSize: 4 | 8): 1 | 2 | 4 | 8 | undefined {
  const bare = name.replace(/\b(?:const|volatile)\b/g, " ").replace(/\s+/g, " ").trim();
  if (bare.endsWith("*") || LONGS.has(bare)) return longSize;
  return SIZES.get(bare);
}

/**
 * Bytes of an element of an array field. The type tells; where it is unknown, the number of
 * elements does, and failing that the field is taken as bytes.
 */
export function elementSizeOf(
  element: string,
  count: number | undefined,
  size: number,
  place: FieldPlace,
  longSize: 4 | 8,
): number {
  const known = sizeOfType(element, longSize);
  if (known !== undefined) return known;
  const each = place === "inline" && count !== undefined ? size / count : 1;
  return each === 2 || each === 4 || each === 8 ? each : 1;
}

function names<N extends number>(size: N, ...types: string[]): [string, N][] {
  return types.map((type) => [type, size]);
}
