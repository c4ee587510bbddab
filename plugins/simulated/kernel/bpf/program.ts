/**
 * Loaded programs.
 * @module
 */
import type { AttachableProgram, EventProgram, ProgramMoment } from "../perf/program.ts";
import type { SimulatedProcess } from "../process.ts";
import type { OpenFile } from "../vfs.ts";
import { PROG_TYPE } from "./abi.ts";
import type { Instruction } from "./instruction.ts";
import { runProgram } from "./interpreter.ts";
import type { BpfMap } from "./map.ts";
import { refuse } from "./refusal.ts";
import type { BpfObjects } from "./objects.ts";

/** What a program is made from. */
export interface ProgramSpec {
  readonly type: number;
  readonly name: string;
  readonly gpl: boolean;
  readonly expectedAttachType: number;
  /** The SHA-1 of its instructions, cut to 8 bytes. */
  readonly tag: Uint8Array;
  /** Nanoseconds since boot. */
  readonly loadTime: bigint;
  readonly uid: number;
  readonly instructions: readonly Instruction[];
  /** Instructions there are, a 64-bit load being one. */
  readonly verified: number;
  /** The maps that its instructions name, by their index. */
  readonly maps: ReadonlyMap<number, BpfMap>;
}

/** A loaded program. */
export class Program implements AttachableProgram {
  readonly id: number;
  readonly spec: ProgramSpec;
  readonly #objects: BpfObjects;

  constructor(id: number, spec: ProgramSpec, objects: BpfObjects) {
    this.id = id;
    this.spec = spec;
    this.#objects = objects;
  }

  get kind(): AttachableProgram["kind"] {
    const { type } = this.spec;
    if (type === PROG_TYPE.kprobe) return "kprobe";
    if (type === PROG_TYPE.tracepoint) return "tracepoint";
    return type === PROG_TYPE.perfEvent ? "perf_event" : "other";
  }

  /** What it returns. @param cookie what it can ask for */
  run(moment: ProgramMoment, cookie: bigint): bigint {
    return runProgram(this.#objects, this, moment, cookie);
  }

  attach(cookie: bigint): EventProgram {
    return {
      programId: this.id,
      cookie,
      run: (moment) => this.run(moment, cookie),
      release() {},
    };
  }
}

/** The file behind the descriptor of a program. */
export class ProgramFile implements OpenFile {
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** Events and other programs may keep it. */
  close(): void {}
}

/** The program behind a descriptor. @throws {KernelError} EBADF, EINVAL */
export function programOf(process: SimulatedProcess, fd: number, call: string): Program {
  const { file } = process.descriptor(fd, call);
  return file instanceof ProgramFile ? file.program : refuse("EINVAL", call);
}
