import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import type { EventField } from "../event_field.ts";
import type { BtfPrototype, BtfType } from "./btf.ts";
import type { FetchProgram, FetchStep } from "./fetch_program.ts";
import type { DynamicHost } from "./host.ts";
import type { ProbeErrorCode } from "./probe_errors.ts";
import type { ProbeLog } from "./probe_log.ts";

/**
 * Where a probe sits, which decides what it can fetch (`TPARG_FL_*`): at the
 * entry of a function, at its return, elsewhere in kernel code, in user code, or
 * on another event. A kernel address without a symbol is always `inside`.
 */
export type ProbeSite = "entry" | "return" | "inside" | "user" | "user_return" | "event";

/** What a {@link ParseContext} is made from. */
export interface ParseContextOptions {
  readonly host: DynamicHost;
  readonly log: ProbeLog;
  readonly site: ProbeSite;
  /** Whether the probe is an fprobe or a tracepoint probe, which have no registers. */
  readonly hooked?: boolean;
  /** Whether the probe is a tracepoint probe. */
  readonly tracepoint?: boolean;
  /** The function whose prototype BTF is asked for. */
  readonly functionName?: string;
  /** Prototype of a tracepoint's stub, without `__data`; goes before `functionName`. */
  readonly stub?: BtfPrototype;
  /** The fields of the event that an event probe is attached to. */
  readonly eventFields?: readonly EventField[];
}

/** State of parsing the arguments of one probe (`struct traceprobe_parse_context`). */
export class ParseContext {
  readonly host: DynamicHost;
  readonly log: ProbeLog;
  readonly site: ProbeSite;
  readonly hooked: boolean;
  readonly tracepoint: boolean;
  readonly functionName: string | undefined;
  readonly eventFields: readonly EventField[];
  /** Characters from the start of the argument to what is being parsed. */
  offset = 0;
  /** Type of the BTF variable or member that was parsed last. */
  lastType: BtfType | undefined;
  /** Bits from the byte that the member starts in. */
  lastBitOffset = 0;
  /** Bits of a bitfield member, 0 for others. */
  lastBitSize = 0;
  readonly #stub: BtfPrototype | undefined;
  #prototype: BtfPrototype | undefined;

  constructor(options: ParseContextOptions) {
    this.host = options.host;
    this.log = options.log;
    this.site = options.site;
    this.hooked = options.hooked ?? false;
    this.tracepoint = options.tracepoint ?? false;
    this.functionName = options.functionName;
    this.eventFields = options.eventFields ?? [];
    this.#stub = options.stub;
  }

  /** Whether this is Linux 6.1, whose parser differs throughout. */
  get old(): boolean {
    return this.host.version === "6.1";
  }

  get user(): boolean {
    return this.site === "user" || this.site === "user_return";
  }

  get isReturn(): boolean {
    return this.site === "return" || this.site === "user_return";
  }

  /** Whether the prototype has been asked for and found. */
  get hasPrototype(): boolean {
    return this.#prototype !== undefined;
  }

  /** The function's prototype, or nothing where BTF has none (`query_btf_context`). */
  prototype(): BtfPrototype | undefined {
    this.#prototype ??= this.#query();
    return this.#prototype;
  }

  /** Logs `code` at `shift` characters behind the current place, and fails the command. */
  fail(code: ProbeErrorCode, errno: ErrnoCode = "EINVAL", shift = 0): never {
    this.log.fail(this.offset + shift, code, errno);
  }

  /** Adds a step to `program`, or fails the command if it has no room. */
  emit(program: FetchProgram, step: FetchStep, errno: ErrnoCode = "EINVAL"): void {
    if (!program.add(step)) this.fail("TOO_MANY_OPS", errno);
  }

  #query(): BtfPrototype | undefined {
    if (this.#stub !== undefined) return this.#stub;
    if (this.functionName === undefined) return undefined;
    const prototype = this.host.prototype(this.functionName);
    // The kernel drops a first parameter even if the function is no tracepoint's stub.
    return prototype !== undefined && this.tracepoint
      ? { ...prototype, params: prototype.params.slice(1) }
      : prototype;
  }
}
