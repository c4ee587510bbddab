/**
 * bpf(2) (`__sys_bpf`, kernel/bpf/syscall.c), as far as programs on kprobes, uprobes and tracepoints
 * need it.
 * @module
 */
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { COMMAND } from "./abi.ts";
import { BpfAttr } from "./attr.ts";
import { objectInfo } from "./info.ts";
import { createLink, detachLink } from "./link.ts";
import { loadProgram } from "./load.ts";
import { createMap, deleteElement, lookupElement, nextKey, updateElement } from "./map_calls.ts";
import { refuse } from "./refusal.ts";

/** The last command of each kernel, known here or not. */
const LAST_COMMAND = { "6.1": 35, "6.12": 36 } as const;

/**
 * Carries a command out.
 *
 * @returns 0 or a descriptor
 * @throws {KernelError} EINVAL for a command that there is not; ENOSYS for one that is not modelled
 */
export function bpfCall(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  command: number,
  address: bigint,
  size: number,
): number {
  const creates = command === COMMAND.mapCreate || command === COMMAND.progLoad;
  // kernel.unprivileged_bpf_disabled is set, as Debian sets it.
  if (kernel.version === "6.1" && creates && !caller.privileged) refuse("EPERM");
  const attr = new BpfAttr(caller, address, size, kernel.version);
  switch (command) {
    case COMMAND.mapCreate:
      return createMap(kernel, caller, attr);
    case COMMAND.mapLookup:
      return lookupElement(caller, attr);
    case COMMAND.mapUpdate:
      return updateElement(caller, attr);
    case COMMAND.mapDelete:
      return deleteElement(caller, attr);
    case COMMAND.mapGetNextKey:
      return nextKey(caller, attr);
    case COMMAND.progLoad:
      return loadProgram(kernel, caller, attr);
    case COMMAND.objGetInfoByFd:
      return objectInfo(kernel, caller, attr);
    case COMMAND.linkCreate:
      return createLink(kernel, caller, attr);
    case COMMAND.linkDetach:
      return detachLink(caller, attr);
    default:
      return refuse(command >= 0 && command <= LAST_COMMAND[kernel.version] ? "ENOSYS" : "EINVAL");
  }
}
