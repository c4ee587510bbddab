/**
 * From a config to the probes that it asks for.
 * @module
 */

import { groupOf } from "../names.ts";
import { formatFetchArg, parseFetchArg } from "../probe/fetch_arg.ts";
import { lowerForUprobe } from "../probe/lower.ts";
import type { FetchArg, Probe, UprobeProbe, UserPlace } from "../probe/probe.ts";
import type { Arch } from "../probe/registers.ts";
import { captureText } from "./capture.ts";
import { type Config, type ProbeConfig, probeKind } from "./config.ts";
import type { Path } from "./tree.ts";

/** A place in an executable by symbol or address, which takes the file at hand to find. */
export interface UprobeTarget {
  /** Absolute path of the executable or library. */
  readonly path: string;
  /** A function's name, or an address as the ELF file counts it. */
  readonly at: { readonly symbol: string } | { readonly address: bigint };
  /** File offset of a USDT semaphore; absent for none. */
  readonly refCounter?: bigint;
}

/** A uprobe or uretprobe whose offset into the file is not known yet. */
export interface UnresolvedUprobe extends Omit<UprobeProbe, "place"> {
  readonly target: UprobeTarget;
}

/** One way to carry a declared probe out. */
export type Candidate = Probe | UnresolvedUprobe;

/** A declared probe. */
export interface DesiredProbe {
  /** Key in the config. */
  readonly id: string;
  /** What to do if no candidate has a place on this kernel. */
  readonly onMissing: "error" | "warn" | "skip";
  /** In order of preference, at least one: the first that exists is taken. */
  readonly candidates: readonly Candidate[];
  /** Where the probe stands in the config, for diagnostics. */
  readonly path: Path;
}

/** The enabled probes of a config, in its order, for a machine of `arch`. */
export function desiredProbes(config: Config, arch: Arch): DesiredProbe[] {
  return Object.entries(config.probes).filter(([, probe]) => probe.enabled).map(([id, probe]) => ({
    id,
    onMissing: probe.on_missing ?? config.defaults.on_missing,
    candidates: candidatesOf(config, id, probe, arch),
    path: ["probes", id],
  }));
}

/** Whether the place of `candidate` has to be looked up in its file first. */
export function isUnresolved(candidate: Candidate): candidate is UnresolvedUprobe {
  return "target" in candidate;
}

/** `candidate` at the place that was found for its target. */
export function resolveUprobe(candidate: UnresolvedUprobe, place: UserPlace): UprobeProbe {
  const { target: _, ...probe } = candidate;
  return { ...probe, place };
}

function candidatesOf(config: Config, id: string, probe: ProbeConfig, arch: Arch): Candidate[] {
  const { filter } = probe;
  const base = { id, ...(filter !== undefined && { filter }) };
  const ours = { ...base, group: groupOf(config.metadata.name), event: id };
  const kind = probeKind(probe);
  switch (kind) {
    case "kprobe": {
      const { symbol, offset = 0, module } = probe.kprobe!;
      const rest = { ...ours, kind, args: argsOf(probe) } as const;
      return listOf(symbol).map((name) => ({ ...rest, place: kernelPlace(name, offset, module) }));
    }
    case "kretprobe": {
      const { symbol, max_active: maxActive, module } = probe.kretprobe!;
      const args = argsOf(probe);
      const rest = { ...ours, kind, args, ...(maxActive !== undefined && { maxActive }) } as const;
      return listOf(symbol).map((name) => ({ ...rest, place: kernelPlace(name, 0, module) }));
    }
    case "uprobe":
      return uprobes(probe.uprobe!, { ...ours, kind, args: argsOf(probe, arch) });
    case "uretprobe":
      return uprobes(probe.uretprobe!, { ...ours, kind, args: argsOf(probe) });
    case "tracepoint": {
      const [group, event] = probe.tracepoint!.split("/");
      return [{ ...base, kind, group, event }];
    }
    case "user_event": {
      const reference = probe.user_event!;
      const slash = reference.indexOf("/");
      const event = reference.slice(slash + 1);
      if (slash < 0) return [{ ...base, kind, group: "user_events", event }];
      const namespace = reference.slice(0, slash);
      return [{ ...base, kind, group: `user_events.${namespace}`, event, namespace }];
    }
  }
}

function kernelPlace(symbol: string, offset: number, module: string | undefined) {
  return { symbol, offset, ...(module !== undefined && { module }) };
}

function uprobes(
  place: NonNullable<ProbeConfig["uprobe"]>,
  probe: Omit<UprobeProbe, "place">,
): Candidate[] {
  const { path, symbol, offset, address, ref_counter: refCounter } = place;
  const counted = refCounter === undefined ? {} : { refCounter };
  if (offset !== undefined) return [{ ...probe, place: { path, offset, ...counted } }];
  if (address !== undefined) return [{ ...probe, target: { path, at: { address }, ...counted } }];
  return listOf(symbol ?? []).map((name) => ({
    ...probe,
    target: { path, at: { symbol: name }, ...counted },
  }));
}

/** The captures of a probe. With `arch`, `$argN` becomes a register: a uprobe has no `$argN`. */
function argsOf(probe: ProbeConfig, arch?: Arch): FetchArg[] {
  return Object.entries(probe.capture ?? {}).map(([name, capture]) => {
    const text = captureText(capture)!;
    if (arch === undefined || !text.includes("$arg")) return { name, fetch: text };
    return { name, fetch: formatFetchArg(lowerForUprobe(parseFetchArg(text), arch, text)) };
  });
}

function listOf(symbol: string | readonly string[]): readonly string[] {
  return typeof symbol === "string" ? [symbol] : symbol;
}
