import { dlopen, FFIType, type Pointer, toArrayBuffer } from "bun:ffi";
import process from "node:process";
import type { NativeCalls, NoNativeCalls } from "../port.ts";
import { type Libc, loadLibc } from "./libc.ts";

const { i32, i64, ptr } = FFIType;

const SYMBOLS = {
  ioctl: { args: [i32, i64, i64], returns: i32 },
  syscall: { args: [i64, i64, i64, i64, i64, i64], returns: i32 },
  mmap: { args: [i64, i64, i32, i32, i32, i64], returns: i64 },
  munmap: { args: [i64, i64], returns: i32 },
  clock_gettime: { args: [i32, i64], returns: i32 },
  __errno_location: { args: [], returns: ptr },
} as const;

/** The native calls by bun:ffi. Under MemoryDenyWriteExecute `dlopen` throws: FFI needs the JIT. */
export function openNative(): NativeCalls | NoNativeCalls {
  if (process.platform !== "linux") return { unavailable: "Native calls are made on Linux only" };
  return loadLibc(bind, process.arch);
}

function bind(name: string): Libc {
  const { symbols } = dlopen(name, SYMBOLS);
  // One view for the thread: reading it allocates nothing, so nothing can change errno in between.
  const errno = new Int32Array(toArrayBuffer(symbols.__errno_location() as Pointer, 0, 4));
  return {
    ioctl: (fd, request, arg) => symbols.ioctl(fd, request, arg),
    syscall: (number, a, b, c, d, e) => symbols.syscall(number, a, b, c, d, e),
    mmap: (address, length, prot, flags, fd, offset) =>
      symbols.mmap(address, length, prot, flags, fd, offset),
    munmap: (address, length) => symbols.munmap(address, length),
    clock_gettime: (clock, address) => symbols.clock_gettime(clock, address),
    errno: () => errno[0],
    view: (address, length) => new Uint8Array(toArrayBuffer(Number(address) as Pointer, 0, length)),
  };
}
