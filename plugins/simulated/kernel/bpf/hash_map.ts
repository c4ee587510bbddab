/**
 * Hash tables, of one value or of one for each CPU, some of which forget what was not used for
 * long (kernel/bpf/hashtab.c). Their order is the one in which keys came: the kernel's is random.
 * @module
 */
import type { SimulatedProcess } from "../process.ts";
import { MAP_FLAG, MAP_TYPE, UPDATE } from "./abi.ts";
import { accessIsPossible, MAX_PERCPU_VALUE } from "./array_map.ts";
import { BpfMap, type MapSpec, roundUp8 } from "./map.ts";
import { refuse } from "./refusal.ts";

/** Flags that a hash table may have (`HTAB_CREATE_FLAG_MASK`). */
const FLAGS = MAP_FLAG.noPrealloc | MAP_FLAG.noCommonLru | MAP_FLAG.numaNode | MAP_FLAG.readOnly |
  MAP_FLAG.writeOnly | MAP_FLAG.readOnlyProg | MAP_FLAG.writeOnlyProg | MAP_FLAG.zeroSeed;

/** Bytes of a key and a value together (`KMALLOC_MAX_SIZE` without an element's header). */
const MAX_ELEMENT = (4 << 20) - 48;

const PERCPU: readonly number[] = [MAP_TYPE.percpuHash, MAP_TYPE.lruPercpuHash];
const LRU: readonly number[] = [MAP_TYPE.lruHash, MAP_TYPE.lruPercpuHash];

/** @throws {KernelError} EPERM, EINVAL, ENOTSUPP, E2BIG (`htab_map_alloc_check`) */
export function checkHash(spec: MapSpec, caller: SimulatedProcess): void {
  const { type, flags } = spec;
  const percpu = PERCPU.includes(type);
  const lru = LRU.includes(type);
  if (flags & MAP_FLAG.zeroSeed && !caller.privileged) refuse("EPERM");
  if (flags & ~FLAGS || !accessIsPossible(flags)) refuse("EINVAL");
  if (!lru && flags & MAP_FLAG.noCommonLru) refuse("EINVAL");
  if (lru && flags & MAP_FLAG.noPrealloc) refuse("ENOTSUPP");
  if (flags & MAP_FLAG.numaNode && (percpu || flags & MAP_FLAG.noCommonLru)) refuse("EINVAL");
  if (spec.maxEntries === 0 || spec.keySize === 0 || spec.valueSize === 0) refuse("EINVAL");
  if (spec.keySize + spec.valueSize >= MAX_ELEMENT) refuse("E2BIG");
  if (percpu && roundUp8(spec.valueSize) > MAX_PERCPU_VALUE) refuse("E2BIG");
}

/** An element: its key and its values, one behind the other. */
interface Element {
  readonly key: Uint8Array;
  readonly slot: number;
  readonly values: Uint8Array;
}

/** A hash table. */
export class HashMap extends BpfMap {
  readonly #elements = new Map<string, Element>();
  readonly #bySlot = new Map<number, Element>();
  readonly #freeSlots: number[] = [];
  readonly #stride: number;
  readonly #copies: number;
  readonly #forgets: boolean;

  constructor(id: number, spec: MapSpec) {
    super(id, spec);
    this.#stride = roundUp8(spec.valueSize);
    this.#copies = PERCPU.includes(spec.type) ? spec.cpus : 1;
    this.#forgets = LRU.includes(spec.type);
  }

  override get valueBytes(): number {
    return this.#isPercpu ? this.#stride * this.#copies : this.spec.valueSize;
  }

  get #isPercpu(): boolean {
    return PERCPU.includes(this.spec.type);
  }

  lookup(key: Uint8Array): Uint8Array {
    const found = this.#elements.get(nameOf(key)) ?? refuse("ENOENT");
    return found.values.slice(0, this.valueBytes);
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): void {
    this.#element(key, flags).values.set(value.subarray(0, this.valueBytes));
  }

  override put(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): void {
    const { values } = this.#element(key, flags);
    const at = this.#isPercpu ? cpu * this.#stride : 0;
    values.set(value.subarray(0, this.spec.valueSize), at);
  }

  /** The element with a key, new if need be. */
  #element(key: Uint8Array, flags: bigint): Element {
    if (flags > UPDATE.exist) refuse("EINVAL");
    const name = nameOf(key);
    const known = this.#elements.get(name);
    if (known !== undefined && flags === UPDATE.noExist) refuse("EEXIST");
    if (known === undefined && flags === UPDATE.exist) refuse("ENOENT");
    if (known !== undefined) {
      this.#touch(name, known);
      return known;
    }
    if (this.#elements.size >= this.spec.maxEntries) {
      if (!this.#forgets) refuse("E2BIG");
      const [oldest] = this.#elements.values();
      this.delete(oldest.key);
    }
    const slot = this.#freeSlots.pop() ?? this.#elements.size;
    const values = new Uint8Array(this.#stride * this.#copies);
    const element = { key: key.slice(), slot, values };
    this.#elements.set(name, element);
    this.#bySlot.set(slot, element);
    return element;
  }

  /** What was used last is forgotten last. */
  #touch(name: string, element: Element): void {
    if (!this.#forgets) return;
    this.#elements.delete(name);
    this.#elements.set(name, element);
  }

  delete(key: Uint8Array): void {
    const name = nameOf(key);
    const found = this.#elements.get(name) ?? refuse("ENOENT");
    this.#elements.delete(name);
    this.#bySlot.delete(found.slot);
    this.#freeSlots.push(found.slot);
  }

  nextKey(key: Uint8Array | null): Uint8Array {
    const elements = [...this.#elements.values()];
    const known = key === null ? undefined : this.#elements.get(nameOf(key));
    const next = known === undefined ? elements[0] : elements[elements.indexOf(known) + 1];
    return (next ?? refuse("ENOENT")).key.slice();
  }

  override find(key: Uint8Array, cpu: number): number | undefined {
    const name = nameOf(key);
    const found = this.#elements.get(name);
    if (found === undefined) return undefined;
    this.#touch(name, found);
    return (found.slot * this.#copies + (this.#isPercpu ? cpu : 0)) * this.#stride;
  }

  override view(offset: number, length: number): Uint8Array | undefined {
    const size = this.#stride * this.#copies;
    const element = this.#bySlot.get(Math.floor(offset / size));
    const at = offset % size;
    return element !== undefined && at % this.#stride + length <= this.spec.valueSize
      ? element.values.subarray(at, at + length)
      : undefined;
  }
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
