/**
 * Arrays, of one value or of one for each CPU (kernel/bpf/arraymap.c).
 * @module
 */
import { MAP_FLAG, MAP_TYPE, PAGE_SIZE, UPDATE } from "./abi.ts";
import { BpfMap, indexKey, indexOf, type MapRequest, type MapSpec, roundUp8 } from "./map.ts";
import { refuse } from "./refusal.ts";

/** Flags that an array may have (`ARRAY_CREATE_FLAG_MASK`). */
const FLAGS = MAP_FLAG.numaNode | MAP_FLAG.mmapable | MAP_FLAG.readOnly | MAP_FLAG.writeOnly |
  MAP_FLAG.readOnlyProg | MAP_FLAG.writeOnlyProg | MAP_FLAG.preserveElements | MAP_FLAG.innerMap;

const INT_MAX = 0x7fff_ffff;
/** Bytes of a per-CPU value (`PCPU_MIN_UNIT_SIZE`). */
export const MAX_PERCPU_VALUE = 32768;

/** Whether a map may be read, or written, by one side only; by both it may be neither. */
export function accessIsPossible(flags: number): boolean {
  const both = MAP_FLAG.readOnlyProg | MAP_FLAG.writeOnlyProg;
  return (flags & both) !== both;
}

/** @throws {KernelError} EINVAL or E2BIG (`array_map_alloc_check`) */
export function checkArray(spec: MapSpec): void {
  const { type, flags } = spec;
  const percpu = type === MAP_TYPE.percpuArray;
  const sane = spec.maxEntries !== 0 && spec.keySize === 4 && spec.valueSize !== 0 &&
    (flags & ~FLAGS) === 0 && accessIsPossible(flags) && !(percpu && flags & MAP_FLAG.numaNode);
  if (!sane) refuse("EINVAL");
  if (type !== MAP_TYPE.array && flags & (MAP_FLAG.mmapable | MAP_FLAG.innerMap)) refuse("EINVAL");
  if (type !== MAP_TYPE.perfEventArray && flags & MAP_FLAG.preserveElements) refuse("EINVAL");
  if (spec.valueSize > INT_MAX) refuse("E2BIG");
  if (percpu && roundUp8(spec.valueSize) > MAX_PERCPU_VALUE) refuse("E2BIG");
}

/** The next index of an array (`array_map_get_next_key`). @throws {KernelError} ENOENT */
export function nextIndex(key: Uint8Array | null, maxEntries: number): Uint8Array {
  const index = key === null ? maxEntries : indexOf(key);
  if (index >= maxEntries) return indexKey(0);
  if (index === maxEntries - 1) refuse("ENOENT");
  return indexKey(index + 1);
}

/** An array whose values are all there from the start. */
export class ArrayMap extends BpfMap {
  /** The values of the first CPU, of the next, and so on; of one if they are not per CPU. */
  readonly #memory: Uint8Array;
  readonly #stride: number;
  readonly #copies: number;

  /** @throws {KernelError} ENOMEM if there is no room for it */
  constructor(id: number, spec: MapSpec) {
    super(id, spec);
    this.#stride = roundUp8(spec.valueSize);
    this.#copies = spec.type === MAP_TYPE.percpuArray ? spec.cpus : 1;
    const size = this.#stride * spec.maxEntries * this.#copies;
    const isShared = (spec.flags & MAP_FLAG.mmapable) !== 0;
    this.#memory = allocate(isShared ? Math.ceil(size / PAGE_SIZE) * PAGE_SIZE : size);
  }

  override get valueBytes(): number {
    return this.#isPercpu ? this.#stride * this.#copies : this.spec.valueSize;
  }

  get #isPercpu(): boolean {
    return this.spec.type === MAP_TYPE.percpuArray;
  }

  #offset(index: number, cpu: number): number {
    const copy = this.#isPercpu ? cpu : 0;
    return (copy * this.spec.maxEntries + index) * this.#stride;
  }

  lookup(key: Uint8Array): Uint8Array {
    const index = indexOf(key);
    if (index >= this.spec.maxEntries) refuse("ENOENT");
    const value = new Uint8Array(this.valueBytes);
    for (let cpu = 0; cpu < this.#copies; cpu++) {
      const at = this.#offset(index, cpu);
      value.set(this.#memory.subarray(at, at + this.spec.valueSize), cpu * this.#stride);
    }
    return value;
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): void {
    this.#check(key, flags);
    for (let cpu = 0; cpu < this.#copies; cpu++) {
      const from = value.subarray(cpu * this.#stride);
      this.#store(indexOf(key), cpu, from);
    }
  }

  override put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): void {
    this.#check(key, flags);
    this.#store(indexOf(key), cpu, value);
  }

  #check(key: Uint8Array, flags: bigint): void {
    if (flags > UPDATE.exist) refuse("EINVAL");
    if (indexOf(key) >= this.spec.maxEntries) refuse("E2BIG");
    if (flags === UPDATE.noExist) refuse("EEXIST");
  }

  #store(index: number, cpu: number, value: Uint8Array): void {
    this.#memory.set(value.subarray(0, this.spec.valueSize), this.#offset(index, cpu));
  }

  delete(): void {
    refuse("EINVAL");
  }

  nextKey(key: Uint8Array | null): Uint8Array {
    return nextIndex(key, this.spec.maxEntries);
  }

  override find(key: Uint8Array, cpu: number): number | undefined {
    const index = indexOf(key);
    return index < this.spec.maxEntries ? this.#offset(index, cpu) : undefined;
  }

  override view(offset: number, length: number): Uint8Array | undefined {
    const inValue = offset % this.#stride + length <= this.spec.valueSize;
    const end = this.#stride * this.spec.maxEntries * this.#copies;
    return inValue && offset < end ? this.#memory.subarray(offset, offset + length) : undefined;
  }

  override mmap(request: MapRequest): Uint8Array {
    if (this.#isPercpu) return super.mmap(request);
    const { length, offset, shared } = request;
    if (!shared || !(this.spec.flags & MAP_FLAG.mmapable)) refuse("EINVAL", "mmap");
    if (offset + length > this.#memory.length) refuse("EINVAL", "mmap");
    return this.#memory.subarray(offset, offset + length);
  }
}

/** Zeroed memory, as far as there is any. @throws {KernelError} ENOMEM */
export function allocate(size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (error) {
    if (error instanceof RangeError) refuse("ENOMEM");
    throw error;
  }
}
