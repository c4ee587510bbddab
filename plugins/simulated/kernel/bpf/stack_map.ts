/**
 * Maps of stack traces (kernel/bpf/stackmap.c). Nobody walks stacks here, so they stay empty.
 * @module
 */
import { MAP_FLAG } from "./abi.ts";
import { BpfMap, indexOf, type MapSpec } from "./map.ts";
import { refuse } from "./refusal.ts";

const FLAGS = MAP_FLAG.numaNode | MAP_FLAG.readOnly | MAP_FLAG.writeOnly | MAP_FLAG.stackBuildId;
/** Bytes of `struct bpf_stack_build_id`. */
const BUILD_ID_SIZE = 32;

/** @throws {KernelError} EINVAL, E2BIG (`stack_map_alloc`) */
export function checkStackMap(spec: MapSpec, maxStack: number): void {
  const { flags, keySize, valueSize, maxEntries } = spec;
  if (flags & ~FLAGS) refuse("EINVAL");
  if (maxEntries === 0 || keySize !== 4 || valueSize < 8 || valueSize % 8) refuse("EINVAL");
  const entry = flags & MAP_FLAG.stackBuildId ? BUILD_ID_SIZE : 8;
  if (valueSize % entry || valueSize / entry > maxStack) refuse("EINVAL");
  if (maxEntries > 2 ** 31) refuse("E2BIG");
}

/** A map of stack traces. */
export class StackMap extends BpfMap {
  lookup(): Uint8Array {
    return refuse("ENOENT");
  }

  update(): void {
    refuse("EINVAL");
  }

  delete(key: Uint8Array): void {
    const buckets = 2 ** Math.ceil(Math.log2(this.spec.maxEntries));
    refuse(indexOf(key) >= buckets ? "E2BIG" : "ENOENT");
  }

  nextKey(): Uint8Array {
    return refuse("ENOENT");
  }
}
