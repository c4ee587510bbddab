/**
 * The kernel port: the closed set of system calls that sonde makes.
 *
 * Backends talk to this interface only. Linux is one implementation
 * ({@link linuxKernel}), the simulated kernel another, so that the code that runs
 * as root on a host is the code that the tests run. Every call fails with a
 * {@link KernelError}.
 * @module
 */

/** A file descriptor. */
export type Fd = number;

/** How a file is opened; the flags of open(2) by name. */
export interface OpenFlags {
  readonly access: "read" | "write" | "read-write";
  /** `O_APPEND`. Required to write a definition file: `O_TRUNC` there deletes everybody's probes. */
  readonly append?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** `O_NONBLOCK`: an empty pipe answers EAGAIN. */
  readonly nonblock?: boolean;
  /** Permission bits of a created file; 0o600 unless told. */
  readonly mode?: number;
}

/** What stat(2) says of a file. */
export interface FileStat {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for most kernel files. */
  readonly size: number;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Clocks of clock_gettime(2). */
export type Clock = "monotonic" | "boottime" | "realtime";

/** What machine this is. */
export interface Machine {
  /** `linux` for a real kernel, `simulated` for the one in memory. */
  readonly kind: "linux" | "simulated";
  /** As `uname -r` prints it. */
  readonly release: string;
  /** As `uname -m` prints it. */
  readonly arch: string;
  /** Process id and effective user of the caller. */
  readonly pid: number;
  readonly uid: number;
}

/** Calls on files: what needs no FFI. */
export interface FileCalls {
  open(path: string, flags: OpenFlags): Fd;
  close(fd: Fd): void;
  /** Reads at the file position, or at byte `position` without moving it; 0 at the end of the file. */
  read(fd: Fd, into: Uint8Array, position?: number | bigint): number;
  /** One write(2); the bytes taken, which may be fewer than given. */
  write(fd: Fd, data: Uint8Array): number;
  fsync(fd: Fd): void;
  /** Follows symbolic links. */
  stat(path: string): FileStat;
  /** Names in a directory, without `.` and `..`, in the kernel's order. */
  list(path: string): string[];
  readlink(path: string): string;
  mkdir(path: string, mode?: number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  /** A second name for a file; EEXIST if the name is taken. */
  link(from: string, to: string): void;
}

/** Memory whose address the kernel knows: from {@link NativeCalls.alloc} or `mmap`. */
export interface Memory {
  readonly address: bigint;
  /** The bytes themselves, not a copy. Not to be touched after {@link Memory.free}. */
  readonly bytes: Uint8Array;
  /** munmap(2) for a mapping, else lets go of the memory. */
  free(): void;
}

/** Calls that need FFI. */
export interface NativeCalls {
  /** Zeroed memory that stays at its address until it is freed. */
  alloc(length: number): Memory;
  /** ioctl(2); `arg` is a number or the address of a structure. */
  ioctl(fd: Fd, request: number, arg: number | bigint | Memory): number;
  /** mmap(2). `fd` -1 gives anonymous memory. */
  mmap(options: {
    readonly fd: Fd;
    readonly length: number;
    readonly writable: boolean;
    readonly shared: boolean;
    readonly offset?: number;
  }): Memory;
  /** perf_event_open(2). `attr` is a `struct perf_event_attr` with its size filled in. */
  perfEventOpen(attr: Memory, pid: number, cpu: number, group: Fd, flags: number): Fd;
  /** bpf(2). */
  bpf(command: number, attr: Memory): number;
  /** clock_gettime(2): nanoseconds of a clock that both runtimes lack, exact. */
  clock(which: "monotonic" | "boottime"): bigint;
}

/** Why there are no native calls here, and what would bring them. */
export interface NoNativeCalls {
  readonly unavailable: string;
}

/** One kernel, seen from one process. */
export interface Kernel extends FileCalls {
  readonly machine: Machine;
  readonly native: NativeCalls | NoNativeCalls;
  /** Nanoseconds, exact. */
  now(clock: Clock): bigint;
  /** Lets `milliseconds` of this kernel's time pass. */
  sleep(milliseconds: number): Promise<void>;
}
