import { isKernelError } from "../../core/kernel/error.ts";
import { tryReadText } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";

/** Where tracefs is, or why it is not to be found. */
export type Mount =
  | { readonly root: string }
  | { readonly missing: string; readonly remedy: string };

interface MountEntry {
  readonly root: string;
  readonly point: string;
  readonly type: string;
}

/**
 * Finds tracefs: a whole mount of it by `/proc/self/mountinfo`, else `tracing/` in debugfs, else
 * the usual place by its files (no /proc). Bind mounts of a part are passed over: they lack the
 * definition files.
 */
export function findTracefs(kernel: FileCalls): Mount {
  const mountinfo = tryReadText(kernel, "/proc/self/mountinfo");
  const entries = parseMountinfo(mountinfo ?? "");
  const whole = entries.filter((entry) => entry.type === "tracefs" && entry.root === "/");
  const preferred = whole.find((entry) => entry.point === "/sys/kernel/tracing") ?? whole[0];
  if (preferred !== undefined) return { root: preferred.point };

  const candidates = [
    ...entries.filter((entry) => entry.type === "debugfs" && entry.root === "/")
      .map((entry) => `${entry.point}/tracing`),
    ...(mountinfo === undefined ? ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] : []),
  ];
  for (const root of candidates) {
    if (mayBeThere(kernel, `${root}/events`)) return { root };
  }
  return notFound(kernel, entries);
}

/** Whether there is such a file, or one may not look: then it is permission that is missing. */
function mayBeThere(kernel: FileCalls, path: string): boolean {
  try {
    kernel.stat(path);
    return true;
  } catch (error) {
    return isKernelError(error, "EACCES", "EPERM");
  }
}

function notFound(kernel: FileCalls, entries: readonly MountEntry[]): Mount {
  const part = entries.find((entry) => entry.type === "tracefs");
  if (part !== undefined) {
    return {
      missing: `Only a part of tracefs ("${part.root}") is mounted, at "${part.point}"`,
      remedy: "Mount all of it: mount -t tracefs tracefs /sys/kernel/tracing",
    };
  }
  const filesystems = tryReadText(kernel, "/proc/filesystems");
  if (filesystems !== undefined && !/\ttracefs$/m.test(filesystems)) {
    return {
      missing: "This kernel has no tracefs",
      remedy: "A kernel with CONFIG_FTRACE and CONFIG_KPROBE_EVENTS or CONFIG_UPROBE_EVENTS has it",
    };
  }
  return {
    missing: "tracefs is not mounted",
    remedy: "As root: mount -t tracefs tracefs /sys/kernel/tracing",
  };
}

/** `id parent major:minor root point options... - type source options` (proc_pid_mountinfo(5)). */
function parseMountinfo(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const dash = fields.indexOf("-");
    if (fields.length < 7 || dash === -1) return [];
    return [{ root: unescape(fields[3]), point: unescape(fields[4]), type: fields[dash + 1] }];
  });
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}
