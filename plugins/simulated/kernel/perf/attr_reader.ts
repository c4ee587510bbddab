import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { AttrReader } from "./attr.ts";

/** Reads attributes out of the memory of `caller`. */
export function attrReader(kernel: SimulatedKernel, caller: SimulatedProcess): AttrReader {
  const { settings } = kernel.perf;
  return {
    version: kernel.version,
    arch: kernel.arch,
    maxStack: settings.maxStack,
    read: (address, length) => caller.memory.read(address, length),
    write: (address, bytes) => {
      caller.memory.write(address, bytes);
    },
    allowKernel: () => settings.allowKernel(caller),
  };
}
