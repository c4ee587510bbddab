/**
 * What a program works on while it runs: registers, stack, context, and the memory of maps, at
 * addresses that mean nothing elsewhere.
 * @module
 */
import type { Occurrence } from "../perf/occurrence.ts";
import type { ProgramMoment } from "../perf/program.ts";
import type { BpfMap } from "./map.ts";
import type { BpfObjects } from "./objects.ts";

/** Where things lie. */
const STACK = 0x1000_0000_0000n;
const CONTEXT = 0x2000_0000_0000n;
const MAPS = 0x3000_0000_0000n;
const VALUES = 0x4000_0000_0000n;
/** Bits of an offset into the memory of a map. */
const VALUE_BITS = 36n;

/** Bytes of stack of a subprogram, and how deep calls go. */
const FRAME_SIZE = 512;
export const MAX_FRAMES = 8;

/** Registers of `struct pt_regs` in the order in which they lie there. */
const CONTEXT_REGISTERS = {
  x86_64: "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss".split(" "),
  aarch64: [...Array.from({ length: 31 }, (_, i) => `x${i}`), "sp", "pc", "pstate"],
} as const;

/** A program did what the verifier would not have let it do. */
export class ProgramFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProgramFault";
  }
}

/** The machine that runs one program once. */
export class Machine {
  readonly objects: BpfObjects;
  readonly occurrence: Occurrence;
  /** What `bpf_get_attach_cookie` answers. */
  readonly cookie: bigint;
  /** r0 to r10. */
  readonly registers: bigint[];
  readonly #stack = new Uint8Array(FRAME_SIZE * MAX_FRAMES);
  readonly #moment: ProgramMoment;
  #context: Uint8Array | undefined;

  constructor(objects: BpfObjects, moment: ProgramMoment, cookie: bigint) {
    this.objects = objects;
    this.occurrence = moment.occurrence;
    this.cookie = cookie;
    this.#moment = moment;
    this.registers = new Array<bigint>(11).fill(0n);
    this.registers[1] = CONTEXT;
    this.registers[10] = this.framePointer(0);
  }

  /** r10 of the subprogram that is `depth` calls deep. */
  framePointer(depth: number): bigint {
    return STACK + BigInt((depth + 1) * FRAME_SIZE);
  }

  /** The address that stands for a map. */
  mapAddress(map: BpfMap): bigint {
    return MAPS + BigInt(map.id);
  }

  /** The map that an address stands for. @throws {ProgramFault} */
  mapAt(address: bigint): BpfMap {
    const map = this.objects.map(Number(BigInt.asUintN(32, address - MAPS)));
    if (map === undefined || this.mapAddress(map) !== address) {
      throw new ProgramFault("a helper got something else for a map");
    }
    return map;
  }

  /** The address of a place in the memory of a map. */
  valueAddress(map: BpfMap, offset: number): bigint {
    return VALUES + (BigInt(map.id) << VALUE_BITS) + BigInt(offset);
  }

  /** The place in the memory of a map that an address means. @throws {ProgramFault} */
  valueAt(address: bigint): { readonly map: BpfMap; readonly offset: number } {
    const at = address - VALUES;
    const map = at < 0n ? undefined : this.objects.map(Number(at >> VALUE_BITS));
    if (map === undefined) throw new ProgramFault(`no memory at 0x${address.toString(16)}`);
    return { map, offset: Number(BigInt.asUintN(Number(VALUE_BITS), at)) };
  }

  /** Memory, not a copy. @throws {ProgramFault} where there is none */
  view(address: bigint, length: number): Uint8Array {
    const found = this.#find(address, length);
    if (found === undefined || found.length < length) {
      throw new ProgramFault(`no ${length} bytes at 0x${address.toString(16)}`);
    }
    return found;
  }

  #find(address: bigint, length: number): Uint8Array | undefined {
    if (address >= VALUES) {
      const { map, offset } = this.valueAt(address);
      return map.view(offset, length);
    }
    if (address >= CONTEXT) {
      const at = Number(address - CONTEXT);
      return (this.#context ??= this.#makeContext()).slice(at, at + length);
    }
    const at = Number(address - STACK);
    return at < 0 ? undefined : this.#stack.subarray(at, at + length);
  }

  /** Registers for a kprobe; the entry of a tracepoint, its common fields hidden. */
  #makeContext(): Uint8Array {
    const { entry } = this.#moment;
    if (entry !== null) {
      const context = entry.slice();
      context.fill(0, 0, 8);
      return context;
    }
    const names = CONTEXT_REGISTERS[this.objects.kernel.arch];
    const words = BigUint64Array.from(names, (name) => this.occurrence.register(name));
    return new Uint8Array(words.buffer);
  }

  load(address: bigint, size: number, signed = false): bigint {
    const bytes = this.view(address, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]);
    return signed ? BigInt.asUintN(64, BigInt.asIntN(8 * size, value)) : value;
  }

  store(address: bigint, size: number, value: bigint): void {
    const bytes = this.view(address, size);
    for (let i = 0; i < size; i++) bytes[i] = Number(value >> BigInt(8 * i) & 0xffn);
  }
}
