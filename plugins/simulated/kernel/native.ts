import { KernelError } from "../../../core/kernel/error.ts";
import type { NativeCalls } from "../../../core/kernel/port.ts";
import type { SimulatedProcess } from "./process.ts";
import type { SimulatedKernel } from "./simulated_kernel.ts";

/** The native calls of a simulated process. */
export function simulatedNative(_kernel: SimulatedKernel, process: SimulatedProcess): NativeCalls {
  return {
    alloc: (length) => process.memory.map(new Uint8Array(length), true),
    mmap: ({ fd, length, writable, offset = 0 }) => {
      process.enter("mmap");
      if (fd === -1) return process.memory.map(new Uint8Array(length), writable);
      const { path, file } = process.descriptor(fd, "mmap");
      if (file.mmap === undefined) throw new KernelError("ENODEV", "mmap", path);
      const bytes = file.mmap({ length, writable, offset });
      return process.memory.map(bytes, writable, () => file.munmap?.());
    },
    ioctl: (fd, request, arg) => {
      const { path, file } = process.descriptor(fd, "ioctl");
      process.enter("ioctl", path);
      if (file.ioctl === undefined) throw new KernelError("ENOTTY", "ioctl", path);
      return file.ioctl(request, typeof arg === "object" ? arg.address : BigInt(arg));
    },
    perfEventOpen: () => {
      process.enter("perf_event_open");
      throw new KernelError("ENOSYS", "perf_event_open");
    },
    bpf: () => {
      process.enter("bpf");
      throw new KernelError("ENOSYS", "bpf");
    },
  };
}
