/**
 * What can be told of a program without following what it does: the first passes of the verifier
 * (`bpf_check`, kernel/bpf/verifier.c). The verifier proper is out of reach: a program that it
 * would refuse for an access or a value is taken here, and may fail when it runs.
 * @module
 */
import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import {
  accessMode,
  CALL,
  CLASS,
  type Instruction,
  isKnownOpcode,
  OPCODE,
  operation,
  PSEUDO,
} from "./instruction.ts";

/** A program that is refused: what bpf(2) fails with, and what the log says. */
export class ShapeError extends Error {
  readonly code: ErrnoCode;
  /** Instructions that were followed before it was found. */
  processed = 0;

  constructor(message: string, code: ErrnoCode = "EINVAL") {
    super(message);
    this.name = "ShapeError";
    this.code = code;
  }
}

const REGISTERS = 11;
/** The frame pointer, which cannot be written. */
const FRAME_POINTER = 10;

/** What is asked of the surroundings of a program. */
export interface ShapeContext {
  readonly version: "6.1" | "6.12";
  /** @throws {ShapeError} if a program of this kind cannot call the helper */
  checkHelper(helper: number): void;
  /** Finds the map that an instruction names. @throws {ShapeError} */
  checkMap(instruction: Instruction, index: number): void;
}

/**
 * Checks a program.
 *
 * @returns instructions there are, a 64-bit load being one
 * @throws {ShapeError}
 */
export function checkShape(instructions: readonly Instruction[], context: ShapeContext): number {
  checkJumps(instructions, subprograms(instructions), context.version);
  checkLoads(instructions, context);
  checkReachable(instructions);
  const whole = instructions.filter((_, index) => !isSecondHalf(instructions, index));
  whole.forEach((instruction, index) => {
    try {
      checkInstruction(instruction, context);
    } catch (error) {
      if (error instanceof ShapeError) error.processed = index + 1;
      throw error;
    }
  });
  return whole.length;
}

function checkInstruction(instruction: Instruction, context: ShapeContext): void {
  checkRegisters(instruction);
  if (instruction.opcode === OPCODE.call && instruction.src === CALL.helper) {
    context.checkHelper(instruction.imm);
  }
}

/** Whether an instruction is the second half of a 64-bit load. */
function isSecondHalf(instructions: readonly Instruction[], index: number): boolean {
  return index > 0 && instructions[index].opcode === 0 &&
    instructions[index - 1].opcode === OPCODE.loadImmediate64;
}

/** Where subprograms start: at 0, and where calls lead. */
function subprograms(instructions: readonly Instruction[]): number[] {
  const starts = new Set([0]);
  instructions.forEach(({ opcode, src, imm }, index) => {
    if (opcode !== OPCODE.call || src === CALL.helper) return;
    // Functions of the kernel are called by their BTF.
    if (src !== CALL.subprogram) throw new ShapeError("BPF_CALL uses reserved fields");
    const target = index + imm + 1;
    if (target < 0 || target >= instructions.length) {
      throw new ShapeError("call to invalid destination");
    }
    starts.add(target);
  });
  return [...starts].sort((a, b) => a - b);
}

/** Where a jump leads. */
function jumpTarget({ opcode, offset, imm }: Instruction, index: number): number {
  return index + 1 + (opcode === OPCODE.jump32 ? imm : offset);
}

function isJump({ opcode }: Instruction): boolean {
  const kind = opcode & 7;
  return (kind === CLASS.jmp || kind === CLASS.jmp32) &&
    opcode !== OPCODE.call && opcode !== OPCODE.exit;
}

/** `check_subprogs`. */
function checkJumps(
  instructions: readonly Instruction[],
  starts: readonly number[],
  version: "6.1" | "6.12",
): void {
  starts.forEach((start, number) => {
    const end = starts[number + 1] ?? instructions.length;
    for (let index = start; index < end; index++) {
      const instruction = instructions[index];
      const target = jumpTarget(instruction, index);
      if (isJump(instruction) && (target < start || target >= end)) {
        throw new ShapeError(`jump out of range from insn ${index} to ${target}`);
      }
    }
    const { opcode } = instructions[end - 1];
    const ends = opcode === OPCODE.exit || opcode === OPCODE.jump ||
      (opcode === OPCODE.jump32 && version === "6.12");
    if (!ends) throw new ShapeError("last insn is not an exit or jmp");
  });
}

/** `resolve_pseudo_ldimm64`. */
function checkLoads(instructions: readonly Instruction[], context: ShapeContext): void {
  for (let index = 0; index < instructions.length; index++) {
    const instruction = instructions[index];
    const { opcode, imm, src } = instruction;
    const modes = context.version === "6.1" ? [3] : [3, 4];
    if ((opcode & 7) === CLASS.ldx && (!modes.includes(accessMode(instruction)) || imm !== 0)) {
      throw new ShapeError("BPF_LDX uses reserved fields");
    }
    if (opcode === OPCODE.loadImmediate64) {
      const second = instructions[index + 1];
      const isPair = second !== undefined && second.opcode === 0 && second.dst === 0 &&
        second.src === 0 && second.offset === 0;
      if (!isPair) throw new ShapeError("invalid bpf_ld_imm64 insn");
      const isMap = src === PSEUDO.mapValue || (src === PSEUDO.map && second.imm === 0);
      if (!isMap && src !== PSEUDO.number) throw new ShapeError("unrecognized bpf_ld_imm64 insn");
      if (isMap) context.checkMap(instruction, index);
      index++;
    } else if (!isKnownOpcode(opcode, context.version)) {
      throw new ShapeError(`unknown opcode ${opcode.toString(16).padStart(2, "0")}`);
    }
  }
}

/** `check_cfg`: whatever cannot be reached is a mistake. */
function checkReachable(instructions: readonly Instruction[]): void {
  const reached = new Set<number>();
  const open = [0];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (index >= instructions.length || reached.has(index)) continue;
    reached.add(index);
    const instruction = instructions[index];
    const { opcode, src, imm } = instruction;
    if (opcode === OPCODE.exit) continue;
    if (isJump(instruction)) {
      open.push(jumpTarget(instruction, index));
      if (opcode === OPCODE.jump || opcode === OPCODE.jump32) continue;
    }
    if (opcode === OPCODE.call && src === CALL.subprogram) open.push(index + 1 + imm);
    if (opcode === OPCODE.loadImmediate64) reached.add(++index);
    open.push(index + 1);
  }
  for (let index = 0; index < instructions.length; index++) {
    if (!reached.has(index)) throw new ShapeError(`unreachable insn ${index}`);
  }
}

/** Registers there are, and those that can be written. */
function checkRegisters(instruction: Instruction): void {
  const { opcode, dst, src } = instruction;
  const kind = opcode & 7;
  const usesSource = kind === CLASS.ldx || kind === CLASS.stx ||
    ((kind === CLASS.alu || kind === CLASS.alu64) && (opcode & 8) !== 0 &&
      operation(instruction) !== 0xd0);
  if (usesSource && src >= REGISTERS) throw new ShapeError(`R${src} is invalid`);
  if (dst >= REGISTERS) throw new ShapeError(`R${dst} is invalid`);
  const writes = kind === CLASS.alu || kind === CLASS.alu64 || kind === CLASS.ldx ||
    kind === CLASS.ld;
  if (writes && dst === FRAME_POINTER) throw new ShapeError("frame pointer is read only", "EACCES");
}
