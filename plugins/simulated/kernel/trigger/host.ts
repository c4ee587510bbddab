/**
 * What triggers need of the kernel around them.
 * @module
 */

import type { AddressRange } from "../../../../core/filter/ast.ts";
import type { FilterContext } from "../../../../core/filter/compile.ts";
import type { FilterField, FilterVersion } from "../../../../core/filter/field.ts";
import type { EventTriggers } from "./event_triggers.ts";
import type { TriggerState } from "./state.ts";

/** An event as one instance sees it. */
export interface TriggerEvent {
  readonly system: string;
  readonly name: string;
  /** The event's own fields. */
  readonly fields: readonly FilterField[];
  readonly triggers: EventTriggers;
  /** Set if this is a synthetic event. */
  readonly synthetic?: SyntheticTarget;
}

/** A field of a synthetic event (`struct synth_field`). */
export interface SyntheticTargetField {
  readonly type: string;
  readonly size: number;
  readonly signed: boolean;
  readonly isString: boolean;
  readonly isStack: boolean;
  readonly isDynamic: boolean;
}

/** A synthetic event that actions write to. */
export interface SyntheticTarget {
  readonly name: string;
  readonly declared: readonly SyntheticTargetField[];
}

/** A value that an action hands to a synthetic event; strings have one character a byte. */
export type ActionValue = bigint | string | readonly bigint[];

/** Where an event fired. */
export interface FireContext extends FilterContext {
  /** The thread; 0 is the idle task. */
  readonly pid: number;
  /** Time of the event on the instance's clock, in the clock's unit. */
  readonly timestamp: bigint;
  /** Return addresses from the innermost out; none unless told. */
  readonly stack?: readonly bigint[];
}

/** An event that fires: its entry is `length` bytes of `entry` from `offset`. */
export interface FiredEvent {
  readonly entry: DataView;
  readonly offset: number;
  readonly length: number;
  readonly context: FireContext;
}

/** A symbol that an address is in. */
export interface AddressSymbol {
  readonly name: string;
  /** Of the address in the symbol, and the symbol's own; in bytes. */
  readonly offset: bigint;
  readonly size: bigint;
  readonly module?: string;
}

/** Takes errors for `error_log`; `command` has one character a byte. */
export interface TriggerErrorLog {
  log(subsystem: string, command: string, text: string, position: number): void;
}

/** One trace instance, as its triggers see it. */
export interface TriggerHost {
  readonly version: FilterVersion;
  readonly cpuCount: number;
  readonly errors: TriggerErrorLog;
  /** One for each instance; see {@link TriggerState}. */
  readonly state: TriggerState;
  /** The event in this instance, or `undefined`. */
  findEvent(system: string, name: string): TriggerEvent | undefined;
  findFunction?(nameOrAddress: string | bigint): AddressRange | undefined;
  /** The symbol that holds an address. */
  findSymbol(address: bigint): AddressSymbol | undefined;
  /** The name of the kernel's function, such as `sys_newstat`; `undefined` for a number that is none. */
  syscallName(number: number): string | undefined;

  /** Has the event fire for triggers, recorded or not; balanced by {@link disarm}. */
  arm(event: TriggerEvent): void;
  disarm(event: TriggerEvent): void;
  /** Whether an armed event is kept from being recorded, unless it is enabled besides. */
  isSoftDisabled(event: TriggerEvent): boolean;
  setSoftDisabled(event: TriggerEvent, disabled: boolean): void;

  isTracingOn(): boolean;
  setTracing(on: boolean): void;
  /** Makes the snapshot buffer. @throws {KernelError} if it cannot be had. */
  armSnapshot(): void;
  disarmSnapshot(): void;
  takeSnapshot(): void;
  /** Writes the stack of a fired event to the buffer. */
  recordStack(fired: FiredEvent): void;
  /** Selects the instance's clock; false if there is none of that name. */
  setClock(name: string): boolean;
  /** Whether the instance's clock counts nanoseconds. */
  isClockInNanoseconds(): boolean;

  findSynthetic(name: string): SyntheticTarget | undefined;
  /** Keeps a synthetic event from being deleted; balanced by {@link releaseSynthetic}. */
  holdSynthetic(target: SyntheticTarget): void;
  releaseSynthetic(target: SyntheticTarget): void;
  fireSynthetic(
    target: SyntheticTarget,
    values: readonly ActionValue[],
    context: FireContext,
  ): void;
}
