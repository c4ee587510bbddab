import type { Facilities, Facility } from "../../core/backend.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { exists, tryReadText } from "../../core/kernel/files.ts";
import type { Kernel } from "../../core/kernel/port.ts";
import { type Abi, detectAbi } from "../../core/user_events/abi.ts";
import type { Mount } from "./mount.ts";

const LIFT_LOCKDOWN = "Boot with lockdown=integrity or none; no setting at run time lifts it";

/** What the tracefs backend finds on this kernel. Opens files, writes nothing. */
export function inspectTracefs(kernel: Kernel, mount: Mount): Facilities {
  const lockdown = lockdownFacility(kernel);
  if ("missing" in mount) {
    const tracefs = missing("tracefs", mount.missing, mount.remedy);
    return { usable: false, list: [tracefs, lockdown] };
  }
  const { root } = mount;
  const tracefs = { name: "tracefs", available: true, detail: root };
  const access = accessFacility(kernel, root);
  // Who may not look in cannot tell what is there.
  if (!access.available) return { usable: false, list: [tracefs, access, lockdown] };
  const list = [
    tracefs,
    access,
    lockdown,
    definitionFacility(kernel, root, "kprobes", "kprobe_events", "CONFIG_KPROBE_EVENTS"),
    definitionFacility(kernel, root, "uprobes", "uprobe_events", "CONFIG_UPROBE_EVENTS"),
    present(kernel, `${root}/events/sched`, "tracepoints", "CONFIG_TRACEPOINTS"),
    present(kernel, `${root}/instances`, "instances", "CONFIG_TRACING"),
    readmeFacility(kernel, root, "fprobes", "f[:", "CONFIG_FPROBE_EVENTS (6.5 and later)"),
    readmeFacility(kernel, root, "hist", "hist", "CONFIG_HIST_TRIGGERS"),
    userEventsFacility(kernel, root),
    ffiFacility(kernel),
  ];
  return { usable: true, list };
}

/**
 * Whether this process may use tracefs. Under lockdown its files refuse to be opened (EPERM), and
 * where the kernel was locked down when it booted there are none (fs/tracefs/inode.c).
 */
function accessFacility(kernel: Kernel, root: string): Facility {
  const { uid } = kernel.machine;
  try {
    // The instances directory lists for whoever may use tracefs at all.
    kernel.list(`${root}/instances`);
    kernel.close(kernel.open(`${root}/set_event`, { access: "write", append: true }));
    return { name: "access", available: true, detail: `uid ${uid}` };
  } catch (error) {
    if (!isKernelError(error)) throw error;
    if (lockdownLevel(kernel) === "confidentiality") {
      return missing("access", "The kernel is locked down (confidentiality)", LIFT_LOCKDOWN);
    }
    return missing(
      "access",
      `uid ${uid} may not use "${root}" (${error.code})`,
      uid === 0
        ? "Something holds root back: a container, a security module, kernel lockdown"
        : "Run sonde as root",
    );
  }
}

function definitionFacility(
  kernel: Kernel,
  root: string,
  name: string,
  file: string,
  option: string,
): Facility {
  const path = `${root}/${file}`;
  if (!exists(kernel, path)) {
    return missing(name, `There is no "${path}"`, `A kernel with ${option} has it`);
  }
  try {
    kernel.close(kernel.open(path, { access: "write", append: true }));
    return { name, available: true, detail: path };
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return missing(name, `Cannot write "${path}": ${error.code}`, "Run sonde as root");
  }
}

function present(kernel: Kernel, path: string, name: string, option: string): Facility {
  return exists(kernel, path)
    ? { name, available: true, detail: path }
    : missing(name, `There is no "${path}"`, `A kernel with ${option} has it`);
}

/** Which user_events there are: version, flags and limit, asked without registering anything. */
function userEventsFacility(kernel: Kernel, root: string): Facility {
  const name = "user_events";
  const path = `${root}/user_events_data`;
  const found = present(kernel, path, name, "CONFIG_USER_EVENTS (6.4 and later)");
  const { native } = kernel;
  if (!found.available || "unavailable" in native) return found;
  try {
    const fd = kernel.open(path, { access: "write" });
    try {
      return { ...found, detail: `${path}: ${describeAbi(kernel, root, detectAbi(native, fd))}` };
    } finally {
      kernel.close(fd);
    }
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return missing(name, `Cannot use "${path}": ${error.code}`, "Run sonde as root");
  }
}

function describeAbi(kernel: Kernel, root: string, abi: Abi): string {
  const limit = tryReadText(kernel, "/proc/sys/kernel/user_events_max")?.trim();
  return [
    `version ${abi.version}`,
    ...(abi.version === 1 ? ["events stay until they are deleted"] : []),
    ...(abi.persist ? ["persist"] : []),
    ...(abi.multiFormat ? ["several formats of a name"] : []),
    ...(limit === undefined ? [] : [`at most ${limit} events (kernel.user_events_max)`]),
    exists(kernel, `${root}/namespaces`) ? "namespaces of the kernel" : "emulated namespaces",
  ].join(", ");
}

/** tracefs' README tells what the kernel was built with. */
function readmeFacility(
  kernel: Kernel,
  root: string,
  name: string,
  word: string,
  option: string,
): Facility {
  const readme = tryReadText(kernel, `${root}/README`) ?? "";
  return readme.includes(word)
    ? { name, available: true, detail: `"${root}/README" tells of it` }
    : missing(name, "This kernel was built without it", `A kernel with ${option} has it`);
}

function ffiFacility(kernel: Kernel): Facility {
  return "unavailable" in kernel.native
    ? missing("ffi", kernel.native.unavailable, "The tracefs backend does without")
    : { name: "ffi", available: true, detail: "native calls can be made" };
}

function lockdownFacility(kernel: Kernel): Facility {
  const level = lockdownLevel(kernel);
  if (level === "confidentiality") {
    return missing(
      "lockdown",
      "confidentiality: tracefs, kprobes, perf and BPF are all refused",
      LIFT_LOCKDOWN,
    );
  }
  return { name: "lockdown", available: true, detail: `${level}: does not refuse tracing` };
}

/** The level in brackets (Documentation of kernel_lockdown(7)). */
function lockdownLevel(kernel: Kernel): string {
  const text = tryReadText(kernel, "/sys/kernel/security/lockdown") ?? "";
  return /\[(\w+)\]/.exec(text)?.[1] ?? "none";
}

function missing(name: string, detail: string, remedy: string): Facility {
  return { name, available: false, detail, remedy };
}
