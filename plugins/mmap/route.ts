/**
 * How each probe is carried out: by a PMU, with its arguments from registers, or as an event of
 * tracefs, by its id.
 * @module
 */

import type { Machine } from "../../core/kernel/port.ts";
import { type FetchExpression, fieldType, parseFetchArg } from "../../core/probe/fetch_arg.ts";
import { type DefinedProbe, isDefinedProbe, type Probe } from "../../core/probe/probe.ts";
import { type Arch, archOf, argumentRegister } from "../../core/probe/registers.ts";
import type { ProbePmu } from "./pmu.ts";

/** A captured value that is in a register when the probe is hit. */
export interface RegisterCapture {
  readonly name: string;
  /** Bit of `sample_regs_intr`. */
  readonly register: number;
  /** Bytes of the field: 1, 2, 4 or 8. */
  readonly size: number;
  readonly signed: boolean;
  readonly hex: boolean;
}

/** How a probe is carried out, and why. */
export type Route =
  | {
    readonly via: "pmu";
    readonly pmu: ProbePmu;
    readonly probe: DefinedProbe;
    readonly captures: readonly RegisterCapture[];
  }
  | { readonly via: "event"; readonly reason: string };

/** What this kernel has of PMUs. */
export interface Pmus {
  readonly kprobe: ProbePmu | undefined;
  readonly uprobe: ProbePmu | undefined;
}

/** Registers of a sample by bit (arch/x86/include/uapi/asm/perf_regs.h; arm64 alike). */
const REGISTERS: Record<Arch, readonly string[]> = {
  "x86-64": "ax bx cx dx si di bp sp ip flags cs ss - - - - r8 r9 r10 r11 r12 r13 r14 r15".split(
    " ",
  ),
  arm64: [...Array.from({ length: 30 }, (_, n) => `x${n}`), "lr", "sp", "pc"],
};

const RETURN_REGISTER: Record<Arch, string> = { "x86-64": "ax", arm64: "x0" };

/** Chooses how a probe is carried out. */
export function chooseRoute(probe: Probe, machine: Machine, pmus: Pmus): Route {
  if (!isDefinedProbe(probe)) return { via: "event", reason: "by its id" };
  const name = "path" in probe.place ? "uprobe" : "kprobe";
  const pmu = pmus[name];
  const needs = (reason: string): Route => ({
    via: "event",
    reason: `defined by tracefs: ${reason}`,
  });
  if (pmu === undefined) return needs(`this kernel has no ${name} PMU`);
  // The kernel filters tracepoints and defined events only (kernel/events/core.c).
  if (probe.filter !== undefined) return needs("the PMU has no filters");
  if (probe.kind === "kretprobe" && probe.maxActive !== undefined) {
    return needs("the PMU has no max_active");
  }
  if ("path" in probe.place && probe.place.refCounter && pmu.refCounterShift === undefined) {
    return needs("the PMU of this kernel has no semaphores");
  }
  const arch = archOf(machine.arch);
  if (arch === undefined) return needs(`registers of "${machine.arch}" are not known`);
  const captures: RegisterCapture[] = [];
  for (const { name, fetch } of probe.args) {
    const capture = registerCapture(name, parseFetchArg(fetch), arch);
    if (capture === undefined) return needs(`"${name}" is no integer of a register`);
    captures.push(capture);
  }
  return { via: "pmu", pmu, probe, captures };
}

function registerCapture(
  name: string,
  expression: FetchExpression,
  arch: Arch,
): RegisterCapture | undefined {
  const type = fieldType(expression);
  if (type.kind !== "integer" || type.count !== undefined) return undefined;
  if (type.shown !== "decimal" && type.shown !== "hex") return undefined;
  const register = REGISTERS[arch].indexOf(registerOf(expression, arch) ?? "");
  if (register < 0) return undefined;
  return { name, register, size: type.bits / 8, signed: type.signed, hex: type.shown === "hex" };
}

function registerOf({ fetch }: FetchExpression, arch: Arch): string | undefined {
  switch (fetch.kind) {
    case "argument":
      return argumentRegister(fetch.index, arch);
    case "retval":
      return fetch.members.length === 0 ? RETURN_REGISTER[arch] : undefined;
    case "register":
      return arch === "arm64" && fetch.name === "x30" ? "lr" : fetch.name;
    default:
      return undefined;
  }
}
