import type { Occurrence } from "./occurrence.ts";

/** Registers of a sample by their bit (arch/x86/include/uapi/asm/perf_regs.h; arm64 alike). */
const SAMPLED = {
  x86_64: "ax bx cx dx si di bp sp ip flags cs ss - - - - r8 r9 r10 r11 r12 r13 r14 r15".split(" "),
  aarch64: [...Array.from({ length: 31 }, (_, i) => `x${i}`), "sp", "pc"],
} as const;

/** The register that holds the address of the instruction. */
export const INSTRUCTION_POINTER = { x86_64: "ip", aarch64: "pc" } as const;

/** Values of the registers that a mask names, in the order of their bits. */
export function sampledRegisters(
  arch: keyof typeof SAMPLED,
  mask: bigint,
  { register }: Pick<Occurrence, "register">,
): bigint[] {
  return SAMPLED[arch].filter((_, bit) => mask >> BigInt(bit) & 1n).map((name) => register(name));
}

/** Registers of a program that is in the kernel: only where it is and its stack are known here. */
export const PROGRAM_REGISTERS: Pick<Occurrence, "register"> = {
  register: (name) => IN_PROGRAM[name] ?? 0n,
};

const USER_TEXT = 0x5555_5555_4100n;
const IN_PROGRAM: Readonly<Record<string, bigint>> = {
  ip: USER_TEXT,
  pc: USER_TEXT,
  sp: 0x7ffc_0000_f000n,
  cs: 0x33n,
  ss: 0x2bn,
  flags: 0x246n,
};
