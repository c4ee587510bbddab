import type { SimulatedProcess } from "../process.ts";
import { ATTR_SIZE, NAME_SIZE, PAGE_SIZE } from "./abi.ts";
import { refuse } from "./refusal.ts";

/** `union bpf_attr` as the kernel reads it from a process. */
export class BpfAttr {
  /** Where it lies in the process. */
  readonly address: bigint;
  readonly #view: DataView;

  /**
   * Reads it (`__sys_bpf`, kernel/bpf/syscall.c): what the caller left out is zero.
   *
   * @throws {KernelError} E2BIG for a tail that is unknown and not zero, EFAULT
   */
  constructor(
    process: SimulatedProcess,
    address: bigint,
    size: number,
    version: keyof typeof ATTR_SIZE,
  ) {
    const own = ATTR_SIZE[version];
    if (size > PAGE_SIZE) refuse("E2BIG");
    const tail = size > own ? process.memory.read(address + BigInt(own), size - own) : null;
    if (size > own && tail === null) refuse("EFAULT");
    if (tail?.some((byte) => byte !== 0)) refuse("E2BIG");
    const bytes = new Uint8Array(own);
    bytes.set(process.memory.read(address, Math.min(size, own)) ?? refuse("EFAULT"));
    this.address = address;
    this.#view = new DataView(bytes.buffer);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  u64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true);
  }

  /** Whether everything from `offset` on is zero (`CHECK_ATTR`). @throws {KernelError} EINVAL */
  requireEnd(offset: number): void {
    for (let at = offset; at < this.#view.byteLength; at++) {
      if (this.#view.getUint8(at) !== 0) refuse("EINVAL");
    }
  }

  /**
   * The name of an object (`bpf_obj_name_cpy`).
   *
   * @throws {KernelError} EINVAL if it has no end or a character that is not allowed
   */
  name(offset: number): string {
    let name = "";
    for (let i = 0; i < NAME_SIZE; i++) {
      const byte = this.#view.getUint8(offset + i);
      if (byte === 0) return name;
      name += String.fromCharCode(byte);
      if (!/[0-9A-Za-z_.]$/.test(name)) refuse("EINVAL");
    }
    return refuse("EINVAL");
  }
}
