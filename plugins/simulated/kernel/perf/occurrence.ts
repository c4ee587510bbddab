import type { Task } from "../calls.ts";

/** What happened where a perf event listens, as samples and programs see it. */
export interface Occurrence {
  readonly task: Task;
  /** Whether the processor ran a program then, and not the kernel. */
  readonly user: boolean;
  /** Address of the function that is probed; 0 where there is none (`bpf_get_func_ip`). */
  readonly functionAddress: bigint;
  /** A register by the name that the kernel has for it (`di`, `sp`, `x0`). */
  register(name: string): bigint;
  /** Memory, or null where all of it cannot be read; `user` for that of the program. */
  readMemory(address: bigint, length: number, user: boolean): Uint8Array | null;
}

/** Where tracepoints are passed from: some place in the kernel's text. */
const CALLER = 0xffff_ffff_8100_1234n;
const KERNEL_STACK = 0xffff_c900_0000_3e58n;

/** Registers that perf makes up for who passes a tracepoint (`perf_arch_fetch_caller_regs`). */
const CALLER_REGISTERS: Readonly<Record<string, bigint>> = {
  ip: CALLER,
  pc: CALLER,
  sp: KERNEL_STACK,
  cs: 0x10n,
};

/** A tracepoint or user_event that a thread passes. */
export function passing(task: Task): Occurrence {
  return {
    task,
    user: false,
    functionAddress: 0n,
    register: (name) => CALLER_REGISTERS[name] ?? 0n,
    readMemory: () => null,
  };
}
