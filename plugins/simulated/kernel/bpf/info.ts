/**
 * OBJ_GET_INFO_BY_FD: what maps, programs and links tell of themselves (kernel/bpf/syscall.c).
 * @module
 */
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { PAGE_SIZE } from "./abi.ts";
import type { BpfAttr } from "./attr.ts";
import { INSTRUCTION_SIZE } from "./instruction.ts";
import { LinkFile } from "./link.ts";
import { fillLinkInfo } from "./link_info.ts";
import { type BpfMap, MapFile } from "./map.ts";
import { type Program, ProgramFile } from "./program.ts";
import { refuse } from "./refusal.ts";

/** Offsets of the fields of the command. */
const DESCRIPTOR = 0;
const LENGTH = 4;
const INFO = 8;
const END = 16;

/** Bytes of `struct bpf_map_info`, `bpf_prog_info` and `bpf_link_info`. */
const MAP_INFO = 88;
const PROGRAM_INFO = 232;
const LINK_INFO = { "6.1": 48, "6.12": 64 } as const;

/** A structure of the caller, with what the caller put into it. */
export class InfoBuffer {
  readonly view: DataView;
  readonly #caller: SimulatedProcess;
  readonly #address: bigint;
  readonly #length: number;

  /** @throws {KernelError} E2BIG for a tail that is not zero, EFAULT */
  constructor(caller: SimulatedProcess, attr: BpfAttr, size: number) {
    const given = attr.u32(LENGTH);
    this.#caller = caller;
    this.#address = attr.u64(INFO);
    this.#length = Math.min(given, size);
    if (given > PAGE_SIZE) refuse("E2BIG");
    if (given > size) {
      const tail = this.read(this.#address + BigInt(size), given - size);
      if (tail.some((byte) => byte !== 0)) refuse("E2BIG");
    }
    const bytes = new Uint8Array(size);
    bytes.set(this.read(this.#address, this.#length));
    this.view = new DataView(bytes.buffer);
  }

  /** @throws {KernelError} EFAULT */
  read(address: bigint, length: number): Uint8Array {
    return this.#caller.memory.read(address, length) ?? refuse("EFAULT");
  }

  /** @throws {KernelError} EFAULT */
  write(address: bigint, bytes: Uint8Array): void {
    if (!this.#caller.memory.write(address, bytes)) refuse("EFAULT");
  }

  u32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  u64(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value, true);
  }

  bytes(offset: number, bytes: Uint8Array): void {
    new Uint8Array(this.view.buffer).set(bytes, offset);
  }

  /** Gives it back, and its length to the command. */
  finish(attr: BpfAttr): number {
    this.write(this.#address, new Uint8Array(this.view.buffer, 0, this.#length));
    this.write(attr.address + BigInt(LENGTH), new Uint8Array(Uint32Array.of(this.#length).buffer));
    return 0;
  }
}

/** OBJ_GET_INFO_BY_FD. @throws {KernelError} EBADFD, EINVAL, E2BIG, EFAULT, ENOSPC */
export function objectInfo(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
): number {
  attr.requireEnd(END);
  const fd = attr.i32(DESCRIPTOR);
  if (!caller.hasDescriptor(fd)) refuse("EBADFD");
  const { file } = caller.descriptor(fd, "bpf");
  if (file instanceof MapFile) return mapInfo(caller, attr, file.map);
  if (file instanceof ProgramFile) return programInfo(caller, attr, file.program);
  if (!(file instanceof LinkFile)) refuse("EINVAL");
  const info = new InfoBuffer(caller, attr, LINK_INFO[kernel.version]);
  fillLinkInfo(kernel, info, file);
  return info.finish(attr);
}

function mapInfo(caller: SimulatedProcess, attr: BpfAttr, { id, spec }: BpfMap): number {
  const info = new InfoBuffer(caller, attr, MAP_INFO);
  info.bytes(0, new Uint8Array(MAP_INFO));
  info.u32(0, spec.type);
  info.u32(4, id);
  info.u32(8, spec.keySize);
  info.u32(12, spec.valueSize);
  info.u32(16, spec.maxEntries);
  info.u32(20, spec.flags);
  info.bytes(24, nameBytes(spec.name));
  return info.finish(attr);
}

/** What machine code a program would become is not told: there is none. */
function programInfo(caller: SimulatedProcess, attr: BpfAttr, { id, spec }: Program): number {
  const info = new InfoBuffer(caller, attr, PROGRAM_INFO);
  const mapIds = [...new Set([...spec.maps.values()].map((map) => map.id))];
  const room = info.view.getUint32(52, true);
  const mapsAt = info.view.getBigUint64(56, true);
  info.bytes(0, new Uint8Array(PROGRAM_INFO));
  info.u32(0, spec.type);
  info.u32(4, id);
  info.bytes(8, spec.tag);
  info.u32(20, spec.instructions.length * INSTRUCTION_SIZE);
  info.u64(40, spec.loadTime);
  info.u32(48, spec.uid);
  info.u32(52, mapIds.length);
  info.u64(56, mapsAt);
  info.bytes(64, nameBytes(spec.name));
  info.u32(84, Number(spec.gpl));
  info.u32(216, spec.verified);
  const shown = Uint32Array.from(mapIds.slice(0, room));
  if (shown.length > 0) info.write(mapsAt, new Uint8Array(shown.buffer));
  return info.finish(attr);
}

function nameBytes(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}
