/**
 * Instructions of eBPF programs (Documentation/bpf/standardization/instruction-set.rst).
 * @module
 */

/** Bytes of an instruction. */
export const INSTRUCTION_SIZE = 8;

/** One instruction of 64 bits; a load of 64 bits takes two. */
export interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}

/** The class of an opcode. */
export const CLASS = {
  ld: 0,
  ldx: 1,
  st: 2,
  stx: 3,
  alu: 4,
  jmp: 5,
  jmp32: 6,
  alu64: 7,
} as const;

/** Whole opcodes that are asked for by name. */
export const OPCODE = {
  loadImmediate64: 0x18,
  jump: 0x05,
  jump32: 0x06,
  call: 0x85,
  exit: 0x95,
  atomic32: 0xc3,
  atomic64: 0xdb,
} as const;

/** What the source of a 64-bit load says of its number. */
export const PSEUDO = { number: 0, map: 1, mapValue: 2 } as const;

/** What the source of a call says of its target. */
export const CALL = { helper: 0, subprogram: 1 } as const;

/** The operation of an arithmetic opcode, or the condition of a jump. */
export function operation({ opcode }: Instruction): number {
  return opcode & 0xf0;
}

/** Whether an arithmetic instruction or a jump takes its second operand from a register. */
export function usesRegister({ opcode }: Instruction): boolean {
  return (opcode & 0x08) !== 0;
}

/** Bytes that a load or a store moves. */
export function accessSize({ opcode }: Instruction): number {
  return [4, 2, 1, 8][opcode >> 3 & 3]!;
}

/** How a load or a store works: 3 on memory, 4 with sign, 6 atomically. */
export function accessMode({ opcode }: Instruction): number {
  return opcode >> 5;
}

export function decodeInstructions(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, index) => {
    const at = index * INSTRUCTION_SIZE;
    const registers = view.getUint8(at + 1);
    return {
      opcode: view.getUint8(at),
      dst: registers & 0xf,
      src: registers >> 4,
      offset: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    };
  });
}

/** Opcodes of the fourth version of the instruction set, which 6.1 does not know. */
const NEWEST: ReadonlySet<number> = new Set([
  ...[0x81, 0x89, 0x91],
  OPCODE.jump32,
  0xd7,
  0xe5,
]);

const KNOWN: ReadonlySet<number> = new Set([
  ...arithmetic(CLASS.alu),
  ...arithmetic(CLASS.alu64),
  ...[0x87, 0x84, 0xd4, 0xdc, 0xd7],
  ...conditions(CLASS.jmp),
  ...conditions(CLASS.jmp32),
  ...[OPCODE.jump, OPCODE.jump32, OPCODE.call, OPCODE.exit, 0xe5],
  ...[0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91],
  ...[0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b],
  ...[OPCODE.atomic32, OPCODE.atomic64, OPCODE.loadImmediate64],
]);

/** ADD to ARSH, and MOV, with a number or a register; NEG and END stand apart. */
function arithmetic(kind: number): number[] {
  const operations = [0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x9, 0xa, 0xb, 0xc];
  return operations.flatMap((one) => [one << 4 | kind, one << 4 | 0x08 | kind]);
}

function conditions(kind: number): number[] {
  const all = [0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0xa, 0xb, 0xc, 0xd];
  return all.flatMap((one) => [one << 4 | kind, one << 4 | 0x08 | kind]);
}

/**
 * Whether a kernel knows an opcode (`bpf_opcode_in_insntable`). Those for packets are left out: no
 * program that is modelled has a packet.
 */
export function isKnownOpcode(opcode: number, version: "6.1" | "6.12"): boolean {
  return KNOWN.has(opcode) && (version === "6.12" || !NEWEST.has(opcode));
}
