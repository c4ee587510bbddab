/**
 * Runs eBPF programs.
 * @module
 */
import type { ProgramMoment } from "../perf/program.ts";
import { atomicResult, calculate, comparesWithR0, holds, immediate } from "./arithmetic.ts";
import { HELPER, HELPER_NAMES } from "./helper_ids.ts";
import { HELPERS, tailCallTarget } from "./helpers.ts";
import {
  accessMode,
  accessSize,
  CALL,
  CLASS,
  type Instruction,
  OPCODE,
  operation,
  PSEUDO,
  usesRegister,
} from "./instruction.ts";
import { Machine, MAX_FRAMES, ProgramFault } from "./machine.ts";
import type { BpfObjects } from "./objects.ts";
import type { Program } from "./program.ts";

/** Instructions that a program may run before it is given up: the verifier proves an end. */
const MAX_STEPS = 8_000_000;
/** Programs that can follow one another (`MAX_TAIL_CALL_CNT`). */
const MAX_TAIL_CALLS = 33;

/** Where a subprogram returns to, and the registers that are its caller's. */
interface Frame {
  readonly returnTo: number;
  readonly saved: readonly bigint[];
}

/**
 * Runs a program. One that does what the verifier would have refused is ended with 0, and the
 * kernel's log tells of it.
 *
 * @returns what the program returns, 32 bits
 */
export function runProgram(
  objects: BpfObjects,
  program: Program,
  moment: ProgramMoment,
  cookie: bigint,
): bigint {
  const machine = new Machine(objects, moment, cookie);
  try {
    return BigInt.asUintN(32, new Run(machine, program).toEnd());
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    const { id, spec } = program;
    objects.kernel.log(`bpf: program ${id} "${spec.name}" was ended: ${error.message}`);
    return 0n;
  }
}

class Run {
  readonly #machine: Machine;
  readonly #registers: bigint[];
  readonly #frames: Frame[] = [];
  #program: Program;
  #next = 0;
  #tailCalls = 0;

  constructor(machine: Machine, program: Program) {
    this.#machine = machine;
    this.#registers = machine.registers;
    this.#program = program;
  }

  toEnd(): bigint {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const index = this.#next++;
      const instruction = this.#program.spec.instructions[index];
      if (instruction === undefined) throw new ProgramFault("it ran over its end");
      if (instruction.opcode !== OPCODE.exit) {
        this.#step(instruction, index);
        continue;
      }
      const frame = this.#frames.pop();
      if (frame === undefined) return this.#registers[0];
      this.#next = frame.returnTo;
      frame.saved.forEach((value, i) => this.#registers[6 + i] = value);
    }
    throw new ProgramFault("it does not end");
  }

  #step(instruction: Instruction, index: number): void {
    const registers = this.#registers;
    const { opcode, dst, src, offset, imm } = instruction;
    switch (opcode & 7) {
      case CLASS.alu:
      case CLASS.alu64: {
        const isSwap = operation(instruction) === 0xd0;
        const right = usesRegister(instruction) && !isSwap ? registers[src] : immediate(imm);
        registers[dst] = calculate(instruction, registers[dst], right);
        return;
      }
      case CLASS.jmp:
      case CLASS.jmp32:
        this.#jump(instruction);
        return;
      case CLASS.ld:
        registers[dst] = this.#immediate64(instruction, index);
        this.#next++;
        return;
      case CLASS.ldx: {
        const address = registers[src] + BigInt(offset);
        const signed = accessMode(instruction) === 4;
        registers[dst] = this.#machine.load(address, accessSize(instruction), signed);
        return;
      }
      case CLASS.st:
        this.#machine.store(
          registers[dst] + BigInt(offset),
          accessSize(instruction),
          immediate(imm),
        );
        return;
      default:
        if (accessMode(instruction) === 6) this.#atomic(instruction);
        else {
          const address = registers[dst] + BigInt(offset);
          this.#machine.store(address, accessSize(instruction), registers[src]);
        }
    }
  }

  /** A number, a map, or a place in the value of a map. */
  #immediate64({ src, imm }: Instruction, index: number): bigint {
    const { instructions, maps } = this.#program.spec;
    const high = instructions[index + 1].imm;
    if (src === PSEUDO.number) {
      return BigInt.asUintN(32, BigInt(imm)) | BigInt.asUintN(32, BigInt(high)) << 32n;
    }
    const map = maps.get(index)!;
    if (src === PSEUDO.map) return this.#machine.mapAddress(map);
    return this.#machine.valueAddress(map, high);
  }

  #jump(instruction: Instruction): void {
    const { opcode, dst, src, offset, imm } = instruction;
    if (opcode === OPCODE.call) this.#call(instruction);
    else if (opcode === OPCODE.jump) this.#next += offset;
    else if (opcode === OPCODE.jump32) this.#next += imm;
    else {
      const right = usesRegister(instruction) ? this.#registers[src] : immediate(imm);
      if (holds(instruction, this.#registers[dst], right)) this.#next += offset;
    }
  }

  #call({ src, imm }: Instruction): void {
    if (src === CALL.subprogram) {
      if (this.#frames.length + 1 >= MAX_FRAMES) throw new ProgramFault("it calls too deep");
      this.#frames.push({ returnTo: this.#next, saved: this.#registers.slice(6) });
      this.#registers[10] = this.#machine.framePointer(this.#frames.length);
      this.#next += imm;
      return;
    }
    if (imm === HELPER.tailCall) {
      this.#tailCall();
      return;
    }
    const helper = HELPERS[HELPER_NAMES.get(imm)!];
    const [, ...parameters] = this.#registers.slice(0, 6);
    this.#registers[0] = BigInt.asUintN(64, helper(this.#machine, ...parameters));
  }

  /** Goes on with another program, or with the next instruction if there is none. */
  #tailCall(): void {
    const [, , map, index] = this.#registers;
    const target = this.#tailCalls < MAX_TAIL_CALLS
      ? tailCallTarget(this.#machine, map, index)
      : undefined;
    if (target === undefined) return;
    this.#tailCalls++;
    this.#program = target;
    this.#next = 0;
  }

  #atomic(instruction: Instruction): void {
    const registers = this.#registers;
    const { dst, src, offset, imm } = instruction;
    const size = accessSize(instruction);
    const address = registers[dst] + BigInt(offset);
    const old = this.#machine.load(address, size);
    const operand = BigInt.asUintN(8 * size, registers[src]);
    const expected = BigInt.asUintN(8 * size, registers[0]);
    this.#machine.store(address, size, atomicResult(imm, old, operand, expected));
    if (comparesWithR0(imm)) registers[0] = old;
    else if (imm & 1) registers[src] = old;
  }
}
