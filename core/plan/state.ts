import { isKernelError } from "../kernel/error.ts";
import { readText, tryReadText } from "../kernel/files.ts";
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

/** This boot's id; probes that an earlier boot had are gone. Empty without /proc. */
export function bootId(kernel: Kernel): string {
  return tryReadText(kernel, "/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** The identity of the calling process. */
export function selfIdentity(kernel: Kernel): ProcessIdentity {
  const { pid } = kernel.machine;
  return { pid, start: startTime(kernel, pid), namespace: pidNamespace(kernel) };
}

/** Whether the process still runs. One in another PID namespace cannot be seen and counts as alive. */
export function isAlive(kernel: Kernel, process: ProcessIdentity): boolean {
  if (process.namespace !== undefined && process.namespace !== pidNamespace(kernel)) return true;
  const start = startTime(kernel, process.pid);
  return start !== undefined && (process.start === undefined || process.start === start);
}

function startTime(kernel: Kernel, pid: number): string | undefined {
  const stat = tryReadText(kernel, `/proc/${pid}/stat`);
  // The command stands in parentheses and may hold anything, parentheses included.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function pidNamespace(kernel: Kernel): string | undefined {
  try {
    return kernel.readlink("/proc/self/ns/pid");
  } catch (error) {
    if (isKernelError(error)) return undefined;
    throw error;
  }
}

/** Reads a JSON Lines file of the state directory; a torn last line is dropped. */
export function readJsonLines(kernel: Kernel, path: string): unknown[] {
  return readText(kernel, path).split("\n").slice(0, -1).flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
