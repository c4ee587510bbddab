import { KernelError } from "../../../core/kernel/error.ts";
import type { ErrnoCode } from "../../../core/kernel/errno.ts";
import type { Clock, Fd, FileStat, Kernel, OpenFlags } from "../../../core/kernel/port.ts";
import { AddressSpace } from "./memory.ts";
import { simulatedNative } from "./native.ts";
import type { SimulatedKernel } from "./simulated_kernel.ts";
import type { DirectoryNode, Node, OpenFile } from "./vfs.ts";

/** Who a simulated process is. */
export interface ProcessOptions {
  readonly pid: number;
  readonly comm: string;
  readonly uid?: number;
  /** Open files, RLIMIT_NOFILE. */
  readonly maxFiles?: number;
  /** Bytes that it may lock in memory, RLIMIT_MEMLOCK; 8 MiB unless told. */
  readonly maxLocked?: number;
}

interface Descriptor {
  readonly path: string;
  readonly flags: OpenFlags;
  readonly file: OpenFile;
}

/** The names of errors that a look-up answers. */
type LookupCall =
  | "open"
  | "stat"
  | "readdir"
  | "readlink"
  | "mkdir"
  | "rmdir"
  | "unlink"
  | "rename"
  | "link";

/** Links followed before ELOOP (include/linux/namei.h, `MAXSYMLINKS`). */
const MAX_LINKS = 40;

/** One process of the simulated kernel, and the kernel port as that process sees it. */
export class SimulatedProcess implements Kernel {
  readonly machine: Kernel["machine"];
  readonly native: Kernel["native"];
  readonly memory = new AddressSpace();
  readonly comm: string;
  readonly uid: number;
  readonly pid: number;
  /** Pages that it may lock in memory. */
  readonly lockablePages: number;
  /** When it was started, in ticks of 10 ms since boot. */
  readonly startTicks: bigint;
  readonly #kernel: SimulatedKernel;
  readonly #descriptors = new Map<Fd, Descriptor>();
  /** Descriptors and mappings of each open file. */
  readonly #references = new Map<OpenFile, number>();
  readonly #maxFiles: number;
  #dead = false;

  constructor(kernel: SimulatedKernel, options: ProcessOptions) {
    this.#kernel = kernel;
    this.pid = options.pid;
    this.startTicks = kernel.scheduler.now / 10_000_000n;
    this.comm = options.comm;
    this.uid = options.uid ?? 0;
    this.#maxFiles = options.maxFiles ?? 1024;
    this.lockablePages = Math.floor((options.maxLocked ?? 8 << 20) / 4096);
    this.machine = {
      kind: "simulated",
      release: kernel.release,
      arch: kernel.arch,
      pid: this.pid,
      uid: this.uid,
    };
    this.native = simulatedNative(kernel, this);
  }

  open(path: string, flags: OpenFlags): Fd {
    this.enter("open", path);
    this.requireFreeDescriptor("open", path);
    let node = this.#find(path, "open");
    if (node !== undefined && flags.create && flags.exclusive) {
      throw new KernelError("EEXIST", "open", path);
    }
    if (node === undefined) {
      if (!flags.create) throw new KernelError("ENOENT", "open", path);
      const { directory, name } = this.#parent(path, "open");
      this.#require(directory, 2, "open", path);
      if (directory.create === undefined) throw new KernelError("EPERM", "open", path);
      node = directory.create(name, flags.mode ?? 0o600);
    }
    if (node.kind === "directory") throw new KernelError("EISDIR", "open", path);
    if (node.kind === "link") throw new KernelError("ELOOP", "open", path);
    const wanted = flags.access === "read" ? 4 : flags.access === "write" ? 2 : 6;
    this.#require(node, wanted, "open", path);
    return this.install(this.#failWith("open", path, () => node.open(this, flags)), path, flags);
  }

  /** Gives an open file the lowest free descriptor from 3 on. */
  install(file: OpenFile, path: string, flags: OpenFlags): Fd {
    let fd = 3;
    while (this.#descriptors.has(fd)) fd++;
    this.#descriptors.set(fd, { path, flags, file });
    this.hold(file);
    return fd;
  }

  /** @throws {KernelError} EMFILE if it has as many open files as it may have */
  requireFreeDescriptor(call: string, path?: string): void {
    if (this.#descriptors.size >= this.#maxFiles) throw new KernelError("EMFILE", call, path);
  }

  close(fd: Fd): void {
    if (this.#dead) return;
    const { file } = this.descriptor(fd, "close");
    this.#descriptors.delete(fd);
    this.letGo(file);
  }

  /** A descriptor or a mapping of an open file more. */
  hold(file: OpenFile): void {
    this.#references.set(file, (this.#references.get(file) ?? 0) + 1);
  }

  /** One less; the file is closed with the last. */
  letGo(file: OpenFile): void {
    const left = this.#references.get(file)! - 1;
    this.#references.set(file, left);
    if (left > 0) return;
    this.#references.delete(file);
    file.close?.();
  }

  read(fd: Fd, into: Uint8Array, position?: number | bigint): number {
    const { path, flags, file } = this.descriptor(fd, "read");
    this.enter("read", path);
    if (flags.access === "write") throw new KernelError("EBADF", "read", path);
    if (file.read === undefined) throw new KernelError("EINVAL", "read", path);
    return this.#failWith(
      "read",
      path,
      () => file.read!(into, position === undefined ? undefined : Number(position)),
    );
  }

  write(fd: Fd, data: Uint8Array): number {
    const { path, flags, file } = this.descriptor(fd, "write");
    this.enter("write", path);
    if (flags.access === "read") throw new KernelError("EBADF", "write", path);
    if (file.write === undefined) throw new KernelError("EINVAL", "write", path);
    return this.#failWith("write", path, () => file.write!(data));
  }

  fsync(fd: Fd): void {
    this.enter("fsync", this.descriptor(fd, "fsync").path);
  }

  stat(path: string): FileStat {
    this.enter("stat", path);
    const node = this.#existing(path, "stat");
    return {
      kind: node.kind,
      mode: node.mode,
      uid: 0,
      gid: 0,
      size: node.kind === "file" ? node.size?.() ?? 0 : 0,
      dev: 1n,
      ino: 1n,
    };
  }

  list(path: string): string[] {
    this.enter("readdir", path);
    const node = this.#existing(path, "readdir");
    if (node.kind !== "directory") throw new KernelError("ENOTDIR", "readdir", path);
    this.#require(node, 4, "readdir", path);
    return node.list();
  }

  readlink(path: string): string {
    this.enter("readlink", path);
    const { directory, name } = this.#parent(path, "readlink");
    const node = directory.lookup(name);
    if (node === undefined) throw new KernelError("ENOENT", "readlink", path);
    if (node.kind !== "link") throw new KernelError("EINVAL", "readlink", path);
    return node.target;
  }

  mkdir(path: string, mode = 0o700): void {
    this.enter("mkdir", path);
    const { directory, name } = this.#parent(path, "mkdir");
    if (directory.lookup(name) !== undefined) throw new KernelError("EEXIST", "mkdir", path);
    this.#require(directory, 2, "mkdir", path);
    if (directory.mkdir === undefined) throw new KernelError("EPERM", "mkdir", path);
    this.#failWith("mkdir", path, () => directory.mkdir!(name, mode, this));
  }

  rmdir(path: string): void {
    this.enter("rmdir", path);
    const { directory, name } = this.#parent(path, "rmdir");
    const node = directory.lookup(name);
    if (node === undefined) throw new KernelError("ENOENT", "rmdir", path);
    if (node.kind !== "directory") throw new KernelError("ENOTDIR", "rmdir", path);
    this.#require(directory, 2, "rmdir", path);
    if (directory.rmdir === undefined) throw new KernelError("EPERM", "rmdir", path);
    this.#failWith("rmdir", path, () => directory.rmdir!(name, this));
  }

  unlink(path: string): void {
    this.enter("unlink", path);
    const { directory, name } = this.#parent(path, "unlink");
    const node = directory.lookup(name);
    if (node === undefined) throw new KernelError("ENOENT", "unlink", path);
    if (node.kind === "directory") throw new KernelError("EISDIR", "unlink", path);
    this.#require(directory, 2, "unlink", path);
    if (directory.unlink === undefined) throw new KernelError("EPERM", "unlink", path);
    directory.unlink(name);
  }

  rename(from: string, to: string): void {
    this.enter("rename", from);
    const source = this.#parent(from, "rename");
    const target = this.#parent(to, "rename");
    const node = source.directory.lookup(source.name);
    if (node === undefined) throw new KernelError("ENOENT", "rename", from);
    this.#require(source.directory, 2, "rename", from);
    this.#require(target.directory, 2, "rename", to);
    if (source.directory.unlink === undefined || target.directory.place === undefined) {
      throw new KernelError("EPERM", "rename", from);
    }
    source.directory.unlink(source.name);
    target.directory.place(target.name, node);
  }

  link(from: string, to: string): void {
    this.enter("link", to);
    const node = this.#existing(from, "link");
    const target = this.#parent(to, "link");
    if (target.directory.lookup(target.name) !== undefined) {
      throw new KernelError("EEXIST", "link", to);
    }
    this.#require(target.directory, 2, "link", to);
    if (target.directory.place === undefined) throw new KernelError("EPERM", "link", to);
    target.directory.place(target.name, node);
  }

  now(clock: Clock): bigint {
    return this.#kernel.now(clock);
  }

  async sleep(milliseconds: number): Promise<void> {
    this.enter("sleep");
    await this.#kernel.elapse(BigInt(Math.round(milliseconds * 1e6)));
  }

  /** Dies as by SIGKILL: descriptors are closed, no further call is answered. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    const open = [...this.#descriptors.values()];
    this.#descriptors.clear();
    for (const { file } of open) this.letGo(file);
    this.memory.release();
    this.#kernel.forget(this);
  }

  /** Whether it has the capabilities of root. */
  get privileged(): boolean {
    return this.uid === 0;
  }

  get alive(): boolean {
    return !this.#dead;
  }

  /** What a call goes through before anything else: death, and the faults that are asked for. */
  enter(call: string, path?: string): void {
    if (this.#dead) throw new ProcessKilled();
    this.#kernel.faults.beforeCall(this, call, path);
  }

  hasDescriptor(fd: Fd): boolean {
    return this.#descriptors.has(fd);
  }

  descriptor(fd: Fd, call: string): Descriptor {
    if (this.#dead) throw new ProcessKilled();
    const descriptor = this.#descriptors.get(fd);
    if (descriptor === undefined) throw new KernelError("EBADF", call);
    return descriptor;
  }

  /** Errors of a facility get the call and the path that the caller used. */
  #failWith<T>(call: string, path: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof KernelError) {
        throw new KernelError(error.errno, call, path, { cause: error });
      }
      throw error;
    }
  }

  #existing(path: string, call: LookupCall): Node {
    const node = this.#find(path, call);
    if (node === undefined) throw new KernelError("ENOENT", call, path);
    return node;
  }

  #find(path: string, call: LookupCall, depth = 0): Node | undefined {
    if (depth > MAX_LINKS) throw new KernelError("ELOOP", call, path);
    let node: Node = this.#kernel.root;
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      if (node.kind !== "directory") throw new KernelError("ENOTDIR", call, path);
      this.#require(node, 1, call, path);
      const next = node.lookup(part);
      if (next === undefined) {
        if (index < parts.length - 1) throw new KernelError("ENOENT", call, path);
        return undefined;
      }
      if (next.kind === "link") {
        const rest = parts.slice(index + 1);
        const base = next.target.startsWith("/") ? [] : parts.slice(0, index);
        return this.#find(`/${[...base, next.target, ...rest].join("/")}`, call, depth + 1);
      }
      node = next;
    }
    return node;
  }

  #parent(path: string, call: LookupCall): { directory: DirectoryNode; name: string } {
    const trimmed = path.replace(/\/+$/, "");
    const slash = trimmed.lastIndexOf("/");
    const name = trimmed.slice(slash + 1);
    if (name.length > 255) throw new KernelError("ENAMETOOLONG", call, path);
    const directory = this.#find(trimmed.slice(0, slash) || "/", call);
    if (directory === undefined) throw new KernelError("ENOENT", call, path);
    if (directory.kind !== "directory") throw new KernelError("ENOTDIR", call, path);
    return { directory, name };
  }

  /** Permission bits as for "others": every file is root's. `wanted` is 4 read, 2 write, 1 search. */
  #require(node: Node, wanted: number, call: string, path: string): void {
    if (this.uid !== 0 && (node.mode & wanted) !== wanted) {
      throw new KernelError("EACCES" satisfies ErrnoCode, call, path);
    }
  }
}

/** The calling process was killed: nothing after this call happens. */
export class ProcessKilled extends Error {
  constructor() {
    super("The simulated process was killed");
    this.name = "ProcessKilled";
  }
}
