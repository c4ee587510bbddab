/**
 * Maps: what all types have in common.
 * @module
 */
import type { OpenFile } from "../vfs.ts";
import { refuse } from "./refusal.ts";

/** How a map is made. */
export interface MapSpec {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly name: string;
  /** CPUs that can ever be there. */
  readonly cpus: number;
}

/** How memory of a map is asked for. */
export type MapRequest = Parameters<NonNullable<OpenFile["mmap"]>>[0];

/** Bytes that a value takes in memory. */
export function roundUp8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/**
 * A map. Its calls come in two kinds: those of bpf(2), whose keys and values are copies and whose
 * per-CPU values are those of all CPUs; and those of programs, which work on the CPU they run on
 * and reach values by their offset in the memory of the map.
 *
 * Errors are those of the kernel's `map_*_elem`; programs get their numbers.
 */
export abstract class BpfMap {
  readonly id: number;
  readonly spec: MapSpec;

  constructor(id: number, spec: MapSpec) {
    this.id = id;
    this.spec = spec;
  }

  /** Bytes of a value in bpf(2) (`bpf_map_value_size`). */
  get valueBytes(): number {
    return this.spec.valueSize;
  }

  /** A copy of a value. @throws {KernelError} ENOENT */
  abstract lookup(key: Uint8Array): Uint8Array;
  /** @throws {KernelError} EINVAL, E2BIG, EEXIST, ENOENT */
  abstract update(key: Uint8Array, value: Uint8Array, flags: bigint): void;
  /** @throws {KernelError} ENOENT, EINVAL */
  abstract delete(key: Uint8Array): void;
  /** The key behind `key`, or the first. @throws {KernelError} ENOENT behind the last */
  abstract nextKey(key: Uint8Array | null): Uint8Array;

  /** Where a value is, for a program; nothing if it is not there. */
  find(_key: Uint8Array, _cpu: number): number | undefined {
    return undefined;
  }

  /** An update by a program. @throws {KernelError} */
  put(key: Uint8Array, value: Uint8Array, flags: bigint, _cpu: number): void {
    this.update(key, value, flags);
  }

  /** The memory of the map from `offset` on, not a copy; nothing outside of values. */
  view(_offset: number, _length: number): Uint8Array | undefined {
    return undefined;
  }

  /** @throws {KernelError} ENOTSUPP for a type that has no memory to share; EINVAL, EPERM */
  mmap(_request: MapRequest): Uint8Array {
    return refuse("ENOTSUPP", "mmap");
  }

  /** The last descriptor is closed. */
  close(): void {}
}

/** The file behind the descriptor of a map. */
export class MapFile implements OpenFile {
  readonly map: BpfMap;

  constructor(map: BpfMap) {
    this.map = map;
  }

  mmap(request: MapRequest): Uint8Array {
    return this.map.mmap(request);
  }

  close(): void {
    this.map.close();
  }
}

/** The number in a key of 4 bytes. */
export function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);
}

/** A key of 4 bytes. */
export function indexKey(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}
