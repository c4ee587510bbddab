import { isKernelError } from "../kernel/error.ts";
import { readText, readTextIfPresent } from "../kernel/files.ts";
import type { Kernel } from "../kernel/port.ts";

/** Where locks and ledgers are: tmpfs, since probes do not outlive a boot either. */
export const STATE_DIRECTORY = "/run/sonde";

/** Identifies a process beyond its pid, which is used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/PID/stat); absent without /proc. */
  readonly start?: string;
  /** The PID namespace that `pid` counts in, such as `pid:[4026531836]`. */
  readonly namespace?: string;
}

/** Makes {@link STATE_DIRECTORY} if it is not there. */
export function ensureStateDirectory(kernel: Kernel): void {
  for (const path of ["/run", STATE_DIRECTORY]) {
    try {
      kernel.mkdir(path, path === STATE_DIRECTORY ? 0o700 : 0o755);
    } catch (error) {
      if (!isKernelError(error, "EEXIST")) throw error;
    }
  }
}

/** Names of the files in {@link STATE_DIRECTORY}. */
export function listState(kernel: Kernel): string[] {
  try {
    return kernel.list(STATE_DIRECTORY);
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return [];
    throw error;
  }
}

/** Deletes a file; one that is gone already is no error. */
export function removeFile(kernel: Kernel, path: string): void {
  try {
    kernel.unlink(path);
  } catch (error) {
    if (!isKernelError(error, "ENOENT")) throw error;
  }
}

/** This boot's id; probes that an earlier boot had are gone. Empty without /proc. */
export function bootId(kernel: Kernel): string {
  return readTextIfPresent(kernel, "/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** The identity of the calling process. */
export function selfIdentity(kernel: Kernel): ProcessIdentity {
  const { pid } = kernel.machine;
  return { pid, start: startTime(kernel, pid), namespace: pidNamespace(kernel) };
}

/**
 * Whether the process still runs. One that cannot be seen counts as alive: one in another PID
 * namespace, any without /proc.
 *
 * @throws {KernelError} if that cannot be told; nobody is to be taken for dead by mistake.
 */
export function isAlive(kernel: Kernel, process: ProcessIdentity): boolean {
  if (process.namespace !== undefined && process.namespace !== pidNamespace(kernel)) return true;
  const start = startTime(kernel, process.pid);
  if (start === undefined) return startTime(kernel, kernel.machine.pid) === undefined;
  return process.start === undefined || process.start === start;
}

function startTime(kernel: Kernel, pid: number): string | undefined {
  try {
    const stat = readText(kernel, `/proc/${pid}/stat`);
    // The command stands in parentheses and may hold anything, parentheses included.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch (error) {
    // A process that ends while it is read answers ESRCH (fs/proc/base.c).
    if (isKernelError(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}

function pidNamespace(kernel: Kernel): string | undefined {
  try {
    return kernel.readlink("/proc/self/ns/pid");
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The objects of a JSON Lines file; lines that are none, such as a torn last one, are dropped. */
export function readJsonLines(kernel: Kernel, path: string): object[] {
  return readText(kernel, path).split("\n").slice(0, -1).flatMap((line) => {
    const value = parseObject(line);
    return value === undefined ? [] : [value];
  });
}

/** The object that JSON text stands for, or undefined if it is something else. */
export function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
