import process from "node:process";
import type { NativeCalls, NoNativeCalls } from "../port.ts";
import { type Libc, loadLibc } from "./libc.ts";

const SYMBOLS = {
  ioctl: { parameters: ["i32", "i64", "i64"], result: "i32" },
  syscall: { parameters: ["i64", "i64", "i64", "i64", "i64", "i64"], result: "i32" },
  mmap: { parameters: ["i64", "i64", "i32", "i32", "i32", "i64"], result: "i64" },
  munmap: { parameters: ["i64", "i64"], result: "i32" },
  clock_gettime: { parameters: ["i32", "i64"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The native calls by Deno's FFI; `--allow-ffi` (or `-A`) is needed. */
export function openNative(): NativeCalls | NoNativeCalls {
  if (process.platform !== "linux") return { unavailable: "Native calls are made on Linux only" };
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return { unavailable: "Deno was started without --allow-ffi" };
  }
  return loadLibc(bind, process.arch);
}

function bind(name: string): Libc {
  const { symbols } = Deno.dlopen(name, SYMBOLS);
  const location = symbols.__errno_location();
  if (location === null) throw new Error("__errno_location answered NULL");
  // One view for the thread: reading it allocates nothing, so nothing can change errno in between.
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  return {
    ioctl: (fd, request, arg) => symbols.ioctl(fd, request, arg),
    syscall: (number, a, b, c, d, e) => symbols.syscall(BigInt(number), a, b, c, d, e),
    mmap: (address, length, prot, flags, fd, offset) =>
      symbols.mmap(address, length, prot, flags, fd, offset),
    munmap: (address, length) => symbols.munmap(address, length),
    clock_gettime: (clock, address) => symbols.clock_gettime(clock, address),
    errno: () => errno[0],
    view: (address, length) => {
      const pointer = Deno.UnsafePointer.create(address);
      if (pointer === null) throw new Error("Cannot view address 0");
      return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
    },
  };
}
