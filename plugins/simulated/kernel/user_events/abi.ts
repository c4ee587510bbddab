/**
 * The structures and numbers that user space hands to user_events, and how the kernel reads them.
 *
 * Sources: include/uapi/linux/user_events.h (6.12) and include/linux/user_events.h (6.1);
 * `user_reg_get` and `user_unreg_get` in kernel/trace/trace_events_user.c;
 * `copy_struct_from_user` in include/linux/uaccess.h.
 * @module
 */
import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import { fromBytes } from "./byte_string.ts";
import type { UserMemory } from "./host.ts";
import { refuse } from "./refusal.ts";

/** `DIAG_IOCSREG`: registers an event. */
export const DIAG_IOCSREG = 0xc0082a00;
/** `DIAG_IOCSDEL`: deletes an event by name. */
export const DIAG_IOCSDEL = 0x40082a01;
/** `DIAG_IOCSUNREG`: takes an enable bit out; version 2 only. */
export const DIAG_IOCSUNREG = 0x40082a02;

/** `USER_EVENT_REG_PERSIST`: the event stays when nobody holds it. */
export const REG_PERSIST = 1;
/** `USER_EVENT_REG_MULTI_FORMAT`: one name may have several formats. */
export const REG_MULTI_FORMAT = 2;

const PAGE_SIZE = 4096;
/** `MAX_EVENT_DESC`: the bytes of a command with its NUL. */
const MAX_COMMAND = 512;
/** `USER_PTR_MAX` of x86-64 with four levels of page tables: `access_ok` of a word looks at its start. */
const USER_POINTER_MAX = 0x7fff_ffff_f000n;

/** `struct user_reg` of version 1, packed: size@0, name_args@4, status_bit@12, write_index@16. */
export interface UserRegV1 {
  readonly nameArgs: bigint;
}

/** `struct user_reg` of version 2, packed in 28 bytes. */
export interface UserRegV2 {
  readonly enableBit: number;
  readonly flags: number;
  readonly enableAddress: bigint;
  readonly nameArgs: bigint;
}

/** `struct user_unreg`, 16 bytes. */
export interface UserUnreg {
  readonly disableBit: number;
  readonly disableAddress: bigint;
}

/** @throws KernelError EFAULT, E2BIG, EINVAL */
export function readUserRegV1(memory: UserMemory, address: bigint): UserRegV1 {
  const view = readStruct(memory, address, 20);
  return { nameArgs: view.getBigUint64(4, true) };
}

/** Stores the answer of a registration; the kernel does not look whether it could. */
export function writeUserRegV1(
  memory: UserMemory,
  address: bigint,
  statusBit: number,
  writeIndex: number,
): void {
  memory.write(address + 16n, u32(writeIndex));
  memory.write(address + 12n, u32(statusBit));
}

/** @throws KernelError EFAULT, E2BIG, EINVAL, in the kernel's order of checks */
export function readUserRegV2(memory: UserMemory, address: bigint): UserRegV2 {
  const view = readStruct(memory, address, 28);
  const enableBit = view.getUint8(4);
  const enableSize = view.getUint8(5);
  const flags = view.getUint16(6, true);
  const enableAddress = view.getBigUint64(8, true);
  if ((flags & ~(REG_PERSIST | REG_MULTI_FORMAT)) !== 0) refuse("EINVAL");
  if (enableSize !== 4 && enableSize !== 8) refuse("EINVAL");
  if (enableAddress % BigInt(enableSize) !== 0n) refuse("EINVAL");
  if (enableBit > enableSize * 8 - 1) refuse("EINVAL");
  if (enableAddress > USER_POINTER_MAX) refuse("EFAULT");
  return { enableBit, flags, enableAddress, nameArgs: view.getBigUint64(16, true) };
}

/** Stores the answer of a registration; the kernel does not look whether it could. */
export function writeUserRegV2(memory: UserMemory, address: bigint, writeIndex: number): void {
  memory.write(address + 24n, u32(writeIndex));
}

/**
 * A structure that cannot be read whole, or has more behind it, is EINVAL: the kernel looks at
 * the reserved fields before it looks at the error, and finds there what was on its stack.
 *
 * @throws KernelError EFAULT if not even the size can be read; E2BIG, EINVAL
 */
export function readUserUnreg(memory: UserMemory, address: bigint): UserUnreg {
  const view = copyStruct(memory, address, readSize(memory, address, 16), 16);
  if (typeof view === "string") refuse("EINVAL");
  if (view.getUint8(5) !== 0 || view.getUint16(6, true) !== 0) refuse("EINVAL");
  return { disableBit: view.getUint8(4), disableAddress: view.getBigUint64(8, true) };
}

/**
 * A NUL-terminated byte string of at most 511 bytes (`strndup_user`).
 *
 * @throws KernelError EFAULT, or EINVAL for a longer one
 */
export function readCommand(memory: UserMemory, address: bigint): string {
  const bytes: number[] = [];
  while (bytes.length < MAX_COMMAND) {
    const byte = memory.read(address + BigInt(bytes.length), 1);
    if (byte === null) refuse("EFAULT");
    if (byte[0] === 0) return fromBytes(Uint8Array.from(bytes));
    bytes.push(byte[0]!);
  }
  refuse("EINVAL");
}

/** A structure that says its size in the first word, and of which `known` bytes are understood. */
function readStruct(memory: UserMemory, address: bigint, known: number): DataView {
  const view = copyStruct(memory, address, readSize(memory, address, known), known);
  if (typeof view === "string") refuse(view);
  return view;
}

function readSize(memory: UserMemory, address: bigint, known: number): number {
  const bytes = memory.read(address, 4) ?? refuse("EFAULT");
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (size > PAGE_SIZE) refuse("E2BIG");
  if (size < known) refuse("EINVAL");
  return size;
}

/** `copy_struct_from_user`: what is not understood must be 0. */
function copyStruct(
  memory: UserMemory,
  address: bigint,
  size: number,
  known: number,
): DataView | ErrnoCode {
  for (let at = known; at < size; at++) {
    const byte = memory.read(address + BigInt(at), 1);
    if (byte === null) return "EFAULT";
    if (byte[0] !== 0) return "E2BIG";
  }
  const bytes = memory.read(address, known);
  return bytes === null ? "EFAULT" : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
