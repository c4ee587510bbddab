/**
 * The two interfaces of user_events: version 1 as in 6.1 (a status page with a bit for each
 * event), version 2 as in 6.4 and later (a word in the caller's own memory). Told apart by what
 * the kernel answers, never by its version number, because both were backported.
 *
 * Sources: include/uapi/linux/user_events.h; kernel/trace/trace_events_user.c of 6.1 and 6.12.
 * @module
 */

import { isKernelError, KernelError } from "../kernel/error.ts";
import type { Fd, Memory, NativeCalls } from "../kernel/port.ts";

export const DIAG_IOCSREG = 0xc0082a00;
export const DIAG_IOCSDEL = 0x40082a01;
export const DIAG_IOCSUNREG = 0x40082a02;

/** The event stays when nobody holds it; needs CAP_PERFMON. */
export const REG_PERSIST = 1;
/** Several formats of one name live side by side. */
export const REG_MULTI_FORMAT = 2;

const REG_SIZE_V1 = 20;
const REG_SIZE_V2 = 28;
const UNREG_SIZE = 16;
/** An address that no process has: of the kernel's half. */
const KERNEL_ADDRESS = 0xffff_8880_0000_0000n;

/** What an open `user_events_data` can do. */
export interface Abi {
  readonly version: 1 | 2;
  /** Flags that a registration may have. Version 1 knows none. */
  readonly persist: boolean;
  readonly multiFormat: boolean;
}

/** Asks the kernel which interface it has. Registers nothing. */
export function detectAbi(native: NativeCalls, fd: Fd): Abi {
  const unreg = native.alloc(UNREG_SIZE);
  try {
    // A size of 0 is refused by version 2; version 1 does not know the request.
    native.ioctl(fd, DIAG_IOCSUNREG, unreg);
  } catch (error) {
    if (isKernelError(error, "ENOTTY")) return { version: 1, persist: false, multiFormat: false };
    if (!isKernelError(error, "EINVAL")) throw error;
  } finally {
    unreg.free();
  }
  return {
    version: 2,
    persist: knowsFlag(native, fd, REG_PERSIST),
    multiFormat: knowsFlag(native, fd, REG_MULTI_FORMAT),
  };
}

/** A known flag lets the check of the address answer EFAULT; an unknown one is EINVAL before. */
function knowsFlag(native: NativeCalls, fd: Fd, flag: number): boolean {
  const reg = native.alloc(REG_SIZE_V2);
  try {
    const view = viewOf(reg);
    view.setUint32(0, REG_SIZE_V2, true);
    view.setUint8(5, 4);
    view.setUint16(6, flag, true);
    view.setBigUint64(8, KERNEL_ADDRESS, true);
    native.ioctl(fd, DIAG_IOCSREG, reg);
    return true;
  } catch (error) {
    return isKernelError(error, "EFAULT");
  } finally {
    reg.free();
  }
}

/** A registration by version 2. @returns the write index. @throws {KernelError} */
export function registerV2(native: NativeCalls, fd: Fd, registration: {
  readonly text: string;
  readonly flags: number;
  readonly enableAddress: bigint;
  readonly enableBit: number;
}): number {
  return withText(native, registration.text, (text) => {
    const reg = native.alloc(REG_SIZE_V2);
    try {
      const view = viewOf(reg);
      view.setUint32(0, REG_SIZE_V2, true);
      view.setUint8(4, registration.enableBit);
      view.setUint8(5, 4);
      view.setUint16(6, registration.flags, true);
      view.setBigUint64(8, registration.enableAddress, true);
      view.setBigUint64(16, text.address, true);
      requireSuccess(native.ioctl(fd, DIAG_IOCSREG, reg));
      return view.getUint32(24, true);
    } finally {
      reg.free();
    }
  });
}

/** Stops the kernel from writing to an enable word. @throws {KernelError} */
export function unregisterV2(native: NativeCalls, fd: Fd, address: bigint, bit: number): void {
  const unreg = native.alloc(UNREG_SIZE);
  try {
    const view = viewOf(unreg);
    view.setUint32(0, UNREG_SIZE, true);
    view.setUint8(4, bit);
    view.setBigUint64(8, address, true);
    native.ioctl(fd, DIAG_IOCSUNREG, unreg);
  } finally {
    unreg.free();
  }
}

/** A registration by version 1. @throws {KernelError} */
export function registerV1(
  native: NativeCalls,
  fd: Fd,
  text: string,
): { readonly statusBit: number; readonly writeIndex: number } {
  return withText(native, text, (memory) => {
    const reg = native.alloc(REG_SIZE_V1);
    try {
      const view = viewOf(reg);
      view.setUint32(0, REG_SIZE_V1, true);
      view.setBigUint64(4, memory.address, true);
      requireSuccess(native.ioctl(fd, DIAG_IOCSREG, reg));
      return { statusBit: view.getUint32(12, true), writeIndex: view.getUint32(16, true) };
    } finally {
      reg.free();
    }
  });
}

/** Deletes an event that nobody holds. @throws {KernelError} ENOENT, EBUSY, EPERM */
export function deleteEvent(native: NativeCalls, fd: Fd, name: string): void {
  withText(native, name, (memory) => native.ioctl(fd, DIAG_IOCSDEL, memory));
}

function withText<T>(native: NativeCalls, text: string, use: (memory: Memory) => T): T {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const memory = native.alloc(bytes.length);
  try {
    memory.bytes.set(bytes);
    return use(memory);
  } finally {
    memory.free();
  }
}

/** Some wrong sizes come back as large negative numbers instead of errors. */
function requireSuccess(result: number): void {
  if (result !== 0) throw new KernelError("EINVAL", "ioctl");
}

function viewOf({ bytes }: Memory): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
