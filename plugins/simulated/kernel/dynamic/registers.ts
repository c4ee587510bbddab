import type { DynamicHost } from "./host.ts";

const X86_64 = "r15 r14 r13 r12 r11 r10 r9 r8 bx cx dx si di bp ax orig_ax ip cs flags sp ss";

/** What a fetch argument may name after `%` (`regoffset_table`, arch/{x86,arm64}/kernel/ptrace.c). */
const REGISTERS: Record<DynamicHost["arch"], ReadonlySet<string>> = {
  x86_64: new Set(X86_64.split(" ")),
  aarch64: new Set([...Array.from({ length: 31 }, (_, i) => `x${i}`), "lr", "sp", "pc", "pstate"]),
};

/** Whether the architecture has a register with this name, in the kernel's spelling. */
export function isRegister(arch: DynamicHost["arch"], name: string): boolean {
  return REGISTERS[arch].has(name);
}

/** The register that holds the stack pointer. */
export const STACK_POINTER = "sp";
