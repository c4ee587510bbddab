/**
 * Probes that a perf event makes for itself: the kprobe and uprobe PMUs
 * (`perf_kprobe_init`, `create_local_trace_kprobe` and their likes).
 * @module
 */
import { type Place, PlacedProbe, ProbeEvent } from "../dynamic/event.ts";
import {
  checkSymbol,
  defaultMaxActive,
  isNotrace,
  type KprobeTarget,
  registerKprobe,
} from "../dynamic/kprobe_address.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { readUserString } from "../user_string.ts";
import { REF_COUNTER_SHIFT, RETPROBE_BIT } from "./abi.ts";
import type { PerfAttr } from "./attr.ts";
import type { LocalSource } from "./pmu.ts";
import { refuse } from "./refusal.ts";
import { checkUprobePlace, type UprobePlace } from "../trace/uprobe_place.ts";

/** `KSYM_NAME_LEN` and `PATH_MAX`, the NUL included. */
const MAX_SYMBOL = 512;
const MAX_PATH = 4096;

/** The name of a probe that is on no symbol. */
const NAMELESS = "DUMMY_EVENT";

/**
 * A kprobe of the event's own (`create_local_trace_kprobe`, kernel/trace/trace_kprobe.c).
 *
 * @throws {KernelError} as the kernel refuses it: EFAULT, E2BIG, EADDRNOTAVAIL, ENOENT, EPERM,
 * EINVAL, EILSEQ
 */
export function localKprobe(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: PerfAttr,
): LocalSource {
  const { host } = kernel.tracing.dynamic.registry;
  const isReturn = (attr.config >> RETPROBE_BIT & 1n) === 1n;
  const symbol = attr.config1 === 0n ? "" : readName(caller, attr.config1, MAX_SYMBOL);
  const unusable = symbol === "" ? undefined : checkSymbol(host, symbol);
  if (unusable !== undefined) refuse(unusable);
  // The kernel keeps offsets of kprobes in 32 bits.
  const target: KprobeTarget = symbol === ""
    ? { address: attr.config2 }
    : { symbol, offset: BigInt.asUintN(32, attr.config2) };
  if (kernel.lockdown === "confidentiality") refuse("EPERM");
  if (isNotrace(host, target)) refuse("EINVAL");
  const address = registerKprobe(host, target, isReturn);
  if (typeof address === "string") refuse(address);
  return localSource(kernel, isReturn, symbol || NAMELESS, {
    kind: "kprobe",
    symbol: symbol || undefined,
    offset: target.symbol === undefined ? 0n : target.offset,
    address,
    maxActive: isReturn ? defaultMaxActive(host.possibleCpus) : 0,
  });
}

/**
 * A uprobe of the event's own (`create_local_trace_uprobe`, kernel/trace/trace_uprobe.c). Whether
 * an instruction can be probed is not known here: ENOTSUPP is never the answer.
 *
 * @throws {KernelError} as the kernel refuses it: EINVAL, EFAULT, E2BIG, EIO, what looking the
 * path up fails with
 */
export function localUprobe(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: PerfAttr,
): LocalSource {
  if (attr.config1 === 0n) refuse("EINVAL");
  const path = readName(caller, attr.config1, MAX_PATH);
  if (path === "") refuse("EINVAL");
  const file = kernel.tracing.dynamic.registry.host.lookupPath(path);
  if (typeof file === "string") refuse(file);
  if (!file.regular) refuse("EINVAL");
  const place = {
    kind: "uprobe",
    path,
    inode: file.inode,
    offset: attr.config2,
    refCounter: attr.config >> REF_COUNTER_SHIFT,
  } as const;
  checkUprobe(kernel, place);
  const isReturn = (attr.config >> RETPROBE_BIT & 1n) === 1n;
  return localSource(kernel, isReturn, NAMELESS, place);
}

/** The checks of `uprobe_register` (kernel/events/uprobes.c). */
function checkUprobe(kernel: SimulatedKernel, place: UprobePlace): void {
  checkUprobePlace(kernel, place);
  for (const { probe } of kernel.perf.localProbes) {
    const other = probe.probes[0].place;
    const samePlace = other.kind === "uprobe" && other.inode === place.inode &&
      other.offset === place.offset;
    // What sits in one place has one counter.
    if (samePlace && other.refCounter !== place.refCounter) refuse("EINVAL");
  }
}

function readName(caller: SimulatedProcess, address: bigint, limit: number): string {
  const name = readUserString(caller.memory, address, limit);
  if (name === "fault") refuse("EFAULT");
  if (name === "too long") refuse("E2BIG");
  return name.text;
}

function localSource(
  kernel: SimulatedKernel,
  isReturn: boolean,
  name: string,
  place: Place & { readonly kind: "kprobe" | "uprobe" },
): LocalSource {
  const probe = new ProbeEvent({
    kind: place.kind,
    group: `${place.kind}s`,
    name,
    id: 0,
    isReturn,
    arch: kernel.arch,
    arguments: [],
  });
  probe.addProbe(new PlacedProbe(probe, place, []));
  return {
    pmu: place.kind,
    probe,
    // Its own fields are never declared, so that a filter can name the common ones only.
    traceEvent: {
      system: probe.group,
      name,
      id: 0,
      fields: [],
      printFmt: probe.printFmt,
      kind: place.kind,
    },
  };
}
