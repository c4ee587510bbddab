import { KernelError } from "../../../../core/kernel/error.ts";
import type { SimulatedProcess } from "../process.ts";
import { type Node, textFile } from "../vfs.ts";
import { refuse } from "./refusal.ts";

/** `kernel.perf_event_*`, and who may do what by them (include/linux/perf_event.h). */
export class PerfSettings {
  /** -1 to 3: the higher, the less is for those who are not root. */
  paranoid = 2;
  /** KiB of rings that a user may map for each CPU. */
  mlockKib = 516;
  /** Samples a second that may be asked for. */
  maxSampleRate = 100_000;
  /** Addresses that a callchain may have. */
  maxStack = 127;

  /** `perf_allow_kernel`. @throws {KernelError} EACCES */
  allowKernel(caller: SimulatedProcess): void {
    if (this.paranoid > 1 && !caller.privileged) refuse("EACCES");
  }

  /** `perf_allow_cpu`. @throws {KernelError} EACCES */
  allowCpu(caller: SimulatedProcess): void {
    if (this.paranoid > 0 && !caller.privileged) refuse("EACCES");
  }

  /** `perf_allow_tracepoint`. @throws {KernelError} EPERM */
  allowTracepoint(caller: SimulatedProcess): void {
    if (this.paranoid > -1 && !caller.privileged) refuse("EPERM");
  }

  /** The files of `/proc/sys/kernel`. */
  files(): Record<string, Node> {
    return {
      perf_event_paranoid: numberFile(-(2 ** 31), 2 ** 31 - 1, () => this.paranoid, (value) => {
        this.paranoid = value;
      }),
      perf_event_mlock_kb: numberFile(0, 2 ** 31 - 1, () => this.mlockKib, (value) => {
        this.mlockKib = value;
      }),
      perf_event_max_sample_rate: numberFile(1, 2 ** 31 - 1, () => this.maxSampleRate, (value) => {
        this.maxSampleRate = value;
      }),
      perf_event_max_stack: numberFile(0, 640, () => this.maxStack, (value) => {
        this.maxStack = value;
      }),
    };
  }
}

/** A number between two bounds as a file (`proc_dointvec_minmax`). */
function numberFile(
  low: number,
  high: number,
  get: () => number,
  set: (value: number) => void,
): Node {
  return textFile({
    mode: 0o644,
    read: () => `${get()}\n`,
    write: (text) => {
      const value = /^\s*-?\d{1,10}\s*$/.test(text) ? Number(text) : NaN;
      if (!(value >= low && value <= high)) throw new KernelError("EINVAL", "write");
      set(value);
    },
  });
}
