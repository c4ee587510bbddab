/**
 * `struct perf_event_attr` by the names of its fields (include/uapi/linux/perf_event.h).
 * @module
 */

import type { Memory, NativeCalls } from "../../core/kernel/port.ts";

/** Bytes of the structure up to `sample_regs_intr` (`PERF_ATTR_SIZE_VER4`, Linux 3.19). */
const ATTR_SIZE = 104;

/** Offset and bytes of each field. */
const FIELDS = {
  type: [0, 4],
  size: [4, 4],
  config: [8, 8],
  sample_period: [16, 8],
  sample_type: [24, 8],
  read_format: [32, 8],
  flags: [40, 8],
  config1: [56, 8],
  config2: [64, 8],
  clockid: [92, 4],
  sample_regs_intr: [96, 8],
} as const;

/** Bits of `flags`, which are bit fields in C. */
const FLAGS = { disabled: 0n, inherit: 1n, sample_id_all: 18n, use_clockid: 25n } as const;

/** Types of events that every kernel has; those of the other PMUs are in sysfs. */
export const PERF_TYPE = { software: 1, tracepoint: 2 } as const;

/** `PERF_COUNT_SW_DUMMY`: counts nothing, and so can own a ring for others. */
export const SOFTWARE_DUMMY = 9n;

/** Bits of `sample_type`. Records hold the identifier first, then time, raw and registers. */
export const SAMPLE = {
  time: 1n << 2n,
  raw: 1n << 10n,
  identifier: 1n << 16n,
  regsIntr: 1n << 18n,
};

/** `PERF_FORMAT_LOST` of `read_format` (Linux 6.0). */
export const FORMAT_LOST = 16n;

/** Requests of ioctl(2) on a perf event. */
export const IOC = {
  enable: 0x2400,
  disable: 0x2401,
  setOutput: 0x2405,
  setFilter: 0x40082406,
  id: 0x80082407,
} as const;

/** `PERF_FLAG_FD_CLOEXEC` of perf_event_open(2). */
export const FD_CLOEXEC = 8;

/** Types of the records in a ring. */
export const RECORD = { lost: 2, sample: 9 } as const;

type AttrField = Exclude<keyof typeof FIELDS, "size" | "flags">;

/** An attribute: fields by name, absent ones 0. */
export type PerfAttr = Partial<Readonly<Record<AttrField, number | bigint>>> & {
  readonly flags?: readonly (keyof typeof FLAGS)[];
};

/** The structure in memory of its own, with its size filled in. To be freed by the caller. */
export function allocAttr(native: NativeCalls, { flags = [], ...fields }: PerfAttr): Memory {
  const memory = native.alloc(ATTR_SIZE);
  const { bytes } = memory;
  const view = new DataView(bytes.buffer, bytes.byteOffset, ATTR_SIZE);
  const bits = flags.reduce((sum, flag) => sum | 1n << FLAGS[flag], 0n);
  const all = { ...fields, size: ATTR_SIZE, flags: bits };
  for (const [name, value] of Object.entries(all)) {
    const [offset, size] = FIELDS[name as keyof typeof FIELDS];
    if (size === 4) view.setUint32(offset, Number(value), true);
    else view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
  }
  return memory;
}
