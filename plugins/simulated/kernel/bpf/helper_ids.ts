/**
 * Helpers that programs can call, by their number (include/uapi/linux/bpf.h).
 * @module
 */

/** Helpers that are there. */
export const HELPER = {
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  probeRead: 4,
  ktimeGetNs: 5,
  tracePrintk: 6,
  getPrandom: 7,
  getProcessorId: 8,
  tailCall: 12,
  getPidTgid: 14,
  getUidGid: 15,
  getComm: 16,
  perfEventOutput: 25,
  getStackId: 27,
  probeReadStr: 45,
  getStack: 67,
  probeReadUser: 112,
  probeReadKernel: 113,
  probeReadUserStr: 114,
  probeReadKernelStr: 115,
  ktimeGetBootNs: 125,
  ringOutput: 130,
  ringReserve: 131,
  ringSubmit: 132,
  ringDiscard: 133,
  ringQuery: 134,
  getFuncIp: 173,
  getAttachCookie: 174,
} as const;

export type HelperName = keyof typeof HELPER;

/** Helpers by number. */
export const HELPER_NAMES: ReadonlyMap<number, HelperName> = new Map(
  (Object.keys(HELPER) as HelperName[]).map((name) => [HELPER[name], name]),
);

/** Numbers that the kernel has a helper for, known here or not. */
export const LAST_HELPER = { "6.1": 209, "6.12": 211 } as const;

/** Helpers for programs under a licence that is compatible with the GPL (`gpl_only`). */
export const GPL_ONLY: ReadonlySet<HelperName> = new Set<HelperName>([
  "probeRead",
  "probeReadStr",
  "tracePrintk",
  "perfEventOutput",
  "getStackId",
  "getStack",
  "probeReadUser",
  "probeReadKernel",
  "probeReadUserStr",
  "probeReadKernelStr",
]);

/** Helpers that lockdown for confidentiality takes away (`LOCKDOWN_BPF_READ_KERNEL`). */
export const READS_KERNEL: ReadonlySet<HelperName> = new Set<HelperName>([
  "probeRead",
  "probeReadStr",
  "probeReadKernel",
  "probeReadKernelStr",
]);

/** Helpers that programs on tracepoints do not have. */
export const NOT_ON_TRACEPOINTS: ReadonlySet<HelperName> = new Set<HelperName>(["getFuncIp"]);

/** Licences that are compatible with the GPL (include/linux/license.h). */
export const GPL_LICENCES: ReadonlySet<string> = new Set([
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
]);
