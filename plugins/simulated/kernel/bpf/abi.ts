/**
 * Numbers of the bpf(2) interface (include/uapi/linux/bpf.h).
 * @module
 */

/** Commands. */
export const COMMAND = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapGetNextKey: 4,
  progLoad: 5,
  objGetInfoByFd: 15,
  linkCreate: 28,
  linkDetach: 34,
} as const;

/** Types of maps. */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  progArray: 3,
  perfEventArray: 4,
  percpuHash: 5,
  percpuArray: 6,
  stackTrace: 7,
  lruHash: 9,
  lruPercpuHash: 10,
  ringBuffer: 27,
} as const;

/** Flags of a new map. */
export const MAP_FLAG = {
  noPrealloc: 1,
  noCommonLru: 2,
  numaNode: 4,
  readOnly: 8,
  writeOnly: 16,
  stackBuildId: 32,
  zeroSeed: 64,
  readOnlyProg: 128,
  writeOnlyProg: 256,
  mmapable: 1024,
  preserveElements: 2048,
  innerMap: 4096,
} as const;

/** Flags of an update. */
export const UPDATE = { any: 0n, noExist: 1n, exist: 2n, lock: 4n } as const;

/** Types of programs that can be loaded. */
export const PROG_TYPE = {
  socketFilter: 1,
  kprobe: 2,
  tracepoint: 5,
  perfEvent: 7,
  rawTracepoint: 17,
} as const;

/** What a link attaches a program to. */
export const ATTACH_TYPE = {
  perfEvent: 41,
  kprobeMulti: 42,
  uprobeMulti: 48,
  kprobeSession: 56,
} as const;

/** Types of links. */
export const LINK_TYPE = { perfEvent: 7, kprobeMulti: 8 } as const;

export const KPROBE_MULTI_RETURN = 1;

/** Bytes of `union bpf_attr`. */
export const ATTR_SIZE = { "6.1": 144, "6.12": 152 } as const;

/** Names of maps and programs, the NUL included. */
export const NAME_SIZE = 16;

export const PAGE_SIZE = 4096;
