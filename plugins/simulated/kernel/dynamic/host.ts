import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import type { EventField } from "../event_field.ts";
import type { BtfPrototype } from "./btf.ts";
import type { DynamicEvent } from "./event.ts";

/** A symbol of `/proc/kallsyms`. */
export interface KernelSymbol {
  readonly name: string;
  readonly address: bigint;
  /** Module that owns it; absent for vmlinux. */
  readonly module?: string;
  /**
   * Whether ftrace has a hook in the function (it is in
   * `available_filter_functions`). Without one, as in `notrace` functions and
   * data, kprobe events are refused.
   */
  readonly traceable: boolean;
  /** Whether it is no code. */
  readonly data?: boolean;
  /** Whether it is on the kprobes blacklist (`NOKPROBE_SYMBOL`, `__kprobes`). */
  readonly blacklisted?: boolean;
  /** Whether the function starts with ENDBR64 or what the kernel puts in its place (IBT). */
  readonly endbr?: boolean;
  /**
   * Offsets at which an instruction starts, in bytes. Absent if unknown: then
   * only those that are known without disassembly are taken for starts.
   */
  readonly boundaries?: ReadonlySet<number>;
  /** Offsets at which no probe may sit: jump labels, static calls, alternatives, WARN. */
  readonly reserved?: ReadonlySet<number>;
}

/** A file that a uprobe can be asked for. */
export interface ProbedFile {
  /** Whether it is a regular file. */
  readonly regular: boolean;
  /** Identity of the file, whatever path leads to it. */
  readonly inode: string;
  /** Bytes; absent where it is not known. */
  readonly size?: number;
}

/** A tracepoint of the kernel, which need not have a trace event. */
export interface Tracepoint {
  readonly name: string;
  /**
   * Prototype of its stub, `__probestub_<name>`, without the first parameter
   * (`__data`); absent where BTF does not have it.
   */
  readonly prototype?: BtfPrototype;
  /**
   * Whether ftrace has a hook in the stub. The power and rpm tracepoints have none:
   * their directories are built without.
   */
  readonly traceable: boolean;
}

/** A trace event that is not one of {@link DynamicEvent}: a tracepoint's, a user event. */
export interface KernelEvent {
  readonly system: string;
  readonly name: string;
  /** The event's own fields, without the common ones. */
  readonly fields: readonly EventField[];
  /** Whether it is one of ftrace's own events (system `ftrace`), which cannot be enabled. */
  readonly internal?: boolean;
}

/** Who uses a dynamic event, and so keeps it from going. */
export interface EventUsage {
  /** Enabled in an instance, by a trigger or by an open perf event. */
  readonly enabled: boolean;
  /** Held by something else: a `hist` action that writes the synthetic event, an `enable_event` trigger. */
  readonly referenced: boolean;
}

/** The kernel around {@link DynamicEvents}: what it is made of, and what it does with new events. */
export interface DynamicHost {
  readonly version: "6.12" | "6.1";
  readonly arch: "x86_64" | "aarch64";
  /** CPUs that can ever be there (`num_possible_cpus`). */
  readonly possibleCpus: number;
  /**
   * BTF ids that resolve to an unsigned 8-bit integer; see
   * {@link isCharacterPointer}. Only small ones matter.
   */
  readonly characterTypeIds: ReadonlySet<number>;
  /** `offsetof(struct dentry, d_name.name)`, bytes. */
  readonly dentryNameOffset: number;
  /** `offsetof(struct file, f_path.dentry)`, bytes. */
  readonly fileDentryOffset: number;

  /** Nanoseconds since boot (`local_clock`). */
  now(): bigint;
  /** All symbols with a name, functions and data, vmlinux's first. */
  symbols(name: string): readonly KernelSymbol[];
  /** The symbol that an address is in; the one before it in vmlinux's text, nothing outside. */
  symbolAt(address: bigint): KernelSymbol | undefined;
  /** All functions that ftrace can hook, in the order of its records. */
  traceableFunctions(): Iterable<KernelSymbol>;
  /** Prototype of the first BTF function with a name. */
  prototype(name: string): BtfPrototype | undefined;
  /** Whether a module is loaded. */
  hasModule(name: string): boolean;
  tracepoint(name: string): Tracepoint | undefined;
  /** What a path leads to, links followed, or why not. */
  lookupPath(path: string): ProbedFile | ErrnoCode;
  /** A trace event that is not dynamic. */
  event(system: string, name: string): KernelEvent | undefined;
  /**
   * Checks a filter on `fields` and logs what is wrong with it (`event filter
   * parse error`); the error number, or nothing if it is good.
   */
  checkFilter(fields: readonly EventField[], filter: string): ErrnoCode | undefined;
  /** What `%p` shows for an address: 32 bits of a keyed hash. */
  hashPointer(address: bigint): bigint;

  /** An id for a new event, or nothing if all are taken. */
  allocateEventId(): number | undefined;
  /** Gives back the id of an event that is gone or never came to be. */
  releaseEventId(id: number): void;
  usage(event: DynamicEvent): EventUsage;
  /** An event came to be: its directory is made in every instance. */
  onAdd(event: DynamicEvent): void;
  /** An event went. Instances in which it was ever enabled are to be wiped in {@link onReset}. */
  onRemove(event: DynamicEvent): void;
  /**
   * A delete or a truncating open ended (`tracing_reset_all_online_cpus`).
   *
   * @param wipe whether instances marked since the last call are wiped; if not,
   * an enabled event stood in the way and the marks are dropped
   */
  onReset(wipe: boolean): void;
}
