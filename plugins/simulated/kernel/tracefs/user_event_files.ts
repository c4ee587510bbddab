import { KernelError } from "../../../../core/kernel/error.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { Namespaces } from "../user_events/namespaces.ts";
import type { UserEvents } from "../user_events/user_events.ts";
import {
  type DirectoryNode,
  type FileNode,
  fixedDirectory,
  liveDirectory,
  type Node,
  readFrom,
} from "../vfs.ts";

/** The files of user_events at the top of tracefs; with namespaces where the era has them. */
export function userEventEntries(kernel: SimulatedKernel): Record<string, Node> {
  const { userEvents, namespaces } = kernel.tracing;
  if (userEvents === undefined) return {};
  const files = groupFiles(userEvents, 0);
  return namespaces === undefined
    ? files
    : { ...files, namespaces: namespacesDirectory(userEvents, namespaces) };
}

function groupFiles(userEvents: UserEvents, group: number): Record<string, Node> {
  return {
    user_events_data: dataFile(userEvents, group),
    user_events_status: statusFile(userEvents, group),
  };
}

function dataFile(userEvents: UserEvents, group: number): FileNode {
  return {
    kind: "file",
    mode: 0o640,
    open: (process) => {
      const file = userEvents.openData(group);
      return {
        write: (data) => file.write(data, process),
        ioctl: (request, arg) => file.ioctl(request, arg, process),
        close: () => file.close(),
      };
    },
  };
}

/** Version 2 has text only, and is not to be written; version 1 can be mapped. */
function statusFile(userEvents: UserEvents, group: number): FileNode {
  return {
    kind: "file",
    mode: userEvents.era === "6.12" ? 0o440 : 0o640,
    open: (_process, flags) => {
      const file = userEvents.openStatus(group);
      let reader: ((into: Uint8Array) => number) | undefined;
      return {
        read: (into) => (reader ??= readFrom(file.text()))(into),
        mmap: ({ length, writable }) => {
          // A shared writable mapping needs the file open for reading and writing (mm/mmap.c).
          if (writable && flags.access !== "read-write") throw new KernelError("EACCES", "mmap");
          return file.mmap(length);
        },
        munmap: () => file.unmap(),
        close: () => file.close(),
      };
    },
  };
}

/** `namespaces/`: mkdir makes a group with files of its own, below `root/`. */
function namespacesDirectory(userEvents: UserEvents, namespaces: Namespaces): DirectoryNode {
  return liveDirectory(
    () => namespaces.list().map(({ name }) => name),
    (name) => {
      const namespace = namespaces.get(name);
      return namespace && fixedDirectory({
        options: optionsFile(namespaces, name),
        root: fixedDirectory(groupFiles(userEvents, namespace.id)),
      });
    },
    {
      mkdir: (name, _mode, process) => {
        namespaces.mkdir(name, process);
      },
      rmdir: (name) => namespaces.rmdir(name),
    },
  );
}

function optionsFile(namespaces: Namespaces, name: string): FileNode {
  return {
    kind: "file",
    mode: 0o640,
    open: () => {
      const namespace = namespaces.get(name);
      if (namespace === undefined) throw new KernelError("ENOENT", "open");
      const file = namespaces.openOptions(namespace);
      let reader: ((into: Uint8Array) => number) | undefined;
      return {
        read: (into) => (reader ??= readFrom(file.text()))(into),
        write: (data) => file.write(data),
        close: () => file.close(),
      };
    },
  };
}
