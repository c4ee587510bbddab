import { performCall } from "../../../../../plugins/simulated/kernel/calls.ts";
import type { SimulatedProcess } from "../../../../../plugins/simulated/kernel/process.ts";
import {
  HostProfile,
  placeFunctions,
  placeUserFunctions,
} from "../../../../../plugins/simulated/kernel/profile.ts";
import { SimulatedKernel } from "../../../../../plugins/simulated/kernel/simulated_kernel.ts";
import { BUILTIN_TRACEPOINTS } from "../../../../../plugins/simulated/kernel/tracepoints.ts";
import { Bench } from "./bench.ts";
import { FILE } from "./open_cases.ts";
import { FUNCTION, OPENED, type Stage } from "./scenarios.ts";

const plain = { parameters: [], traceable: true, blacklisted: false };
const hidden = { ...plain, traceable: false };

/** A host that has what the cases and scenarios name. */
const profile = new HostProfile({
  functions: placeFunctions([
    { ...plain, name: "vfs_read", size: 0x400 },
    { ...plain, name: "name_show" },
    { ...plain, name: "name_show" },
    { ...hidden, name: "perf_trace_initcall_level" },
    { ...hidden, name: "exc_int3", blacklisted: true },
    {
      ...plain,
      name: FUNCTION,
      parameters: [{ type: "s32" }, { type: "ustring" }],
      returns: "s32",
    },
  ]),
  symbols: [{ name: "jiffies", type: "D", address: 0xffff_ffff_8260_0000n, size: 8 }],
  modules: [],
  tracepoints: BUILTIN_TRACEPOINTS,
  executables: [{
    path: "/usr/bin/program",
    functions: placeUserFunctions([{ name: "work", parameters: [{ type: "s32" }] }]),
  }],
});

/** The process that uses perf, a kernel around it, and ways to hit probes. */
export interface SimulatedStage extends Stage {
  readonly kernel: SimulatedKernel;
  readonly process: SimulatedProcess;
}

/** A simulated kernel on which the cases and scenarios can be played. */
export function simulatedStage(
  version: "6.1" | "6.12",
  options: { readonly arch?: "x86_64" | "aarch64"; readonly uid?: number } = {},
): SimulatedStage {
  const kernel = new SimulatedKernel({ version, profile, arch: options.arch });
  const process = kernel.spawn({ pid: 100, comm: "bun", uid: options.uid });
  const root = options.uid ? kernel.spawn({ pid: 1, comm: "init" }) : process;
  const fd = root.open(FILE, { access: "write", create: true });
  root.write(fd, new Uint8Array(8192));
  root.close(fd);
  const task = { pid: process.pid, tid: process.pid, comm: process.comm, cpu: 0 };
  return {
    kernel,
    process,
    bench: new Bench(process, root),
    fire: (times) => {
      for (let i = 0; i < times; i++) {
        kernel.scheduler.spend(1000n);
        performCall(kernel, {
          function: FUNCTION,
          args: [-100, OPENED],
          returns: 3,
          latency: 1000n,
          calls: [],
        }, task);
      }
    },
  };
}
