/**
 * Arithmetic, conditions and atomic operations of eBPF, on unsigned 64-bit values.
 * @module
 */
import { CLASS, type Instruction, operation } from "./instruction.ts";

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const s64 = (value: bigint) => BigInt.asIntN(64, value);

/** The result of an arithmetic instruction on `left` and `right`. */
export function calculate(instruction: Instruction, left: bigint, right: bigint): bigint {
  const kind = instruction.opcode & 7;
  const op = operation(instruction);
  if (op === 0xd0) return swap(instruction, left);
  const bits = kind === CLASS.alu64 ? 64 : 32;
  const result = apply(
    op,
    bits,
    BigInt.asUintN(bits, left),
    BigInt.asUintN(bits, right),
    instruction.offset,
  );
  return BigInt.asUintN(bits, result);
}

/** @param offset 1 for signed division; the bits of a move that extends the sign */
function apply(op: number, bits: number, left: bigint, right: bigint, offset: number): bigint {
  const signed = (value: bigint) => BigInt.asIntN(bits, value);
  const shift = right & BigInt(bits - 1);
  switch (op) {
    case 0x00:
      return left + right;
    case 0x10:
      return left - right;
    case 0x20:
      return left * right;
    case 0x30:
      if (right === 0n) return 0n;
      return offset === 1 ? signed(left) / signed(right) : left / right;
    case 0x40:
      return left | right;
    case 0x50:
      return left & right;
    case 0x60:
      return left << shift;
    case 0x70:
      return left >> shift;
    case 0x80:
      return -left;
    case 0x90:
      if (right === 0n) return left;
      return offset === 1 ? signed(left) % signed(right) : left % right;
    case 0xa0:
      return left ^ right;
    case 0xb0:
      return offset === 0 ? right : BigInt.asIntN(offset, right);
    default:
      return signed(left) >> shift;
  }
}

/** Turns bytes round, to big endian or always; to little endian it cuts only. */
function swap({ opcode, imm }: Instruction, value: bigint): bigint {
  const always = (opcode & 7) === CLASS.alu64;
  if (!always && (opcode & 8) === 0) return BigInt.asUintN(imm, value);
  let turned = 0n;
  for (let i = 0; i < imm / 8; i++) turned = turned << 8n | value >> BigInt(8 * i) & 0xffn;
  return turned;
}

/** Whether a conditional jump is taken. */
export function holds(instruction: Instruction, left: bigint, right: bigint): boolean {
  const bits = (instruction.opcode & 7) === CLASS.jmp ? 64 : 32;
  const [a, b] = [BigInt.asUintN(bits, left), BigInt.asUintN(bits, right)];
  const [sa, sb] = [BigInt.asIntN(bits, left), BigInt.asIntN(bits, right)];
  switch (operation(instruction)) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0n;
    case 0x50:
      return a !== b;
    case 0x60:
      return sa > sb;
    case 0x70:
      return sa >= sb;
    case 0xa0:
      return a < b;
    case 0xb0:
      return a <= b;
    case 0xc0:
      return sa < sb;
    default:
      return sa <= sb;
  }
}

/** Atomic operations; with the lowest bit set they fetch what was there. */
const ATOMIC = {
  add: 0x00,
  or: 0x40,
  and: 0x50,
  xor: 0xa0,
  exchange: 0xe0,
  compare: 0xf0,
} as const;

/** What an atomic operation stores where `memory` was; `expected` is r0. */
export function atomicResult(
  imm: number,
  memory: bigint,
  operand: bigint,
  expected: bigint,
): bigint {
  switch (imm & 0xf0) {
    case ATOMIC.add:
      return u64(memory + operand);
    case ATOMIC.or:
      return memory | operand;
    case ATOMIC.and:
      return memory & operand;
    case ATOMIC.xor:
      return memory ^ operand;
    case ATOMIC.exchange:
      return operand;
    default:
      return memory === expected ? operand : memory;
  }
}

/** Whether an atomic operation gives the old value to r0 instead of its source. */
export function comparesWithR0(imm: number): boolean {
  return (imm & 0xf0) === ATOMIC.compare;
}

/** An immediate as a 64-bit operand. */
export function immediate(imm: number): bigint {
  return u64(BigInt(imm));
}

export { s64, u64 };
