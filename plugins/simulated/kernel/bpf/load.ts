/**
 * PROG_LOAD (`bpf_prog_load`, kernel/bpf/syscall.c).
 * @module
 */
import { createHash } from "node:crypto";
import { isKernelError } from "../../../../core/kernel/error.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { readUserString } from "../user_string.ts";
import { PROG_TYPE } from "./abi.ts";
import type { BpfAttr } from "./attr.ts";
import {
  GPL_LICENCES,
  GPL_ONLY,
  HELPER_NAMES,
  LAST_HELPER,
  NOT_ON_TRACEPOINTS,
  READS_KERNEL,
} from "./helper_ids.ts";
import {
  decodeInstructions,
  type Instruction,
  INSTRUCTION_SIZE,
  OPCODE,
  PSEUDO,
} from "./instruction.ts";
import type { BpfMap } from "./map.ts";
import { mapOf } from "./map_calls.ts";
import { ProgramFile } from "./program.ts";
import { refuse } from "./refusal.ts";
import { checkShape, ShapeError } from "./shape.ts";

/** Offsets of the fields. */
const TYPE = 0;
const COUNT = 4;
const INSTRUCTIONS = 8;
const LICENCE = 16;
const LOG_LEVEL = 24;
const LOG_SIZE = 28;
const LOG_BUFFER = 32;
const FLAGS = 44;
const NAME = 48;
const EXPECTED_ATTACH_TYPE = 68;
const ATTACH_BTF_ID = 108;
const ATTACH_PROGRAM = 112;
/** Flags that each kernel has, but for those that take a device or a token. */
const KNOWN_FLAGS = { "6.1": 0x3f, "6.12": 0xff } as const;

/** Instructions of a program (`BPF_COMPLEXITY_LIMIT_INSNS`), and of one that is not root's. */
const MAX_INSTRUCTIONS = 1_000_000;
const MAX_UNPRIVILEGED = 4096;
const MAX_LICENCE = 128;

const TYPES: readonly number[] = Object.values(PROG_TYPE);

/** PROG_LOAD. @returns a descriptor @throws {KernelError} */
export function loadProgram(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
): number {
  const { version } = kernel;
  attr.requireEnd(version === "6.1" ? 140 : 148);
  if (attr.u32(FLAGS) & ~KNOWN_FLAGS[version]) refuse("EINVAL");
  const count = attr.u32(COUNT);
  if (!caller.privileged) refuse("EPERM");
  if (count === 0 || count > (caller.privileged ? MAX_INSTRUCTIONS : MAX_UNPRIVILEGED)) {
    refuse("E2BIG");
  }
  const type = attr.u32(TYPE);
  // Programs that attach to functions of the kernel by their BTF are not modelled.
  if (attr.u32(ATTACH_BTF_ID) !== 0 || attr.u32(ATTACH_PROGRAM) !== 0) refuse("EINVAL");
  const bytes = caller.memory.read(attr.u64(INSTRUCTIONS), count * INSTRUCTION_SIZE) ??
    refuse("EFAULT");
  const licence = readUserString(caller.memory, attr.u64(LICENCE), MAX_LICENCE);
  if (licence === "fault") refuse("EFAULT");
  const gpl = licence !== "too long" && GPL_LICENCES.has(licence.text);
  if (!TYPES.includes(type)) refuse("EINVAL");
  const name = attr.name(NAME);
  const log = new Log(caller, attr);
  const instructions = decodeInstructions(bytes);
  const maps = new Map<number, BpfMap>();
  const verified = log.during(() =>
    checkShape(instructions, {
      version,
      checkHelper: (helper) => checkHelper(kernel, helper, type, gpl),
      checkMap: (instruction, index) => {
        maps.set(index, findMap(caller, instruction));
      },
    })
  );
  caller.requireFreeDescriptor("bpf");
  const program = kernel.bpf.addProgram({
    type,
    name,
    gpl,
    expectedAttachType: attr.u32(EXPECTED_ATTACH_TYPE),
    tag: tagOf(bytes, instructions),
    loadTime: kernel.now("boottime"),
    uid: caller.uid,
    instructions,
    verified,
    maps,
  });
  return caller.install(new ProgramFile(program), "anon_inode:bpf-prog", { access: "read-write" });
}

/** @throws {ShapeError} for a helper that a program cannot call */
function checkHelper(kernel: SimulatedKernel, helper: number, type: number, gpl: boolean): void {
  if (helper < 0 || helper > LAST_HELPER[kernel.version]) {
    throw new ShapeError(`invalid func unknown#${helper}`);
  }
  const name = HELPER_NAMES.get(helper);
  const unusable = name === undefined ||
    (kernel.lockdown === "confidentiality" && READS_KERNEL.has(name)) ||
    (type === PROG_TYPE.tracepoint && NOT_ON_TRACEPOINTS.has(name));
  if (unusable) {
    const text = kernel.version === "6.1"
      ? "unknown func"
      : "program of this type cannot use helper";
    throw new ShapeError(`${text} #${helper}`);
  }
  if (!gpl && GPL_ONLY.has(name)) {
    throw new ShapeError("cannot call GPL-restricted function from non-GPL compatible program");
  }
}

function findMap(caller: SimulatedProcess, { imm }: Instruction): BpfMap {
  try {
    return mapOf(caller, imm);
  } catch (error) {
    if (!isKernelError(error, "EBADF", "EINVAL")) throw error;
    throw new ShapeError(
      `fd ${imm} is not pointing to valid bpf_map`,
      error.code as "EBADF" | "EINVAL",
    );
  }
}

/** `bpf_prog_calc_tag`: descriptors of maps do not count. */
function tagOf(bytes: Uint8Array, instructions: readonly Instruction[]): Uint8Array {
  const copy = bytes.slice();
  instructions.forEach(({ opcode, src }, index) => {
    if (opcode !== OPCODE.loadImmediate64 || (src !== PSEUDO.map && src !== PSEUDO.mapValue)) {
      return;
    }
    copy.fill(0, index * INSTRUCTION_SIZE + 4, index * INSTRUCTION_SIZE + 8);
    copy.fill(0, index * INSTRUCTION_SIZE + 12, index * INSTRUCTION_SIZE + 16);
  });
  return createHash("sha1").update(copy).digest().subarray(0, 8);
}

/** The last line of a log (`print_verification_stats`). */
function summary(processed: number): string {
  return `processed ${processed} insns (limit ${MAX_INSTRUCTIONS}) max_states_per_insn 0 ` +
    "total_states 0 peak_states 0 mark_read 0\n";
}

/** What the verifier tells, in the caller's memory (kernel/bpf/log.c). */
class Log {
  readonly #caller: SimulatedProcess;
  readonly #level: number;
  readonly #size: number;
  readonly #buffer: bigint;

  /** @throws {KernelError} EINVAL for a log that cannot be */
  constructor(caller: SimulatedProcess, attr: BpfAttr) {
    this.#caller = caller;
    this.#level = attr.u32(LOG_LEVEL);
    this.#size = attr.u32(LOG_SIZE);
    this.#buffer = attr.u64(LOG_BUFFER);
    const hasBuffer = this.#buffer !== 0n;
    const valid = hasBuffer === (this.#size !== 0) && !(hasBuffer && this.#level === 0) &&
      this.#level <= 0xf && this.#size <= 0x3fff_ffff;
    if (!valid) refuse("EINVAL");
  }

  /**
   * Runs a check, which tells of how many instructions it was, and writes down why it fails.
   *
   * @throws {KernelError}
   */
  during(check: () => number): number {
    try {
      const processed = check();
      this.#write(summary(processed));
      return processed;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#write(`${error.message}\n${summary(error.processed)}`);
      return refuse(error.code);
    }
  }

  #write(text: string): void {
    if (this.#level === 0 || this.#buffer === 0n) return;
    const bytes = new TextEncoder().encode(`${text}\0`);
    const fits = bytes.length <= this.#size;
    const shown = fits ? bytes : bytes.subarray(-this.#size);
    if (!this.#caller.memory.write(this.#buffer, shown)) refuse("EFAULT");
    if (!fits) refuse("ENOSPC");
  }
}
