import type { Clock } from "../../../core/kernel/port.ts";
import { Faults } from "./faults.ts";
import { type ProcessOptions, SimulatedProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { procDirectory } from "./proc.ts";
import { Tracing } from "./trace/tracing.ts";
import { tracefsDirectory } from "./tracefs/top.ts";
import {
  type DirectoryNode,
  fixedDirectory,
  memoryDirectory,
  memoryFile,
  type Node,
} from "./vfs.ts";
import type { ErrnoCode } from "../../../core/kernel/errno.ts";
import type { ProbedFile } from "./dynamic/host.ts";
import type { Era } from "./user_events/host.ts";
import type { HostProfile } from "./profile.ts";

/** Which kernel is simulated. */
export type KernelVersion = "6.1" | "6.12";

const RELEASES: Readonly<Record<KernelVersion, string>> = {
  "6.1": "6.1.0-simulated",
  "6.12": "6.12.0-simulated",
};

/** A simulated machine starts 1,000 seconds after its boot, on 2026-01-01 00:00:00 UTC. */
const START = 1_000_000_000_000n;
const BOOT_TIME = 1_767_225_600_000_000_000n - START;

/** What a simulated kernel is. */
export interface SimulatedKernelOptions {
  /** 6.12 unless told. */
  readonly version?: KernelVersion;
  /** Which user_events it has; none if null. As the version has them unless told. */
  readonly era?: Era | null;
  /** Possible CPUs, all online; 2 unless told. */
  readonly cpus?: number;
  readonly arch?: "x86_64" | "aarch64";
  /** Functions, tracepoints and files of the host. */
  readonly profile: HostProfile;
}

/** A kernel in memory, as far as tracing goes. */
export class SimulatedKernel {
  readonly version: KernelVersion;
  readonly era: Era | undefined;
  readonly release: string;
  readonly arch: "x86_64" | "aarch64";
  readonly cpus: number;
  readonly profile: HostProfile;
  readonly scheduler = new Scheduler(START);
  readonly faults = new Faults();
  readonly tracing: Tracing;
  readonly root: DirectoryNode;
  /** The kernel's log (`dmesg`), oldest first. */
  readonly messages: string[] = [];
  readonly #processes = new Map<number, SimulatedProcess>();

  constructor(options: SimulatedKernelOptions) {
    this.version = options.version ?? "6.12";
    this.era = options.era === null ? undefined : options.era ?? this.version;
    this.release = RELEASES[this.version];
    this.arch = options.arch ?? "x86_64";
    this.cpus = options.cpus ?? 2;
    this.profile = options.profile;
    this.tracing = new Tracing(this);
    this.root = this.#makeRoot();
  }

  /** Starts a process; its kernel port is the process itself. */
  spawn(options: ProcessOptions): SimulatedProcess {
    const process = new SimulatedProcess(this, options);
    this.#processes.set(process.pid, process);
    return process;
  }

  process(pid: number): SimulatedProcess | undefined {
    return this.#processes.get(pid);
  }

  get processes(): readonly SimulatedProcess[] {
    return [...this.#processes.values()];
  }

  forget(process: SimulatedProcess): void {
    this.tracing.userEvents?.words.leave(process);
    this.#processes.delete(process.pid);
  }

  /** What the kernel finds at a path, as a probe of a file asks for it. */
  lookUpFile(path: string): ProbedFile | ErrnoCode {
    if (Object.hasOwn(this.profile.otherFiles, path)) return this.profile.otherFiles[path];
    let node: Node | undefined = this.root;
    for (const part of path.split("/").filter((name) => name !== "" && name !== ".")) {
      if (node.kind !== "directory") return "ENOTDIR";
      node = node.lookup(part);
      if (node === undefined) return "ENOENT";
    }
    return { regular: node.kind === "file", inode: path };
  }

  now(clock: Clock): bigint {
    return clock === "realtime" ? BOOT_TIME + this.scheduler.now : this.scheduler.now;
  }

  /** Lets time pass for whoever waits, and lets the caller's event loop run once. */
  async elapse(nanoseconds: bigint): Promise<void> {
    this.scheduler.advance(nanoseconds);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** A line for the kernel's log. */
  log(text: string): void {
    this.messages.push(text);
  }

  #makeRoot(): DirectoryNode {
    const tracefs = tracefsDirectory(this);
    const root = memoryDirectory({
      proc: procDirectory(this),
      run: memoryDirectory(),
      tmp: memoryDirectory({}, 0o777),
      sys: fixedDirectory({
        kernel: fixedDirectory({
          tracing: tracefs,
          debug: fixedDirectory({ tracing: tracefs }, 0o700),
          security: fixedDirectory({
            lockdown: memoryFile(new TextEncoder().encode("[none] integrity confidentiality\n")),
          }, 0o755),
        }, 0o755),
      }, 0o755),
    });
    for (const [path, content] of this.profile.files(this.arch)) placeFile(root, path, content);
    return root;
  }
}

function placeFile(root: DirectoryNode, path: string, content: Uint8Array): void {
  const parts = path.split("/").filter((part) => part !== "");
  let directory = root;
  for (const part of parts.slice(0, -1)) {
    const next = directory.lookup(part) ?? memoryDirectory();
    directory.place?.(part, next);
    if (next.kind !== "directory") throw new TypeError(`"${path}" lies below a file`);
    directory = next;
  }
  if (directory.place === undefined) throw new TypeError(`"${path}" lies in a kernel file system`);
  directory.place(parts.at(-1)!, memoryFile(content, 0o755));
}
