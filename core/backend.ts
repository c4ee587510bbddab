/**
 * The one interface that backends implement: how probes are carried out on a kernel.
 *
 * A backend says what it would do ({@link Backend.operations}), does it step by step
 * ({@link Backend.perform}), takes it back ({@link Backend.undo}) and reads what is there
 * ({@link Backend.inventory}). Planning, the ledger, roll-back and decoding are core's.
 * @module
 */

import type { Kernel } from "./kernel/port.ts";
import type { Installed, Operation, Step } from "./operation.ts";
import type { Probe } from "./probe/probe.ts";

/** One thing that a kernel can do for tracing, or cannot. */
export interface Facility {
  /** Such as `kprobes`, `uprobes`, `tracepoints`, `user_events`, `ffi`. */
  readonly name: string;
  readonly available: boolean;
  /** What was found, or why it is missing. */
  readonly detail: string;
  /** What would help; only for what is missing. */
  readonly remedy?: string;
}

/** What a kernel can do. */
export interface Facilities {
  /** Whether this backend can work here at all. */
  readonly usable: boolean;
  readonly list: readonly Facility[];
}

/** Why a probe cannot be placed on this kernel. */
export interface Unplaceable {
  readonly reason: string;
  readonly hint?: string;
  /** Whether the kernel lacks probes of this kind altogether. */
  readonly lacksFeature?: boolean;
}

/** What a config asks of a backend: the probes of one trace. */
export interface TraceRequest {
  /** Name of the trace (`metadata.name`). */
  readonly name: string;
  readonly probes: readonly Probe[];
  /** Ring buffer of each CPU in KiB; absent for the backend's default. */
  readonly bufferKiB?: number;
}

/** State of one event of a trace, read from the kernel. */
export interface ProbeState {
  /** `group/event`. */
  readonly event: string;
  /** Whether it is enabled in the trace's instance; an event that exists only is not active. */
  readonly active: boolean;
  /** The definition as the kernel lists it; absent for a tracepoint. */
  readonly definition?: string;
  readonly filter?: string;
  /** Times it fired and times it was missed; absent where the kernel does not count. */
  readonly hits?: bigint;
  readonly missed?: bigint;
}

/** The kernel's answer to a refused operation. */
export class OperationError extends Error {
  readonly operation: Operation;
  /** The kernel's own words, where it gave any (`error_log`, the filter file). */
  readonly reason: string | undefined;
  /** Where in the text that the kernel was given, in characters from its start. */
  readonly position: number | undefined;
  readonly hint: string | undefined;
  /** errno by name, such as `EINVAL`. */
  readonly code: string;

  constructor(operation: Operation, cause: { code: string; message: string }, said: {
    readonly reason?: string;
    readonly position?: number;
    readonly hint?: string;
  } = {}) {
    super(said.reason ?? cause.message, { cause });
    this.name = "OperationError";
    this.operation = operation;
    this.code = cause.code;
    this.reason = said.reason;
    this.position = said.position;
    this.hint = said.hint;
  }
}

/** Event whose records a capture delivers. */
export interface CapturedEvent {
  readonly probe: string;
  /** `group/event`. */
  readonly event: string;
  /** The kernel's `format` file. */
  readonly format: string;
}

/** A piece of a ring buffer as the kernel handed it out. */
export interface RawPage {
  readonly cpu: number;
  /** One sub-buffer; valid until the next read. */
  readonly bytes: Uint8Array;
}

/** What a buffer counted since the capture began. */
export interface BufferCounts {
  readonly cpu: number;
  /** Entries overwritten or dropped before they were read. */
  readonly lost: number;
}

/** Open ring buffers. */
export interface Capture {
  readonly events: readonly CapturedEvent[];
  /** Looks for events that programs have registered meanwhile; they are recorded from then on. */
  discover(): CapturedEvent[];
  /** The kernel's `events/header_page` file: the layout of a sub-buffer. */
  readonly headerPage: string;
  /** Clock of the time stamps, such as `mono`. */
  readonly clock: string;
  /** Hands every page that is there to `take`; the number of pages. Never waits. */
  read(take: (page: RawPage) => void): number;
  /** Waits until there may be something to read, or `milliseconds` have passed. */
  wait(milliseconds: number): Promise<void>;
  /** Losses of each CPU so far, as the kernel counts them. */
  counts(): BufferCounts[];
  /** Path of the kernel's `saved_cmdlines`, where it has one. */
  readonly savedCommands?: string;
  /** Whether no further event can come; a simulated load that is over. */
  readonly finished: boolean;
  close(): void;
}

/** Whether an operation is in effect: `different` if something else is in its place. */
export type OperationState = "done" | "missing" | "different";

/** Carries probes out on one kernel. */
export interface Backend {
  readonly name: string;
  /** The kernel it works on; lock and ledger are kept there too. */
  readonly kernel: Kernel;
  /** What this kernel can do, and why not what it cannot. Changes nothing. */
  inspect(): Promise<Facilities>;
  /** Whether this kernel has the place a probe is to sit on; undefined if so. */
  locate(probe: Probe): Promise<Unplaceable | undefined>;
  /** Names of the functions, or `system/event` of the tracepoints, that can be probed here. */
  places(kind: "functions" | "tracepoints"): Promise<string[]>;
  /** Everything of ours and of others that is installed now, read from the kernel. */
  inventory(): Promise<Installed[]>;
  /** How this backend would carry a trace out, in the order of doing. */
  operations(request: TraceRequest): Operation[];
  /** For each operation, whether it is in effect already. */
  check(operations: readonly Operation[]): Promise<OperationState[]>;
  /**
   * Carries operations out in order; may batch what goes to one file.
   * @throws {OperationError} naming the operation that failed; those before it stay done.
   */
  perform(operations: readonly Operation[]): Promise<void>;
  /**
   * Takes a step back. What is gone already is no error.
   * @throws {KernelError} EBUSY where somebody else uses it.
   */
  undo(step: Step): Promise<void>;
  /**
   * State of each event of trace `name`, from the kernel: of those that it finds, and of those of
   * `expected` (`group/event`) that the kernel has.
   */
  status(name: string, expected?: readonly string[]): Promise<ProbeState[]>;
  /** Opens the buffers of a trace that is installed. */
  capture(request: TraceRequest): Promise<Capture>;
  close(): Promise<void>;
}
