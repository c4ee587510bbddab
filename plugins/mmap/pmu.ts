import { tryReadText } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";

/** What sysfs says of the kprobe or uprobe PMU (Linux 4.17). */
export interface ProbePmu {
  /** `type` of the attribute. */
  readonly type: number;
  /** Bit of `config` that asks for the return of the function. */
  readonly returnBit: bigint;
  /** Lowest bit of `config` of a semaphore's offset; absent before Linux 4.20. */
  readonly refCounterShift?: bigint;
}

/** Reads a PMU from sysfs; undefined if this kernel has none. */
export function readPmu(kernel: FileCalls, name: "kprobe" | "uprobe"): ProbePmu | undefined {
  const directory = `/sys/bus/event_source/devices/${name}`;
  const type = tryReadText(kernel, `${directory}/type`)?.trim();
  const returnBit = lowestBit(tryReadText(kernel, `${directory}/format/retprobe`));
  if (type === undefined || !/^\d+$/.test(type) || returnBit === undefined) return undefined;
  const refCounterShift = lowestBit(tryReadText(kernel, `${directory}/format/ref_ctr_offset`));
  return {
    type: Number(type),
    returnBit,
    ...(refCounterShift !== undefined && { refCounterShift }),
  };
}

/** The first bit of `config:N` or `config:N-M`. */
function lowestBit(format: string | undefined): bigint | undefined {
  const bit = /^config:(\d+)/.exec(format ?? "")?.[1];
  return bit === undefined ? undefined : BigInt(bit);
}
