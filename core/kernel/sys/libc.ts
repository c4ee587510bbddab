import { KernelError } from "../error.ts";
import type { Memory, NativeCalls, NoNativeCalls } from "../port.ts";

/**
 * The functions of the C library that native calls are made of, as one runtime binds them.
 * `syscall` and `ioctl` are variadic in C; on Linux x86-64 and arm64 variadic and fixed
 * integer arguments travel in the same registers.
 */
export interface Libc {
  ioctl(fd: number, request: bigint, arg: bigint): number;
  /** perf_event_open(2) and bpf(2) have no wrapper in the C library. */
  syscall(
    number: number,
    a: bigint,
    b: bigint,
    c: bigint,
    d: bigint,
    e: bigint,
  ): number;
  /** Declared as a 64-bit integer, so that failure is -1n and not a pointer. */
  mmap(
    address: bigint,
    length: bigint,
    prot: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint;
  munmap(address: bigint, length: bigint): number;
  clock_gettime(clock: number, address: bigint): number;
  /** errno of this thread; to be read in the statement after the call. */
  errno(): number;
  /** The memory at `address`, not a copy. */
  view(address: bigint, length: number): Uint8Array;
}

/** Shared objects that the C library goes by: glibc, then musl. */
const LIBC_NAMES = [
  "libc.so.6",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
] as const;

/** System call numbers (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h). */
const SYSCALLS: Record<string, { readonly perfEventOpen: number; readonly bpf: number }> = {
  x64: { perfEventOpen: 298, bpf: 321 },
  arm64: { perfEventOpen: 241, bpf: 280 },
};

/** include/uapi/linux/time.h */
const CLOCKS = { monotonic: 1, boottime: 7 } as const;

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

/**
 * The native calls over the first C library that loads.
 *
 * @param bind binds the functions of the library called `name`; throws if it cannot be loaded.
 * @param arch `process.arch`
 */
export function loadLibc(bind: (name: string) => Libc, arch: string): NativeCalls | NoNativeCalls {
  const reasons: string[] = [];
  for (const name of LIBC_NAMES) {
    try {
      return nativeCalls(bind(name), arch);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { unavailable: `Cannot load the C library: ${reasons[0]}` };
}

function nativeCalls(libc: Libc, arch: string): NativeCalls | NoNativeCalls {
  const numbers = SYSCALLS[arch];
  if (numbers === undefined) return { unavailable: `No system call numbers for "${arch}"` };

  function mmap(options: Parameters<NativeCalls["mmap"]>[0]): Memory {
    const { fd, length, writable, shared, offset = 0 } = options;
    const prot = PROT_READ | (writable ? PROT_WRITE : 0);
    const flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (fd === -1 ? MAP_ANONYMOUS : 0);
    const address = libc.mmap(0n, BigInt(length), prot, flags, fd, BigInt(offset));
    if (address === -1n) throw new KernelError(libc.errno(), "mmap");
    let mapped = true;
    return {
      address,
      bytes: libc.view(address, length),
      free: () => {
        if (!mapped) return;
        mapped = false;
        libc.munmap(address, BigInt(length));
      },
    };
  }

  let timespec: Memory | undefined;

  return {
    mmap,
    clock: (which) => {
      timespec ??= mmap({ fd: -1, length: 16, writable: true, shared: false });
      if (libc.clock_gettime(CLOCKS[which], timespec.address) === -1) {
        throw new KernelError(libc.errno(), "clock_gettime");
      }
      const view = new DataView(timespec.bytes.buffer, timespec.bytes.byteOffset);
      return view.getBigInt64(0, true) * 1_000_000_000n + view.getBigInt64(8, true);
    },
    // A page of its own per structure: the address stays, whatever the collector moves.
    alloc: (length) => mmap({ fd: -1, length: Math.max(length, 1), writable: true, shared: false }),
    ioctl: (fd, request, arg) => {
      const value = typeof arg === "object" ? arg.address : BigInt(arg);
      const result = libc.ioctl(fd, BigInt(request), value);
      if (result === -1) throw new KernelError(libc.errno(), "ioctl");
      return result;
    },
    perfEventOpen: (attr, pid, cpu, group, flags) => {
      const result = libc.syscall(
        numbers.perfEventOpen,
        attr.address,
        BigInt(pid),
        BigInt(cpu),
        BigInt(group),
        BigInt(flags),
      );
      if (result === -1) throw new KernelError(libc.errno(), "perf_event_open");
      return result;
    },
    bpf: (command, attr) => {
      const size = BigInt(attr.bytes.length);
      const result = libc.syscall(numbers.bpf, BigInt(command), attr.address, size, 0n, 0n);
      if (result === -1) throw new KernelError(libc.errno(), "bpf");
      return result;
    },
  };
}
