/**
 * Probes as plain values: what a config declares and a backend carries out.
 * They hold no handles and no behaviour, so they can be compared, stored and printed.
 * @module
 */

/** Where a kprobe or kretprobe sits. */
export interface KernelPlace {
  /** Function name as in `/proc/kallsyms`. */
  readonly symbol: string;
  /** Bytes from the start of the function, 0 to 2^32-1. Always 0 for a kretprobe. */
  readonly offset: number;
  /** Module that owns the symbol; absent for vmlinux or any. */
  readonly module?: string;
}

/** Where a uprobe or uretprobe sits: a file and an offset into it. */
export interface UserPlace {
  /** Absolute path of the executable or library, without white space (see `pathFault`). */
  readonly path: string;
  /** Offset into the file, in bytes (not a virtual address). */
  readonly offset: bigint;
  /** File offset of a USDT semaphore; absent for none. */
  readonly refCounter?: bigint;
}

/** One captured value: `name=fetch` in a probe definition. */
export interface FetchArg {
  /** Event field name, at most 32 characters of `[A-Za-z_][A-Za-z0-9_]*`. */
  readonly name: string;
  /** The kernel's fetch argument with its type, such as `+0($arg2):ustring`; at most 63 characters. */
  readonly fetch: string;
}

/** What every probe has. */
interface ProbeBase {
  /** Key in the config: unique in a file, `[a-z_][a-z0-9_]*`. */
  readonly id: string;
  /** Event group: `sonde_<name>` for probes of ours, the tracepoint's system otherwise. */
  readonly group: string;
  /** Event name inside the group. */
  readonly event: string;
  /** Filter in the kernel's grammar; absent for none. */
  readonly filter?: string;
}

export interface KprobeProbe extends ProbeBase {
  readonly kind: "kprobe";
  readonly place: KernelPlace;
  readonly args: readonly FetchArg[];
}

export interface KretprobeProbe extends ProbeBase {
  readonly kind: "kretprobe";
  readonly place: KernelPlace;
  readonly args: readonly FetchArg[];
  /** Concurrent calls that can be followed, 1 to 4096; absent for the kernel's default. */
  readonly maxActive?: number;
}

export interface UprobeProbe extends ProbeBase {
  readonly kind: "uprobe" | "uretprobe";
  readonly place: UserPlace;
  readonly args: readonly FetchArg[];
}

export interface TracepointProbe extends ProbeBase {
  readonly kind: "tracepoint";
}

/** A user_event seen from the recorder's side. */
export interface UserEventProbe extends ProbeBase {
  readonly kind: "user_event";
  /** Namespace the event belongs to; absent for the root group. */
  readonly namespace?: string;
}

/** One point of instrumentation. */
export type Probe =
  | KprobeProbe
  | KretprobeProbe
  | UprobeProbe
  | TracepointProbe
  | UserEventProbe;

/** A probe that has to be defined in the kernel before it can be enabled. */
export type DefinedProbe = KprobeProbe | KretprobeProbe | UprobeProbe;

/** Whether `probe` needs a definition (`kprobe_events`, `uprobe_events`) of its own. */
export function isDefinedProbe(probe: Probe): probe is DefinedProbe {
  return probe.kind !== "tracepoint" && probe.kind !== "user_event";
}
