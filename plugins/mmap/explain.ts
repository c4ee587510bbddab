import type { KernelError } from "../../core/kernel/error.ts";
import { LimitError } from "./limits.ts";

/** Why the kernel refused a perf event, in words, and what to do about it. */
export interface Explanation {
  readonly reason?: string;
  readonly hint?: string;
}

/**
 * What an errno of perf_event_open(2) means for a probe of a PMU (kernel/trace/trace_kprobe.c,
 * trace_uprobe.c; kernel/kprobes.c), as Linux 6.1 and 6.12 answer.
 */
const PROBE_REASONS: Readonly<Record<string, Explanation>> = {
  ENOENT: {
    reason: "This kernel does not have the function or file",
    hint: "Look for the function in /proc/kallsyms; the compiler may have inlined or renamed it",
  },
  EADDRNOTAVAIL: {
    reason: "Several functions have this name",
    hint: "A kprobe cannot tell them apart; take a function with a name of its own",
  },
  EILSEQ: {
    reason: "The offset is not the start of an instruction",
    hint: "Take offset 0 or the start of an instruction",
  },
  EINVAL: {
    reason: "The kernel does not allow a probe there",
    hint:
      "The function may be marked notrace or stand on the kprobe blacklist, the offset may lie outside; a return probe sits at the entry",
  },
  ENOTSUPP: {
    reason: "The instruction there cannot be probed",
    hint: "It may be a breakpoint already, or none that uprobes know",
  },
  EIO: { reason: "Files of that file system cannot be probed" },
  EBUSY: { reason: "The function is patched by something else, such as a live patch" },
};

/** What an errno means whatever the event. */
const REASONS: Readonly<Record<string, Explanation>> = {
  EACCES: {
    reason: "This process may not open perf events",
    hint:
      "Run sonde as root; else kprobes and tracepoints need CAP_PERFMON, uprobes CAP_SYS_ADMIN, and kernel.perf_event_paranoid has a say",
  },
  EPERM: {
    reason: "The kernel refuses perf events",
    hint:
      "It may be locked down (confidentiality), or the rings are larger than may be locked: sonde doctor tells",
  },
  ESRCH: { reason: "There is no such process", hint: "Check the backend option pid" },
  EMFILE: {
    reason: "Too many files are open",
    hint: "Every probe takes a descriptor for each CPU: raise ulimit -n",
  },
  EINTR: {
    reason: "The event is enabled in tracefs",
    hint: "A uprobe event serves tracefs or perf, not both",
  },
  ENODEV: { reason: "The event cannot be had by perf, or its CPU went offline" },
};

/** Explains why the kernel refused to open, map or filter an event. */
export function explainOpen(error: KernelError, isProbe: boolean): Explanation {
  if (error instanceof LimitError) return { reason: error.message, hint: error.hint };
  if (error.call === "ioctl" && error.code === "EINVAL") {
    return {
      reason: "The kernel refuses the filter",
      hint: "perf says no more; the tracefs backend tells where the mistake is",
    };
  }
  return (isProbe ? PROBE_REASONS[error.code] : undefined) ?? REASONS[error.code] ?? {};
}
