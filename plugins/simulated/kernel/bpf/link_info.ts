/**
 * What links tell of themselves: 6.1 tells of none but its program, later ones what they are on
 * (`bpf_perf_link_fill_link_info`, kernel/bpf/syscall.c; `bpf_kprobe_multi_link_fill_link_info`,
 * kernel/trace/bpf_trace.c).
 * @module
 */
import { type Place, ProbeEvent } from "../dynamic/event.ts";
import type { PerfEvent } from "../perf/event.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { TraceEvent } from "../trace/event.ts";
import { LINK_TYPE } from "./abi.ts";
import type { InfoBuffer } from "./info.ts";
import { MultiLink } from "./kprobe_multi.ts";
import type { LinkFile } from "./link.ts";
import { refuse } from "./refusal.ts";

/** What a program is on (`enum bpf_perf_event_type`). */
const PERF_EVENT_TYPE = {
  uprobe: 1,
  uretprobe: 2,
  kprobe: 3,
  kretprobe: 4,
  tracepoint: 5,
} as const;

/** Fills in what a link is, and what it is on. @throws {KernelError} EINVAL, EFAULT, ENOSPC */
export function fillLinkInfo(kernel: SimulatedKernel, info: InfoBuffer, link: LinkFile): void {
  const { target } = link;
  const isMulti = target instanceof MultiLink;
  info.u32(0, isMulti ? LINK_TYPE.kprobeMulti : LINK_TYPE.perfEvent);
  info.u32(4, link.id);
  info.u32(8, link.program.id);
  if (isMulti) fillMulti(info, target);
  else if (kernel.version === "6.12") fillPerfEvent(kernel, info, target.event);
}

function fillMulti(info: InfoBuffer, { functions, flags }: MultiLink): void {
  const addresses = info.view.getBigUint64(16, true);
  const room = info.view.getUint32(24, true);
  const cookies = info.view.getBigUint64(40, true);
  if ((addresses === 0n) !== (room === 0) || (cookies !== 0n && room === 0)) refuse("EINVAL");
  info.u32(24, functions.size);
  info.u32(28, flags);
  info.u64(32, 0n);
  if (addresses === 0n) return;
  const words = (list: Iterable<bigint>) =>
    new Uint8Array(BigUint64Array.from([...list].slice(0, room)).buffer);
  if (cookies !== 0n) info.write(cookies, words(functions.values()));
  info.write(addresses, words(functions.keys()));
  if (room < functions.size) refuse("ENOSPC");
}

function fillPerfEvent(kernel: SimulatedKernel, info: InfoBuffer, event: PerfEvent): void {
  const { source } = event;
  if (source.pmu === "software") return;
  const probe = source.pmu === "tracepoint" ? probeOf(kernel, source.traceEvent) : source.probe;
  const cookie = event.program?.cookie ?? 0n;
  if (probe === undefined) {
    info.u32(16, PERF_EVENT_TYPE.tracepoint);
    fillName(info, source.traceEvent.name);
    info.u64(40, cookie);
    return;
  }
  const { place } = probe.probes[0];
  if (place.kind === "kprobe") fillKprobe(info, place, probe.isReturn, cookie);
  else if (place.kind === "uprobe") fillUprobe(info, place, probe.isReturn, cookie);
}

/** The probe event that a definition made. */
function probeOf({ tracing }: SimulatedKernel, traceEvent: TraceEvent): ProbeEvent | undefined {
  for (const event of tracing.dynamic.events()) {
    if (event instanceof ProbeEvent && tracing.traceEvent(event) === traceEvent) return event;
  }
  return undefined;
}

function fillKprobe(
  info: InfoBuffer,
  place: Extract<Place, { kind: "kprobe" }>,
  isReturn: boolean,
  cookie: bigint,
): void {
  info.u32(16, isReturn ? PERF_EVENT_TYPE.kretprobe : PERF_EVENT_TYPE.kprobe);
  fillName(info, place.symbol ?? "");
  info.u32(36, Number(place.offset));
  info.u64(40, place.address ?? 0n);
  info.u64(48, 0n);
  info.u64(56, cookie);
}

function fillUprobe(
  info: InfoBuffer,
  place: Extract<Place, { kind: "uprobe" }>,
  isReturn: boolean,
  cookie: bigint,
): void {
  info.u32(16, isReturn ? PERF_EVENT_TYPE.uretprobe : PERF_EVENT_TYPE.uprobe);
  fillName(info, place.path);
  info.u32(36, Number(BigInt.asUintN(32, place.offset)));
  info.u64(40, cookie);
}

/** A name where the caller wants it, cut if there is too little room, and its length. */
function fillName(info: InfoBuffer, name: string): void {
  const address = info.view.getBigUint64(24, true);
  const room = info.view.getUint32(32, true);
  if ((address === 0n) !== (room === 0)) refuse("EINVAL");
  info.u32(32, name.length + 1);
  if (address === 0n) return;
  const bytes = Uint8Array.from(`${name.slice(0, room - 1)}\0`, (c) => c.charCodeAt(0));
  info.write(address, bytes);
  if (room < name.length + 1) refuse("ENOSPC");
}
