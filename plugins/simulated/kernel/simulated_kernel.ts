import type { Clock } from "../../../core/kernel/port.ts";
import { KernelError } from "../../../core/kernel/error.ts";
import { BpfObjects } from "./bpf/objects.ts";
import { Faults } from "./faults.ts";
import { type ProcessOptions, SimulatedProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { PerfEvents } from "./perf/perf.ts";
import { pmuDirectory } from "./perf/sysfs.ts";
import { procDirectory } from "./proc.ts";
import { Tracing } from "./trace/tracing.ts";
import { tracefsDirectory } from "./tracefs/top.ts";
import {
  type DirectoryNode,
  fixedDirectory,
  memoryDirectory,
  memoryFile,
  type Node,
  textFile,
} from "./vfs.ts";
import type { ErrnoCode } from "../../../core/kernel/errno.ts";
import type { ProbedFile } from "./dynamic/host.ts";
import type { Era } from "./user_events/host.ts";
import { findListedFile } from "./listed_files.ts";
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

const LOCKDOWN_LEVELS = ["none", "integrity", "confidentiality"] as const;

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
  readonly perf: PerfEvents;
  readonly bpf: BpfObjects;
  readonly tracing: Tracing;
  /** What root may not do (security/lockdown). */
  lockdown: "none" | "integrity" | "confidentiality" = "none";
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
    this.perf = new PerfEvents(this.cpus);
    this.bpf = new BpfObjects(this);
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
    this.perf.threadEnds(process.pid);
    this.tracing.userEvents?.words.leave(process);
    this.#processes.delete(process.pid);
  }

  /** What the kernel finds at a path, as a probe of a file asks for it. */
  lookUpFile(path: string): ProbedFile | ErrnoCode {
    const listed = findListedFile(this.profile.otherFiles, path);
    if (listed !== undefined) return listed;
    const node = this.#findNode(path);
    return typeof node === "string" ? node : { regular: node.kind === "file", inode: path };
  }

  /** Bytes of a regular file, where they are known; files of the kernel have no pages to probe. */
  fileSize(path: string): number | "kernel file" | undefined {
    const listed = findListedFile(this.profile.otherFiles, path);
    if (typeof listed === "object") return listed.size;
    const node = this.#findNode(path);
    if (typeof node === "string" || node.kind !== "file") return undefined;
    return node.size?.() ?? "kernel file";
  }

  #findNode(path: string): Node | ErrnoCode {
    let node: Node | undefined = this.root;
    for (const part of path.split("/").filter((name) => name !== "" && name !== ".")) {
      if (node.kind !== "directory") return "ENOTDIR";
      node = node.lookup(part);
      if (node === undefined) return "ENOENT";
    }
    return node;
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

  /** What is locked down can be raised, not lowered (security/lockdown/lockdown.c). */
  #lockdownFile(): Node {
    return textFile({
      mode: 0o644,
      read: () => {
        const levels = LOCKDOWN_LEVELS.map((level) =>
          level === this.lockdown ? `[${level}]` : level
        );
        return `${levels.join(" ")}\n`;
      },
      write: (text) => {
        const wanted = LOCKDOWN_LEVELS.indexOf(text.trim() as typeof this.lockdown);
        if (wanted < 0) throw new KernelError("EINVAL", "write");
        if (wanted <= LOCKDOWN_LEVELS.indexOf(this.lockdown)) {
          throw new KernelError("EPERM", "write");
        }
        this.lockdown = LOCKDOWN_LEVELS[wanted];
      },
    });
  }

  #makeRoot(): DirectoryNode {
    const tracefs = tracefsDirectory(this);
    const root = memoryDirectory({
      proc: procDirectory(this),
      run: memoryDirectory(),
      tmp: memoryDirectory({}, 0o777),
      sys: fixedDirectory({
        bus: fixedDirectory({
          event_source: fixedDirectory({ devices: pmuDirectory(this.version) }, 0o755),
        }, 0o755),
        devices: fixedDirectory({
          system: fixedDirectory({ cpu: cpuDirectory(this.cpus) }, 0o755),
        }, 0o755),
        kernel: fixedDirectory({
          tracing: tracefs,
          debug: fixedDirectory({ tracing: tracefs }, 0o700),
          security: fixedDirectory({
            lockdown: this.#lockdownFile(),
          }, 0o755),
        }, 0o755),
      }, 0o755),
    });
    for (const [path, content] of this.profile.files(this.arch)) placeFile(root, path, content);
    return root;
  }
}

/** `/sys/devices/system/cpu`: all CPUs are online. */
function cpuDirectory(cpus: number): DirectoryNode {
  const list = textFile({ mode: 0o444, read: () => cpus === 1 ? "0\n" : `0-${cpus - 1}\n` });
  return fixedDirectory({ online: list, possible: list, present: list }, 0o755);
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
