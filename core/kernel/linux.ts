import * as fs from "node:fs";
import * as os from "node:os";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { openNative } from "#sys";
import { ERRNO, type ErrnoCode } from "./errno.ts";
import { KernelError } from "./error.ts";
import type { Clock, FileStat, Kernel, OpenFlags } from "./port.ts";

/**
 * Files whose truncation deletes the probes of every tool on the host
 * (kernel/trace/trace_dynevent.c, `dyn_events_release_all`).
 */
const DEFINITION_FILE = /\/(kprobe_events|uprobe_events|dynamic_events|synthetic_events)$/;

/** The kernel that this process runs on: files by node:fs, the rest by FFI where there is any. */
export function linuxKernel(): Kernel {
  const native = openNative();
  return {
    machine: {
      kind: "linux",
      release: os.release(),
      arch: os.machine(),
      pid: process.pid,
      uid: process.geteuid?.() ?? -1,
    },
    native,
    open: (path, flags) => {
      refuseTruncation(path, flags);
      return call("open", path, () => fs.openSync(path, openBits(flags), flags.mode ?? 0o600));
    },
    close: (fd) => call("close", undefined, () => fs.closeSync(fd)),
    read: (fd, into, position) =>
      call("read", undefined, () => fs.readSync(fd, into, 0, into.length, position ?? null)),
    write: (fd, data) =>
      call("write", undefined, () => fs.writeSync(fd, data, 0, data.length, null)),
    fsync: (fd) => call("fsync", undefined, () => fs.fsyncSync(fd)),
    stat: (path) => call("stat", path, () => toStat(fs.statSync(path, { bigint: true }))),
    list: (path) => call("readdir", path, () => fs.readdirSync(path)),
    readlink: (path) => call("readlink", path, () => fs.readlinkSync(path)),
    mkdir: (path, mode) => call("mkdir", path, () => fs.mkdirSync(path, { mode: mode ?? 0o700 })),
    rmdir: (path) => call("rmdir", path, () => fs.rmdirSync(path)),
    unlink: (path) => call("unlink", path, () => fs.unlinkSync(path)),
    rename: (from, to) => call("rename", from, () => fs.renameSync(from, to)),
    link: (from, to) => call("link", to, () => fs.linkSync(from, to)),
    now: (clock) => now(clock, native),
    sleep: async (milliseconds) => {
      await delay(milliseconds);
    },
  };
}

function refuseTruncation(path: string, flags: OpenFlags): void {
  if (flags.access !== "read" && DEFINITION_FILE.test(path) && (flags.truncate || !flags.append)) {
    throw new TypeError(`Cannot open "${path}" for writing other than by appending`);
  }
}

function openBits(flags: OpenFlags): number {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK } =
    fs.constants;
  const access = { read: O_RDONLY, write: O_WRONLY, "read-write": O_RDWR }[flags.access];
  return access | (flags.append ? O_APPEND : 0) | (flags.create ? O_CREAT : 0) |
    (flags.exclusive ? O_EXCL : 0) | (flags.truncate ? O_TRUNC : 0) |
    (flags.nonblock ? O_NONBLOCK : 0);
}

function toStat(stat: fs.BigIntStats): FileStat {
  return {
    kind: stat.isFile()
      ? "file"
      : stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
      ? "link"
      : "other",
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    dev: stat.dev,
    ino: stat.ino,
  };
}

/**
 * A clock of the kernel. `process.hrtime` will not do: Bun and Deno count it from the start of the
 * process. Without native calls the time since boot takes the place of CLOCK_MONOTONIC, which does
 * not count the time that the machine was suspended; it is 10 ms late at most.
 */
function now(clock: Clock, native: Kernel["native"]): bigint {
  if (clock === "realtime") return BigInt(Date.now()) * 1_000_000n;
  if (!("unavailable" in native)) return native.clock(clock);
  const uptime = fs.readFileSync("/proc/uptime", "latin1").split(" ")[0];
  return BigInt(Math.round(Number(uptime) * 100)) * 10_000_000n;
}

/** Runs one call of node:fs and turns its error into the kernel's. */
function call<T>(name: string, path: string | undefined, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code !== undefined && code in ERRNO) {
      throw new KernelError(code as ErrnoCode, name, path, { cause: error });
    }
    if (typeof errno === "number" && errno !== 0) {
      throw new KernelError(Math.abs(errno), name, path, { cause: error });
    }
    throw error;
  }
}
