import { isKernelError, KernelError } from "../kernel/error.ts";
import { exists, tryReadText } from "../kernel/files.ts";
import type { Fd, Kernel } from "../kernel/port.ts";

/** Why user_events cannot be used here. */
export type UnavailableReason =
  /** The kernel has no tracefs, or it is not mounted. */
  | "no_tracefs"
  /** The kernel was built without CONFIG_USER_EVENTS. */
  | "no_user_events"
  /** The file is there, and may not be written. */
  | "no_permission"
  /** The runtime cannot make ioctl calls. */
  | "no_native_calls";

/** Where user_events are not to be had. */
export interface Unavailable {
  readonly reason: UnavailableReason;
  /** In words, with what would help. */
  readonly message: string;
}

/** A `user_events_data` file and the tracefs around it, as far as it can be seen. */
export interface DataPlace {
  /** Path of the data file. */
  readonly path: string;
  /** Directory of tracefs; in a container often only the data file is there. */
  readonly tracefs: string;
}

const DEFAULT_TRACEFS = "/sys/kernel/tracing";

/**
 * Finds `user_events_data`. The usual path comes first: containers are often given that one file
 * by a bind mount, and nothing else of tracefs.
 */
export function findDataFile(kernel: Kernel, path?: string): DataPlace | Unavailable {
  if (path !== undefined) return { path, tracefs: path.replace(/\/[^/]*$/, "") };
  const roots = [DEFAULT_TRACEFS, ...mountedTracefs(kernel)];
  for (const tracefs of roots) {
    const data = `${tracefs}/user_events_data`;
    try {
      kernel.stat(data);
      return { path: data, tracefs };
    } catch (error) {
      if (isKernelError(error, "EACCES", "EPERM")) return notPermitted(data, error);
      if (!isKernelError(error, "ENOENT", "ENOTDIR")) throw error;
    }
  }
  return roots.some((root) => exists(kernel, `${root}/README`))
    ? {
      reason: "no_user_events",
      message: "This kernel has no user_events: it was built without CONFIG_USER_EVENTS",
    }
    : {
      reason: "no_tracefs",
      message: "tracefs is not mounted; as root: mount -t tracefs tracefs /sys/kernel/tracing",
    };
}

function mountedTracefs(kernel: Kernel): string[] {
  const mountinfo = tryReadText(kernel, "/proc/self/mountinfo") ?? "";
  return mountinfo.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    return fields[fields.indexOf("-") + 1] === "tracefs" ? [fields[4]] : [];
  });
}

/**
 * Opens a data file for writing only: the file may be writable for a group that may not read it.
 */
export function openDataFile(kernel: Kernel, path: string): Fd | Unavailable {
  try {
    return kernel.open(path, { access: "write" });
  } catch (error) {
    if (!isKernelError(error, "EACCES", "EPERM", "ENOENT")) throw error;
    return error.code === "ENOENT"
      ? { reason: "no_user_events", message: `There is no "${path}"` }
      : notPermitted(path, error);
  }
}

function notPermitted(path: string, { code }: KernelError): Unavailable {
  return {
    reason: "no_permission",
    message: `"${path}" may not be written (${code}): give the group of this process ` +
      "write permission on it, and search permission on the directories above",
  };
}

/** What a failed registration means for the one who asked. */
export class RegistrationError extends Error {
  /** errno by name. */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(event: string, error: KernelError, explanation: Explanation) {
    super(`Cannot register user_event "${event}": ${explanation.reason}`, { cause: error });
    this.name = "RegistrationError";
    this.code = error.code;
    this.hint = explanation.hint;
  }
}

interface Explanation {
  readonly reason: string;
  readonly hint?: string;
}

/**
 * Why a registration failed. EADDRINUSE has another meaning in the kernel, an enable word that is
 * in use, but a provider never takes a word twice.
 */
export function explainRegistration(event: string, error: KernelError): RegistrationError {
  return new RegistrationError(event, error, explanationOf(error.code));
}

function explanationOf(code: string): Explanation {
  switch (code) {
    case "EADDRINUSE":
      return {
        reason: "another program has registered this name with other fields",
        hint: "Take another name, or open the provider in a namespace of your own",
      };
    case "EMFILE":
      return {
        reason: "there are as many events as are allowed",
        hint: "The limits are kernel.user_events_max and that of the namespace",
      };
    case "EPERM":
      return {
        reason: "an event that stays needs CAP_PERFMON in the first user namespace",
        hint: "Leave persist out, or run with CAP_PERFMON",
      };
    case "ENODEV":
      return { reason: "the kernel has no trace event ids left" };
    case "ENOMEM":
      return {
        reason: "the kernel cannot write the enable word",
        hint: "The event was made nevertheless; it goes when the provider is closed",
      };
    case "EOPNOTSUPP":
      return {
        reason: "this kernel's user_events cannot stay when nobody holds them",
        hint: "Leave persist out; the flag came after version 2 did",
      };
    case "EINVAL":
      return { reason: "the kernel does not take its name or fields" };
    default:
      return { reason: code };
  }
}
