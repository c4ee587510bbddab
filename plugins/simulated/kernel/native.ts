import { KernelError } from "../../../core/kernel/error.ts";
import type { NativeCalls } from "../../../core/kernel/port.ts";
import { bpfCall } from "./bpf/syscall.ts";
import { perfEventOpen } from "./perf/open.ts";
import type { SimulatedProcess } from "./process.ts";
import type { SimulatedKernel } from "./simulated_kernel.ts";

/** The native calls of a simulated process. */
export function simulatedNative(kernel: SimulatedKernel, process: SimulatedProcess): NativeCalls {
  return {
    clock: (which) => kernel.now(which),
    alloc: (length) => process.memory.map(new Uint8Array(length), true),
    mmap: ({ fd, length, writable, shared, offset = 0 }) => {
      process.enter("mmap");
      if (length === 0) throw new KernelError("EINVAL", "mmap");
      if (fd === -1) return process.memory.map(new Uint8Array(length), writable);
      const { path, file } = process.descriptor(fd, "mmap");
      if (file.mmap === undefined) throw new KernelError("ENODEV", "mmap", path);
      const bytes = file.mmap({ length, writable, shared, offset });
      process.hold(file);
      return process.memory.map(bytes, writable, () => {
        file.munmap?.();
        process.letGo(file);
      });
    },
    ioctl: (fd, request, arg) => {
      const { path, file } = process.descriptor(fd, "ioctl");
      process.enter("ioctl", path);
      if (file.ioctl === undefined) throw new KernelError("ENOTTY", "ioctl", path);
      return file.ioctl(request, typeof arg === "object" ? arg.address : BigInt(arg));
    },
    perfEventOpen: (attr, pid, cpu, group, flags) => {
      process.enter("perf_event_open");
      return perfEventOpen(kernel, process, { attr: attr.address, pid, cpu, group, flags });
    },
    bpf: (command, attr) => {
      process.enter("bpf");
      return bpfCall(kernel, process, command, attr.address, attr.bytes.length);
    },
  };
}
