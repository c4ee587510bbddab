/**
 * Numbers of the perf_event_open(2) interface (include/uapi/linux/perf_event.h).
 * @module
 */

/** Types of events that are always there; the others are in sysfs. */
export const PERF_TYPE = {
  hardware: 0,
  software: 1,
  tracepoint: 2,
  hwCache: 3,
  raw: 4,
  breakpoint: 5,
} as const;

/** Software events by `config`. */
export const SOFTWARE = { cpuClock: 0, taskClock: 1, bpfOutput: 10, max: 12 } as const;

/** Flags of perf_event_open(2). */
export const OPEN_FLAG = { noGroup: 1, output: 2, cgroup: 4, cloexec: 8 } as const;
export const OPEN_FLAGS = 0xf;

/** Bits of `sample_type`. */
export const SAMPLE = {
  ip: 1 << 0,
  tid: 1 << 1,
  time: 1 << 2,
  addr: 1 << 3,
  read: 1 << 4,
  callchain: 1 << 5,
  id: 1 << 6,
  cpu: 1 << 7,
  period: 1 << 8,
  streamId: 1 << 9,
  raw: 1 << 10,
  branchStack: 1 << 11,
  regsUser: 1 << 12,
  stackUser: 1 << 13,
  weight: 1 << 14,
  dataSource: 1 << 15,
  identifier: 1 << 16,
  transaction: 1 << 17,
  regsIntr: 1 << 18,
  physAddr: 1 << 19,
  aux: 1 << 20,
  cgroup: 1 << 21,
  dataPageSize: 1 << 22,
  codePageSize: 1 << 23,
  weightStruct: 1 << 24,
} as const;
export const SAMPLE_TYPES = (1 << 25) - 1;

/** Bits of `read_format`. */
export const FORMAT = { enabled: 1, running: 2, id: 4, group: 8, lost: 16 } as const;
export const FORMATS = 0x1f;

/** Types of records in a ring. */
export const RECORD = { lost: 2, sample: 9 } as const;

/** Bits of a record's `misc` that say in which mode the processor was. */
export const MISC = { kernel: 1, user: 2 } as const;

/** Requests of ioctl(2) on an event, as on x86-64 and arm64. */
export const IOC = {
  enable: 0x2400,
  disable: 0x2401,
  refresh: 0x2402,
  reset: 0x2403,
  period: 0x40082404,
  setOutput: 0x2405,
  setFilter: 0x40082406,
  id: 0x80082407,
  setBpf: 0x40042408,
  pauseOutput: 0x40042409,
  queryBpf: 0xc008240a,
  modifyAttributes: 0x4008240b,
} as const;

/** The argument of ENABLE, DISABLE and RESET that means the whole group. */
export const IOC_FLAG_GROUP = 1n;

/** Programs that one event can have (`BPF_TRACE_MAX_PROGS`). */
export const MAX_PROGRAMS = 64;

export const PAGE_SIZE = 4096;

/** Bits of `config` of the kprobe and uprobe PMUs. */
export const RETPROBE_BIT = 0n;
export const REF_COUNTER_SHIFT = 32n;
