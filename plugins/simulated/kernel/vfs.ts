/**
 * The file system of the simulated kernel: what a facility implements to show files, and the
 * helpers to make the usual ones.
 * @module
 */

import { KernelError } from "../../../core/kernel/error.ts";
import type { OpenFlags } from "../../../core/kernel/port.ts";
import type { SimulatedProcess } from "./process.ts";

/** A file that is open. A call that it lacks fails with EINVAL. */
export interface OpenFile {
  /** Bytes put into `into`, from the file position or from `position`; 0 at the end. */
  read?(into: Uint8Array, position?: number): number;
  /** Bytes taken. */
  write?(data: Uint8Array): number;
  ioctl?(request: number, arg: bigint): number;
  /** Memory shared with the kernel; called once for a mapping. */
  mmap?(options: {
    readonly length: number;
    readonly writable: boolean;
    readonly shared: boolean;
    readonly offset: number;
  }): Uint8Array;
  /** Called when a mapping goes. */
  munmap?(): void;
  /** Called when the last descriptor and mapping are gone. */
  close?(): void;
}

export interface FileNode {
  readonly kind: "file";
  readonly mode: number;
  /** @throws {KernelError} */
  open(process: SimulatedProcess, flags: OpenFlags): OpenFile;
  size?(): number;
}

export interface DirectoryNode {
  readonly kind: "directory";
  readonly mode: number;
  lookup(name: string): Node | undefined;
  list(): string[];
  /** The changes that a directory allows; one that it lacks fails with EPERM. */
  mkdir?(name: string, mode: number, process: SimulatedProcess): void;
  rmdir?(name: string, process: SimulatedProcess): void;
  create?(name: string, mode: number): FileNode;
  unlink?(name: string): void;
  /** Puts a node under a name, in place of what had it. */
  place?(name: string, node: Node): void;
}

export interface LinkNode {
  readonly kind: "link";
  readonly mode: number;
  readonly target: string;
}

export type Node = FileNode | DirectoryNode | LinkNode;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An open file whose content is read from `bytes` from its start on. */
export function readFrom(bytes: Uint8Array): (into: Uint8Array) => number {
  let position = 0;
  return (into) => {
    const count = Math.min(into.length, bytes.length - position);
    into.set(bytes.subarray(position, position + count));
    position += count;
    return count;
  };
}

/** What a text file of the kernel does. */
export interface TextFile {
  readonly mode?: number;
  /** The whole text, taken at the first read after opening. */
  read?(process: SimulatedProcess): string;
  /** One write(2); answers with the bytes taken if that is not all. @throws {KernelError} */
  write?(text: string, process: SimulatedProcess): number | void;
  /** `O_TRUNC` at open. */
  truncate?(process: SimulatedProcess): void;
}

/** A file whose text is made when it is read, as most kernel files are. */
export function textFile(file: TextFile): FileNode {
  const mode = file.mode ?? (file.write === undefined ? 0o440 : file.read ? 0o640 : 0o200);
  return {
    kind: "file",
    mode,
    open(process, flags) {
      if (flags.truncate && flags.access !== "read") file.truncate?.(process);
      let reader: ((into: Uint8Array) => number) | undefined;
      return {
        read: file.read && ((into) => {
          reader ??= readFrom(encoder.encode(file.read!(process)));
          return reader(into);
        }),
        write: file.write && ((data) => {
          return file.write!(decoder.decode(data), process) ?? data.length;
        }),
      };
    },
  };
}

/** A directory whose entries are fixed. */
export function fixedDirectory(
  entries: Readonly<Record<string, Node>>,
  mode = 0o750,
): DirectoryNode {
  return {
    kind: "directory",
    mode,
    lookup: (name) => Object.hasOwn(entries, name) ? entries[name] : undefined,
    list: () => Object.keys(entries),
  };
}

/** A directory whose entries are made when they are looked up. */
export function liveDirectory(
  list: () => string[],
  lookup: (name: string) => Node | undefined,
  changes: Pick<DirectoryNode, "mkdir" | "rmdir"> = {},
  mode = 0o750,
): DirectoryNode {
  return { kind: "directory", mode, list, lookup, ...changes };
}

/** A file kept in memory, as on tmpfs. */
export function memoryFile(content: Uint8Array = new Uint8Array(), mode = 0o644): FileNode {
  let bytes = content;
  return {
    kind: "file",
    mode,
    size: () => bytes.length,
    open(_process, flags) {
      if (flags.truncate && flags.access !== "read") bytes = new Uint8Array();
      let position = 0;
      return {
        read: (into, at) => {
          const start = at ?? position;
          const count = Math.max(0, Math.min(into.length, bytes.length - start));
          into.set(bytes.subarray(start, start + count));
          if (at === undefined) position += count;
          return count;
        },
        write: (data) => {
          if (flags.append) position = bytes.length;
          const grown = new Uint8Array(Math.max(bytes.length, position + data.length));
          grown.set(bytes);
          grown.set(data, position);
          bytes = grown;
          position += data.length;
          return data.length;
        },
      };
    },
  };
}

/** A directory kept in memory, as on tmpfs. */
export function memoryDirectory(
  entries: Readonly<Record<string, Node>> = {},
  mode = 0o755,
): DirectoryNode {
  const nodes = new Map(Object.entries(entries));
  return {
    kind: "directory",
    mode,
    lookup: (name) => nodes.get(name),
    list: () => [...nodes.keys()],
    mkdir: (name, childMode) => {
      nodes.set(name, memoryDirectory({}, childMode));
    },
    rmdir: (name) => {
      const node = nodes.get(name);
      if (node?.kind === "directory" && node.list().length > 0) {
        throw new KernelError("ENOTEMPTY", "rmdir", name);
      }
      nodes.delete(name);
    },
    create: (name, childMode) => {
      const file = memoryFile(new Uint8Array(), childMode);
      nodes.set(name, file);
      return file;
    },
    unlink: (name) => {
      nodes.delete(name);
    },
    place: (name, node) => {
      nodes.set(name, node);
    },
  };
}
