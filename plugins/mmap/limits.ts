import { isKernelError, KernelError } from "../../core/kernel/error.ts";
import { tryReadText } from "../../core/kernel/files.ts";
import type { Kernel } from "../../core/kernel/port.ts";

const PAGE_KIB = 4;
/** `perf_event_mlock_kb` where it cannot be read (kernel/events/core.c). */
const DEFAULT_MLOCK_KIB = 516;
/** Descriptors left for sinks and files. */
const SPARE_DESCRIPTORS = 16;
/** `CAP_IPC_LOCK` (include/uapi/linux/capability.h). */
const CAP_IPC_LOCK = 14n;

/** A limit of this process that a trace would run into; known before anything is installed. */
export class LimitError extends KernelError {
  readonly hint: string;

  constructor(code: "EMFILE" | "EPERM", call: string, reason: string, hint: string) {
    super(code, call);
    this.name = "LimitError";
    this.message = reason;
    this.hint = hint;
  }
}

/**
 * Pages of data of each CPU's ring, a power of 2: as asked for, else as large as every user may
 * lock (`perf_event_mlock_kb`, which counts the control page).
 */
export function ringPages(kernel: Kernel, bufferKiB: number | undefined): number {
  if (bufferKiB !== undefined) {
    return 2 ** Math.ceil(Math.log2(Math.max(1, bufferKiB / PAGE_KIB)));
  }
  const pages = Math.floor(mlockKiB(kernel) / PAGE_KIB) - 1;
  return 2 ** Math.floor(Math.log2(Math.max(1, pages)));
}

/** @throws {LimitError} if rings of `pages` take more than this process may lock. */
export function checkMemory(kernel: Kernel, pages: number): void {
  const wanted = (1 + pages) * PAGE_KIB;
  if (wanted <= mlockKiB(kernel) || mayLock(kernel)) return;
  throw new LimitError(
    "EPERM",
    "mmap",
    `Rings of ${wanted} KiB are more than the ${mlockKiB(kernel)} KiB that may be locked`,
    "Ask for a smaller buffer.size, or raise /proc/sys/kernel/perf_event_mlock_kb",
  );
}

/** @throws {LimitError} if `count` more descriptors are more than RLIMIT_NOFILE. */
export function checkDescriptors(kernel: Kernel, count: number): void {
  const limits = tryReadText(kernel, "/proc/self/limits") ?? "";
  const limit = /^Max open files +(\d+) /m.exec(limits)?.[1];
  if (limit === undefined) return;
  const open = openDescriptors(kernel);
  if (open + count + SPARE_DESCRIPTORS <= Number(limit)) return;
  throw new LimitError(
    "EMFILE",
    "perf_event_open",
    `${count} perf events are needed, one for each probe and CPU, but only ${limit} files may be open`,
    `Raise the limit: ulimit -n ${open + count + SPARE_DESCRIPTORS}`,
  );
}

function openDescriptors(kernel: Kernel): number {
  try {
    return kernel.list("/proc/self/fd").length;
  } catch (error) {
    if (isKernelError(error)) return 0;
    throw error;
  }
}

function mlockKiB(kernel: Kernel): number {
  const text = tryReadText(kernel, "/proc/sys/kernel/perf_event_mlock_kb") ?? "";
  return /^\d+\n?$/.test(text) ? Number(text) : DEFAULT_MLOCK_KIB;
}

function mayLock(kernel: Kernel): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(
    tryReadText(kernel, "/proc/self/status") ?? "",
  )?.[1];
  if (capabilities === undefined) return kernel.machine.uid === 0;
  return (BigInt(`0x${capabilities}`) >> CAP_IPC_LOCK & 1n) === 1n;
}
