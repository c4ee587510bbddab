/**
 * Links: programs on events, as long as somebody has them open (`link_create`, kernel/bpf/syscall.c).
 * @module
 */
import { attachProgram } from "../perf/program.ts";
import { type PerfFile, perfFileOf } from "../perf/perf_file.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { OpenFile } from "../vfs.ts";
import { ATTACH_TYPE, PROG_TYPE } from "./abi.ts";
import type { BpfAttr } from "./attr.ts";
import { makeMultiLink, MultiLink } from "./kprobe_multi.ts";
import { type Program, programOf } from "./program.ts";
import { refuse } from "./refusal.ts";

/** Offsets of the fields of LINK_CREATE. */
const PROGRAM = 0;
const TARGET = 4;
const ATTACH = 8;
const FLAGS = 12;
const COOKIE = 16;
const END = { "6.1": 48, "6.12": 60 } as const;

/** What a program is attached to. */
export type LinkTarget = PerfFile | MultiLink;

/** The file behind the descriptor of a link. */
export class LinkFile implements OpenFile {
  readonly id: number;
  readonly program: Program;
  readonly target: LinkTarget;
  readonly #kernel: SimulatedKernel;

  constructor(kernel: SimulatedKernel, program: Program, target: LinkTarget) {
    this.#kernel = kernel;
    this.id = kernel.bpf.newLinkId();
    this.program = program;
    this.target = target;
  }

  close(): void {
    if (this.target instanceof MultiLink) {
      this.#kernel.bpf.multiLinks.delete(this.target);
    } else {
      this.#kernel.perf.detachProgram(this.target.event);
      this.target.close();
    }
  }
}

/** LINK_CREATE. @returns a descriptor @throws {KernelError} */
export function createLink(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
): number {
  attr.requireEnd(END[kernel.version]);
  const program = programOf(caller, attr.i32(PROGRAM), "bpf");
  const attachType = attr.u32(ATTACH);
  checkAttachType(kernel.version, program, attachType);
  const target = attachType === ATTACH_TYPE.perfEvent
    ? attachToEvent(kernel, caller, attr, program)
    : attachToMany(kernel, caller, attr, program, attachType);
  const file = new LinkFile(kernel, program, target);
  return caller.install(file, "anon_inode:bpf_link", { access: "read-write" });
}

/** `bpf_prog_attach_check_attach_type`. */
function checkAttachType(version: "6.1" | "6.12", program: Program, attachType: number): void {
  const { type, expectedAttachType } = program.spec;
  if (type === PROG_TYPE.tracepoint || type === PROG_TYPE.perfEvent) {
    if (attachType !== ATTACH_TYPE.perfEvent) refuse("EINVAL");
    return;
  }
  if (type !== PROG_TYPE.kprobe) refuse("EINVAL");
  const { perfEvent, kprobeMulti, kprobeSession, uprobeMulti } = ATTACH_TYPE;
  const many: readonly number[] = version === "6.1"
    ? [kprobeMulti]
    : [kprobeMulti, kprobeSession, uprobeMulti];
  if (
    version === "6.12" && many.includes(expectedAttachType) && attachType !== expectedAttachType
  ) {
    refuse("EINVAL");
  }
  if (attachType !== perfEvent && !many.includes(attachType)) refuse("EINVAL");
}

/** `bpf_perf_link_attach`: the event stays although its descriptor is closed. */
function attachToEvent(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
  program: Program,
): PerfFile {
  if (attr.u32(FLAGS) !== 0) refuse("EINVAL");
  const file = perfFileOf(caller, attr.i32(TARGET), "bpf");
  caller.requireFreeDescriptor("bpf");
  attachProgram(kernel, file.event, program, attr.u64(COOKIE), "bpf");
  return file.hold();
}

function attachToMany(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
  program: Program,
  attachType: number,
): MultiLink {
  // Many uprobes at once are not modelled.
  if (attachType === ATTACH_TYPE.uprobeMulti) refuse("EOPNOTSUPP");
  const link = makeMultiLink(kernel, caller, attr, program);
  caller.requireFreeDescriptor("bpf");
  kernel.bpf.multiLinks.add(link);
  return link;
}

/** LINK_DETACH: links of these kinds are only detached by closing them. */
export function detachLink(caller: SimulatedProcess, attr: BpfAttr): number {
  attr.requireEnd(4);
  const { file } = caller.descriptor(attr.i32(0), "bpf");
  return refuse(file instanceof LinkFile ? "EOPNOTSUPP" : "EINVAL");
}
