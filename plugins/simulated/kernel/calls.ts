/**
 * Calls of simulated functions: what a processor and a program would do, as far as probes see it.
 * @module
 */

import { toByteString } from "../../../core/filter/bytes.ts";
import type { Hit } from "./dynamic/hit.ts";
import { type PlacedProbe, ProbeEvent } from "./dynamic/event.ts";
import type { Executable, KernelFunction, Parameter, UserFunction } from "./profile.ts";
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
const U64 = 0xffff_ffff_ffff_ffffn;

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
  for (const probe of probesOn(kernel, callee, false)) fire(kernel, probe, frame.atEntry(), task);
  const end = kernel.scheduler.now + call.latency;
  for (const inner of call.calls) performCall(kernel, inner, task);
  if (end > kernel.scheduler.now) kernel.scheduler.spend(end - kernel.scheduler.now);
  for (const probe of probesOn(kernel, callee, true)) fire(kernel, probe, frame.atReturn(), task);
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
  readonly event: ProbeEvent;
  readonly probe: PlacedProbe;
}

/** The probes on the entry, or on the return, of what is called. */
function probesOn(kernel: SimulatedKernel, callee: Callee, isReturn: boolean): PlacedOn[] {
  const found: PlacedOn[] = [];
  for (const event of kernel.tracing.dynamic.events()) {
    if (!(event instanceof ProbeEvent) || event.isReturn !== isReturn) continue;
    for (const probe of event.probes) {
      if (sitsOn(probe, callee)) found.push({ event, probe });
    }
  }
  return found;
}

function sitsOn({ place }: PlacedProbe, { address, executable, userFunction }: Callee): boolean {
  switch (place.kind) {
    case "kprobe":
      return place.address === address;
    case "fprobe":
      return place.addresses.includes(address);
    case "uprobe":
      return userFunction !== undefined && place.path === toByteString(executable!.path) &&
        place.offset === BigInt(userFunction.offset);
    default:
      return false;
  }
}

function fire(kernel: SimulatedKernel, { event, probe }: PlacedOn, hit: Hit, task: Task): void {
  const { tracing } = kernel;
  const traceEvent = tracing.traceEvent(event);
  // A probe that nobody enabled is not armed and counts nothing.
  if (!tracing.isWanted(traceEvent)) return;
  tracing.hits.get(event)!.hits++;
  recordEntry(kernel, traceEvent, probe.encode(hit), task);
}

/** Completes an entry and hands it to the buffers. */
export function recordEntry(
  kernel: SimulatedKernel,
  event: TraceEvent,
  entry: Uint8Array,
  task: Task,
): void {
  putEntryHeader(entry, event, task.tid);
  kernel.tracing.record({ event, entry, cpu: task.cpu, comm: task.comm, tid: task.tid });
}

/** What the registers and the memory hold during one call. */
class Frame {
  readonly #kernel: SimulatedKernel;
  readonly #callee: Callee;
  readonly #task: Task;
  readonly #arguments: readonly bigint[];
  readonly #returnValue: bigint;
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

  atEntry(): Hit {
    const names = ARGUMENT_REGISTERS[this.#kernel.arch] as readonly string[];
    return this.#hit((name) => this.#arguments[names.indexOf(name)] ?? 0n);
  }

  atReturn(): Hit {
    const result = RETURN_REGISTER[this.#kernel.arch];
    const returnAddress = this.#callee.address + 0x1000n;
    return {
      ...this.#hit((name) => name === result ? this.#returnValue : 0n),
      retIp: returnAddress,
    };
  }

  #hit(register: (name: string) => bigint): Hit {
    return {
      ip: this.#callee.address,
      comm: this.#task.comm,
      register,
      argument: (index) => this.#arguments[index] ?? 0n,
      returnValue: this.#returnValue,
      stack: () => 0n,
      readMemory: (address, length, user) => this.#readMemory(address, length, user),
      symbolName: (address) => this.#symbolName(address),
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
