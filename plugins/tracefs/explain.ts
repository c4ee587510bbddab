import type { KernelError } from "../../core/kernel/error.ts";
import type { Operation } from "../../core/operation.ts";

interface Explanation {
  readonly reason?: string;
  readonly hint?: string;
}

/** What to do about what `error_log` says (kernel/trace/trace_probe.h, `ERRORS`). */
const LOG_HINTS: Readonly<Record<string, string>> = {
  "Invalid probed address or symbol":
    "Look for the function in /proc/kallsyms; the compiler may have inlined or renamed it",
  "The symbol is not unique": "Several functions have this name; a kprobe cannot tell them apart",
  "Failed to register probe event":
    "The function may be marked notrace or stand on the kprobe blacklist (/sys/kernel/debug/kprobes/blacklist)",
  "Probe point is not an instruction boundary": "Take offset 0 or the start of an instruction",
  "Invalid register name": "Registers are named without the first letter: %di, not %rdi",
  "String accepts only memory argument": "Take the string's address apart: +0($arg2):string",
  "Invalid $-variable specified": "Known are $arg1 to $arg6, $retval, $stack, $stackN and $comm",
  "Maxactive is too big": "At most 4096 calls can be followed at once",
  "Failed to find the given file": "Check the path of the executable or library on this host",
  "Given group/event name is already used by another event":
    "An event of another kind has this name: sonde gc removes what a dead sonde left",
};

/** Why the kernel answered `error`, in words, and what to do about it. */
export function explain(operation: Operation, error: KernelError, said?: string): Explanation {
  const reason = said ?? reasonOf(operation, error);
  return { reason, hint: (said && LOG_HINTS[said]) ?? hintOf(operation, error) };
}

function reasonOf(operation: Operation, error: KernelError): string | undefined {
  if (operation.kind === "definition" && error.code === "ENOENT") {
    return "This kernel does not have the function or file";
  }
  if (operation.kind === "definition" && error.code === "EADDRNOTAVAIL") {
    return "Several functions have this name";
  }
  if (operation.kind === "definition" && error.code === "EILSEQ") {
    return "The offset is not the start of an instruction";
  }
  if (operation.kind === "enable" && error.code === "ENOENT") return "The event does not exist";
  if (operation.kind === "enable" && error.code === "EBUSY") {
    return "The function is patched by something else, such as a live patch";
  }
  if (error.code === "ENOSPC" || error.code === "ENOMEM") {
    return "The kernel is out of memory for it";
  }
  return undefined;
}

function hintOf(operation: Operation, error: KernelError): string | undefined {
  if (error.code === "EACCES" || error.code === "EPERM") {
    return "tracefs needs root; with kernel lockdown=confidentiality not even root may use it (sonde doctor tells)";
  }
  if (operation.kind === "setting" && error.code === "ENOMEM") {
    return "Ask for a smaller buffer.size";
  }
  return undefined;
}
