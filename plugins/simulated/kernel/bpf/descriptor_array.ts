/**
 * Arrays of what descriptors stand for: programs to go on with, and events to write to
 * (`fd_array_map`, kernel/bpf/arraymap.c).
 * @module
 */
import { type PerfFile, perfFileOf } from "../perf/perf_file.ts";
import type { SimulatedProcess } from "../process.ts";
import { MAP_FLAG, UPDATE } from "./abi.ts";
import { checkArray, nextIndex } from "./array_map.ts";
import { BpfMap, indexKey, indexOf, type MapSpec } from "./map.ts";
import { type Program, programOf } from "./program.ts";
import { refuse } from "./refusal.ts";

/** @throws {KernelError} EINVAL, E2BIG (`fd_array_map_alloc_check`) */
export function checkDescriptorArray(spec: MapSpec): void {
  if (spec.valueSize !== 4) refuse("EINVAL");
  if (spec.flags & (MAP_FLAG.readOnlyProg | MAP_FLAG.writeOnlyProg)) refuse("EINVAL");
  checkArray(spec);
}

/** An array of programs or of perf events. */
export abstract class DescriptorArray<T> extends BpfMap {
  readonly #held = new Map<number, T>();
  readonly #owner: SimulatedProcess;

  constructor(id: number, spec: MapSpec, owner: SimulatedProcess) {
    super(id, spec);
    this.#owner = owner;
  }

  /** What a descriptor stands for. @throws {KernelError} */
  protected abstract take(owner: SimulatedProcess, fd: number): T;
  protected abstract letGo(held: T): void;

  /** What is at an index, for a program. */
  at(index: number): T | undefined {
    return this.#held.get(index);
  }

  /** Whether an index is one of the array. */
  has(index: number): boolean {
    return index < this.spec.maxEntries;
  }

  update(key: Uint8Array, value: Uint8Array, flags: bigint): void {
    if (flags !== UPDATE.any) refuse("EINVAL");
    const index = indexOf(key);
    if (!this.has(index)) refuse("E2BIG");
    const taken = this.take(
      this.#owner,
      new DataView(value.buffer, value.byteOffset).getInt32(0, true),
    );
    this.#drop(index);
    this.#held.set(index, taken);
  }

  delete(key: Uint8Array): void {
    const index = indexOf(key);
    if (!this.has(index)) refuse("E2BIG");
    if (!this.#drop(index)) refuse("ENOENT");
  }

  nextKey(key: Uint8Array | null): Uint8Array {
    return nextIndex(key, this.spec.maxEntries);
  }

  override close(): void {
    for (const index of [...this.#held.keys()]) this.#drop(index);
  }

  #drop(index: number): boolean {
    const held = this.#held.get(index);
    if (held === undefined) return false;
    this.#held.delete(index);
    this.letGo(held);
    return true;
  }
}

/** An array of programs. */
export class ProgramArray extends DescriptorArray<Program> {
  protected take(owner: SimulatedProcess, fd: number): Program {
    return programOf(owner, fd, "bpf");
  }

  protected letGo(): void {}

  lookup(key: Uint8Array): Uint8Array {
    const program = this.at(indexOf(key)) ?? refuse("ENOENT");
    return indexKey(program.id);
  }
}

/** An array of perf events. */
export class EventArray extends DescriptorArray<PerfFile> {
  protected take(owner: SimulatedProcess, fd: number): PerfFile {
    return perfFileOf(owner, fd, "bpf").hold();
  }

  protected letGo(file: PerfFile): void {
    file.close();
  }

  lookup(): Uint8Array {
    return refuse("ENOTSUPP");
  }
}
