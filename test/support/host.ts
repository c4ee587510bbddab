/**
 * A simulated host with sonde, another tool's probes, and a view of all that is installed.
 * @module
 */

import assert from "node:assert/strict";
import type { Backend, TraceRequest } from "../../core/backend.ts";
import { type Config, parseConfig } from "../../core/config/config.ts";
import { desiredProbes } from "../../core/config/desired.ts";
import { appendText, readText, writeText } from "../../core/kernel/files.ts";
import type { Kernel } from "../../core/kernel/port.ts";
import { archOf } from "../../core/probe/registers.ts";
import { placeProbes } from "../../core/session/place.ts";
import { simulatedKernel } from "../../plugins/simulated/backend.ts";
import type { SimulatedProcess } from "../../plugins/simulated/kernel/process.ts";
import type { SimulatedKernel } from "../../plugins/simulated/kernel/simulated_kernel.ts";
import type { DirectoryNode } from "../../plugins/simulated/kernel/vfs.ts";
import { startCall } from "../../plugins/simulated/load.ts";
import { tracefsBackend } from "../../plugins/tracefs/backend.ts";

export const TRACEFS = "/sys/kernel/tracing";

/** What {@link makeKernel} has: a few functions, an executable, two processes. */
const SIMULATE = `
simulate:
  functions:
    do_sys_openat2: { args: [s32, ustring], returns: s32 }
    vfs_read: { args: [u64, u64, u64], returns: s64 }
    vfs_write: { args: [u64, u64, u64], returns: s64 }
  executables: { /usr/bin/shop: { functions: { checkout_total: { args: [u64] } } } }
  processes: { cat: { pid: 42, comm: cat }, shop: { pid: 51, comm: shop } }
  calls:
    - { function: do_sys_openat2, args: [-100, /etc/passwd], returns: 3, process: cat, every: 1ms, count: 40 }
    - { function: checkout_total, executable: /usr/bin/shop, args: [1999], process: shop, every: 3ms, count: 10 }
`;

/** A kprobe with filter, a kretprobe, a uprobe, a tracepoint with filter. */
export const FOUR_PROBES = `
probes:
  file_open:
    kprobe: { symbol: do_sys_openat2 }
    capture: { dfd: "$arg1:s32", filename: "+0($arg2):ustring" }
    filter: 'dfd == -100'
  open_failed:
    kretprobe: { symbol: do_sys_openat2, max_active: 64 }
    capture: { ret: "$retval:s32" }
  total:
    uprobe: { path: /usr/bin/shop, symbol: checkout_total }
    capture: { cents: "$arg1:u64" }
  switch: { tracepoint: sched/sched_switch, filter: 'prev_prio < 121' }
`;

/** {@link FOUR_PROBES} after a change: one gone, one new, one defined anew, filters changed. */
export const FOUR_PROBES_CHANGED = `
probes:
  file_open:
    kprobe: { symbol: do_sys_openat2 }
    capture: { dfd: "$arg1:s32", filename: "+0($arg2):ustring" }
  read_done:
    kretprobe: { symbol: vfs_read, max_active: 32 }
    capture: { ret: "$retval:s64" }
  total:
    uprobe: { path: /usr/bin/shop, symbol: checkout_total }
    capture: { cents: "$arg1:u32" }
    filter: 'cents > 5'
  switch: { tracepoint: sched/sched_switch, filter: 'prev_prio < 100' }
`;

const configs = new Map<string, Config>();

/** A config of `body` called `name`. Fails the test if there is a mistake in it. */
export function makeConfig(body: string, name = "edge"): Config {
  const text = `apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: ${name} }\n${body}`;
  const known = configs.get(text);
  if (known !== undefined) return known;
  const parsed = parseConfig(text, { file: "test.yaml" });
  assert.deepEqual(parsed.diagnostics, []);
  configs.set(text, parsed.config!);
  return parsed.config!;
}

const HOST = makeConfig(SIMULATE);

/** The kernel that {@link FOUR_PROBES} fits, or the one that `simulate` in a config's body tells of. */
export function makeKernel(simulate?: string): SimulatedKernel {
  return simulatedKernel(simulate === undefined ? HOST : makeConfig(simulate));
}

/** Starts the calls of the host that {@link makeKernel} makes: 50 in 40 ms. */
export function startLoad(kernel: SimulatedKernel): void {
  for (const call of HOST.simulate.calls) startCall(kernel, call, HOST.simulate.processes);
}

let lastPid = 5000;

/** The tracefs backend of a new process. */
export function startSonde(kernel: SimulatedKernel, pid: number = ++lastPid): Backend {
  return tracefsBackend(kernel.spawn({ pid, comm: "sonde" }));
}

/** Ends the process of a backend that {@link startSonde} made, as SIGKILL does. */
export function killSonde(backend: Backend): void {
  (backend.kernel as SimulatedProcess).kill();
}

/** What the probes in `body` ask of a backend. Fails the test if one of them has no place. */
export async function makeRequest(
  backend: Backend,
  body: string,
  name = "edge",
): Promise<TraceRequest> {
  const { placed, unplaced } = await placeProbes(
    backend,
    desiredProbes(makeConfig(body, name), archOf(backend.kernel.machine.arch)!),
  );
  assert.deepEqual(unplaced, []);
  return { name, probes: placed, bufferKiB: 16 };
}

/** Another tool: probes of all kinds, one of them called as ours, some enabled, an instance. */
export function startOtherTool(kernel: SimulatedKernel): SimulatedProcess {
  const tool = kernel.spawn({ pid: 900, comm: "othertool" });
  const define = (file: string, line: string) => appendText(tool, `${TRACEFS}/${file}`, line);
  define("kprobe_events", "p:othertool/file_open do_sys_openat2 path=+0($arg2):ustring");
  define("kprobe_events", "r:othertool/open_done do_sys_openat2 $retval");
  define("kprobe_events", "p vfs_read");
  define("kprobe_events", "p:my-tool/later nosuchmodule:function");
  define("uprobe_events", "p:othertool/total /usr/bin/shop:0x1000 %di");
  tool.mkdir(`${TRACEFS}/instances/othertool`);
  const own = `${TRACEFS}/instances/othertool/events`;
  writeText(tool, `${own}/othertool/file_open/filter`, 'path != "/dev/null"');
  for (const event of ["othertool/file_open", "othertool/total", "sched/sched_switch"]) {
    writeText(tool, `${own}/${event}/enable`, "1");
  }
  writeText(tool, `${TRACEFS}/events/othertool/open_done/enable`, "1");
  return tool;
}

/** All that is installed on a kernel, and sonde's own files. */
export interface HostState {
  readonly kprobes: readonly string[];
  readonly uprobes: readonly string[];
  /** By instance, the one at the top called "": its enabled events, `event: filter`. */
  readonly enabled: Readonly<Record<string, readonly string[]>>;
  /** Open files that keep an instance from going. */
  readonly users: number;
  /** Names in `/run/sonde`. */
  readonly files: readonly string[];
}

/** Reads {@link HostState} without a system call, so that no fault can be in the way. */
export function hostState(kernel: SimulatedKernel): HostState {
  const { tracing } = kernel;
  const lines = (file: "kprobe_events" | "uprobe_events") =>
    tracing.dynamic.read(file).split("\n").filter((line) => line !== "");
  const instances = [tracing.top, ...tracing.instances];
  const events = tracing.registry.all();
  return {
    kprobes: lines("kprobe_events"),
    uprobes: lines("uprobe_events"),
    enabled: Object.fromEntries(instances.map((instance) => [
      instance.name,
      instance.enabledOf(events).map((event) =>
        `${event.system}/${event.name}: ${instance.file(event).filterText.trim()}`
      ),
    ])),
    users: instances.reduce((sum, { users }) => sum + users, 0),
    files: stateFiles(kernel),
  };
}

function stateFiles(kernel: SimulatedKernel): string[] {
  const run = kernel.root.lookup("run") as DirectoryNode;
  return (run.lookup("sonde") as DirectoryNode | undefined)?.list() ?? [];
}

/** The text of a file of the host. */
export function readHostFile(kernel: SimulatedKernel, path: string): string {
  return asSomebody(kernel, (process) => readText(process, path));
}

/** Writes a file of the host anew, such as one of sonde's own. */
export function writeHostFile(kernel: SimulatedKernel, path: string, text: string): void {
  asSomebody(kernel, (process) => {
    const fd = process.open(path, { access: "write", create: true, truncate: true });
    process.write(fd, new TextEncoder().encode(text));
  });
}

function asSomebody<T>(kernel: SimulatedKernel, act: (process: SimulatedProcess) => T): T {
  const process = kernel.spawn({ pid: 999, comm: "somebody" });
  try {
    return act(process);
  } finally {
    process.kill();
  }
}

/** The kernel as `kernel` sees it, with every change of a kernel file written to `log`. */
export function logChanges(kernel: Kernel, log: string[]): Kernel {
  const paths = new Map<number, string>();
  const short = (path: string) => path.replace(`${TRACEFS}/`, "");
  const logged: Partial<Kernel> = {
    open: (path, flags) => {
      const fd = kernel.open(path, flags);
      paths.set(fd, path);
      return fd;
    },
    write: (fd, data) => {
      const path = paths.get(fd)!;
      const text = new TextDecoder().decode(data);
      if (path.startsWith(TRACEFS)) log.push(`${short(path)} = ${text}`);
      return kernel.write(fd, data);
    },
    mkdir: (path, mode) => {
      if (path.startsWith(TRACEFS)) log.push(`mkdir ${short(path)}`);
      kernel.mkdir(path, mode);
    },
    rmdir: (path) => {
      log.push(`rmdir ${short(path)}`);
      kernel.rmdir(path);
    },
  };
  return new Proxy(kernel, {
    get: (target, key) => {
      const value = Reflect.get(logged, key) ?? Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
