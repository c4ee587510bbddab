/**
 * Calls of simulated functions: what a processor and a program would do, as far as probes see it.
 * @module
 */

import { toByteString } from "../../../core/filter/bytes.ts";
import type { Hit } from "./dynamic/hit.ts";
import { type PlacedProbe, ProbeEvent } from "./dynamic/event.ts";
import type { Executable, KernelFunction, Parameter, UserFunction } from "./profile.ts";
import { type Occurrence, passing } from "./perf/occurrence.ts";
import { INSTRUCTION_POINTER } from "./perf/registers.ts";
import type { SimulatedKernel } from "./simulated_kernel.ts";
import { putEntryHeader, type TraceEvent } from "./trace/event.ts";

/** The thread that does something. */
export interface Task {
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly cpu: number;
}

/** A value as a config gives it. */
export type CallValue = number | bigint | string | boolean | null;

/** One call of a function. */
export interface FunctionCall {
  readonly function: string;
  /** Path of the executable that has the function; absent for the kernel. */
  readonly executable?: string;
  readonly args: readonly CallValue[];
  readonly returns?: CallValue;
  /** Nanoseconds from call to return. */
  readonly latency: bigint;
  /** Calls that it makes before it returns. */
  readonly calls: readonly FunctionCall[];
}

/** Registers that carry arguments, in order (the calling conventions of the kernel and of C). */
const ARGUMENT_REGISTERS = {
  x86_64: ["di", "si", "dx", "cx", "r8", "r9"],
  aarch64: ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
} as const;

const RETURN_REGISTER = { x86_64: "ax", aarch64: "x0" } as const;

/** Where strings that are handed over lie, and where executables are mapped. */
const USER_DATA = 0x7ffc_0000_0000n;
const KERNEL_DATA = 0xffff_8880_0000_0000n;
const USER_TEXT = 0x5555_5555_4000n;
/** Bytes of ENDBR64, behind which a kprobe on the start of a function sits. */
const ENDBR_SIZE = 4n;
/** On x86 a probe sees the instruction pointer behind the first byte of what it took the place of. */
const BREAKPOINT_SIZE = { x86_64: 1n, aarch64: 0n } as const;
const U64 = 0xffff_ffff_ffff_ffffn;

/** Registers that say where a processor is and how it runs, in the kernel and in a program. */
const KERNEL_STATE: Readonly<Record<string, bigint>> = {
  sp: 0xffff_c900_0000_3e58n,
  cs: 0x10n,
  ss: 0x18n,
  flags: 0x246n,
};
const USER_STATE: Readonly<Record<string, bigint>> = {
  sp: 0x7ffc_0000_f000n,
  cs: 0x33n,
  ss: 0x2bn,
  flags: 0x246n,
};

const encoder = new TextEncoder();

/** What is called: its code and its prototype. */
interface Callee {
  readonly address: bigint;
  readonly parameters: readonly Parameter[];
  readonly executable?: Executable;
  readonly userFunction?: UserFunction;
  readonly kernelFunction?: KernelFunction;
}

/** Carries a call out: entry probes, what it calls itself, return probes. */
export function performCall(kernel: SimulatedKernel, call: FunctionCall, task: Task): void {
  const callee = findCallee(kernel, call);
  if (callee === undefined) return;
  const frame = new Frame(kernel, callee, call, task);
  // Links follow functions of the kernel only.
  const links = callee.executable === undefined ? kernel.bpf.multiLinks : [];
  for (const placed of probesOn(kernel, callee, false)) fire(kernel, placed, frame, task);
  for (const link of links) link.enter(callee.address, frame.occurrence(frame.hit()));
  const end = kernel.scheduler.now + call.latency;
  for (const inner of call.calls) performCall(kernel, inner, task);
  if (end > kernel.scheduler.now) kernel.scheduler.spend(end - kernel.scheduler.now);
  frame.returns();
  for (const placed of probesOn(kernel, callee, true)) fire(kernel, placed, frame, task);
  for (const link of links) link.leave(callee.address, frame.occurrence(frame.hit()));
}

function findCallee(kernel: SimulatedKernel, call: FunctionCall): Callee | undefined {
  const { profile } = kernel;
  if (call.executable === undefined) {
    const [kernelFunction] = profile.functionsNamed(call.function);
    return kernelFunction && {
      address: kernelFunction.address,
      parameters: kernelFunction.parameters,
      kernelFunction,
    };
  }
  const executable = profile.executable(call.executable);
  const userFunction = executable?.functions.find(({ name }) => name === call.function);
  return executable && userFunction && {
    address: USER_TEXT + BigInt(userFunction.offset),
    parameters: userFunction.parameters,
    executable,
    userFunction,
  };
}

interface PlacedOn {
  readonly event: TraceEvent;
  readonly probe: PlacedProbe;
  /** Where its hits are counted; absent for a probe that a perf event has for itself. */
  readonly hits?: { hits: bigint };
}

/** The probes on the entry, or on the return, of what is called. */
function probesOn(kernel: SimulatedKernel, callee: Callee, isReturn: boolean): PlacedOn[] {
  const { tracing, perf } = kernel;
  const found: PlacedOn[] = [];
  for (const event of tracing.dynamic.events()) {
    if (!(event instanceof ProbeEvent) || event.isReturn !== isReturn) continue;
    for (const probe of event.probes) {
      if (!sitsOn(probe, callee)) continue;
      found.push({ event: tracing.traceEvent(event), probe, hits: tracing.hits.get(event) });
    }
  }
  for (const { traceEvent, probe } of perf.localProbes) {
    const [placed] = probe.probes;
    if (probe.isReturn === isReturn && sitsOn(placed, callee)) {
      found.push({ event: traceEvent, probe: placed });
    }
  }
  // The newest comes first (kernel/kprobes.c, `add_new_kprobe`; kernel/events/uprobes.c). It is so
  // the first to follow the return of a function of the kernel, and the last to see it.
  const newestFirst = !isReturn || callee.executable !== undefined;
  return found.sort(({ probe: a }, { probe: b }) =>
    newestFirst ? b.serial - a.serial : a.serial - b.serial
  );
}

function sitsOn({ place }: PlacedProbe, callee: Callee): boolean {
  const { address, executable, userFunction, kernelFunction } = callee;
  switch (place.kind) {
    case "kprobe":
      return place.address === address ||
        (kernelFunction?.endbr === true && place.address === address + ENDBR_SIZE);
    case "fprobe":
      return place.addresses.includes(address);
    case "uprobe":
      return userFunction !== undefined && place.path === toByteString(executable!.path) &&
        place.offset === BigInt(userFunction.offset);
    default:
      return false;
  }
}

function fire(
  kernel: SimulatedKernel,
  { event, probe, hits }: PlacedOn,
  frame: Frame,
  task: Task,
): void {
  // A probe that nobody enabled is not armed and counts nothing.
  if (!kernel.tracing.isWanted(event)) return;
  if (hits !== undefined) hits.hits++;
  const hit = frame.hit(probe);
  recordEntry(kernel, event, probe.encode(hit), task, frame.occurrence(hit));
}

/** Completes an entry and hands it to the buffers and to perf. */
export function recordEntry(
  kernel: SimulatedKernel,
  event: TraceEvent,
  entry: Uint8Array,
  task: Task,
  occurrence: Occurrence = passing(task),
): void {
  putEntryHeader(entry, event, task.tid);
  kernel.tracing.record({ event, entry, cpu: task.cpu, comm: task.comm, tid: task.tid });
  kernel.perf.record(event, entry, occurrence);
}

/** What the registers and the memory hold during one call. */
class Frame {
  readonly #kernel: SimulatedKernel;
  readonly #callee: Callee;
  readonly #task: Task;
  readonly #arguments: readonly bigint[];
  readonly #returnValue: bigint;
  #returning = false;
  /** Strings that were handed over, by their address. */
  readonly #strings = new Map<bigint, { readonly bytes: Uint8Array; readonly user: boolean }>();

  constructor(kernel: SimulatedKernel, callee: Callee, call: FunctionCall, task: Task) {
    this.#kernel = kernel;
    this.#callee = callee;
    this.#task = task;
    this.#arguments = call.args.map((value, index) =>
      this.#toWord(value, callee.parameters[index]?.type)
    );
    this.#returnValue = this.#toWord(call.returns ?? 0, undefined);
  }

  /** A value as a register holds it; a string as its address. */
  #toWord(value: CallValue, type: string | undefined): bigint {
    if (value === null) return 0n;
    if (typeof value === "string") {
      const user = type !== "string" || this.#callee.executable !== undefined;
      const base = user ? USER_DATA : KERNEL_DATA;
      const address = base + BigInt(this.#strings.size) * 0x10000n;
      this.#strings.set(address, { bytes: encoder.encode(`${value}\0`), user });
      return address;
    }
    return BigInt(value) & U64;
  }

  /** The function is about to return: what follows is seen by return probes. */
  returns(): void {
    this.#returning = true;
  }

  /** What a probe on the function sees now, or whoever else is there. */
  hit(probe?: PlacedProbe): Hit {
    const ip = probe?.place.kind === "kprobe" ? probe.place.address! : this.#callee.address;
    const returnAddress = this.#callee.address + 0x1000n;
    return {
      ip,
      ...(this.#returning && { retIp: returnAddress }),
      comm: this.#task.comm,
      register: this.#registers(this.#returning ? returnAddress : this.#behind(ip)),
      argument: (index) => this.#arguments[index] ?? 0n,
      returnValue: this.#returnValue,
      stack: () => 0n,
      readMemory: (address, length, user) => this.#readMemory(address, length, user),
      symbolName: (address) => this.#symbolName(address),
    };
  }

  /** The same, as perf and programs see it. */
  occurrence({ register, readMemory }: Hit): Occurrence {
    return {
      task: this.#task,
      user: this.#callee.executable !== undefined,
      functionAddress: this.#callee.address,
      register,
      readMemory,
    };
  }

  /** Where the processor is when a probe at `ip` is hit. */
  #behind(ip: bigint): bigint {
    return this.#callee.executable === undefined ? ip + BREAKPOINT_SIZE[this.#kernel.arch] : ip;
  }

  #registers(instruction: bigint): (name: string) => bigint {
    const { arch } = this.#kernel;
    const names = ARGUMENT_REGISTERS[arch] as readonly string[];
    const state = this.#callee.executable === undefined ? KERNEL_STATE : USER_STATE;
    return (name) => {
      if (name === INSTRUCTION_POINTER[arch]) return instruction;
      if (this.#returning && name === RETURN_REGISTER[arch]) return this.#returnValue;
      const index = this.#returning ? -1 : names.indexOf(name);
      return (index < 0 ? state[name] : this.#arguments[index]) ?? 0n;
    };
  }

  /** Strings lie alone in zeroed pages: reading past their end finds zeros. */
  #readMemory(address: bigint, length: number, user: boolean): Uint8Array | null {
    for (const [start, string] of this.#strings) {
      if (address < start || address >= start + 0x10000n) continue;
      if (string.user !== user) return null;
      const bytes = new Uint8Array(length);
      const from = Number(address - start);
      bytes.set(string.bytes.subarray(from, from + length));
      return bytes;
    }
    return null;
  }

  #symbolName(address: bigint): string {
    const found = this.#kernel.profile.functionAt(address);
    if (found === undefined) return `0x${address.toString(16)}`;
    return `${found.name}+0x${(address - found.address).toString(16)}/0x${found.size.toString(16)}`;
  }
}
