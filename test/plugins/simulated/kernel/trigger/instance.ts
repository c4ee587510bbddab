/** An instance around triggers: events from their `format` files, synthetic events, an error log. */
import { Buffer } from "node:buffer";
import { toByteString } from "../../../../../core/filter/bytes.ts";
import type { FilterField, FilterVersion } from "../../../../../core/filter/field.ts";
import { ErrorLog } from "../../../../../plugins/simulated/kernel/dynamic/error_log.ts";
import {
  parseSyntheticField,
  type SyntheticField,
} from "../../../../../plugins/simulated/kernel/dynamic/synthetic_field.ts";
import { splitWords } from "../../../../../plugins/simulated/kernel/dynamic/ctype.ts";
import { EventTriggers } from "../../../../../plugins/simulated/kernel/trigger/event_triggers.ts";
import type {
  ActionValue,
  AddressSymbol,
  FireContext,
  SyntheticTarget,
  TriggerEvent,
  TriggerHost,
} from "../../../../../plugins/simulated/kernel/trigger/host.ts";
import {
  sharedTriggerState,
  TriggerState,
} from "../../../../../plugins/simulated/kernel/trigger/state.ts";

/** An event of the test instance. */
export interface TestEvent extends TriggerEvent {
  /** How many triggers have it armed. */
  armed: number;
  softDisabled: boolean;
  /** `common_type` of its entries. */
  readonly id: number;
}

const CLOCKS = ["local", "global", "counter", "uptime", "perf", "mono", "mono_raw", "boot", "tai"];

/** Those of x86-64 that scenarios come across. */
const SYSCALLS: ReadonlyMap<number, string> = new Map([
  [0, "sys_read"],
  [1, "sys_write"],
  [2, "sys_open"],
  [3, "sys_close"],
  [4, "sys_newstat"],
  [5, "sys_newfstat"],
  [17, "sys_pread64"],
]);

/** Bytes of the common fields. */
export const COMMON_BYTES = 8;

export class TestInstance implements TriggerHost {
  readonly version: FilterVersion;
  readonly cpuCount = 2;
  readonly errors = new ErrorLog(() => 0n);
  readonly state: TriggerState;
  readonly events = new Map<string, TestEvent>();
  readonly synthetics = new Map<string, SyntheticTarget>();
  /** Synthetic events that were written, as `trace` prints them. */
  readonly written: string[] = [];
  /** Holds on synthetic events. */
  readonly holds = new Map<string, number>();
  clock = "local";
  tracing = true;
  snapshots = 0;
  snapshotUsers = 0;
  stacks = 0;
  time = 1_000_000n;

  constructor(version: FilterVersion, shared = sharedTriggerState()) {
    this.version = version;
    this.state = new TriggerState(shared);
  }

  addEvent(
    path: string,
    fields: readonly FilterField[],
    { id = 0, synthetic }: { readonly id?: number; readonly synthetic?: SyntheticTarget } = {},
  ): void {
    const [system, name] = path.split("/");
    const event = { system, name, fields, id, synthetic, armed: 0, softDisabled: false };
    const triggers = new EventTriggers(event as unknown as TriggerEvent, this);
    this.events.set(path, Object.assign(event, { triggers }));
  }

  /** Defines a synthetic event as a line of `synthetic_events` does. */
  addSynthetic(definition: string): void {
    const [name, ...words] = splitWords(definition.replaceAll(";", " "));
    const declared: SyntheticField[] = [];
    while (words.length > 0) {
      const parsed = parseSyntheticField(words);
      if ("code" in parsed) throw new Error(parsed.code);
      declared.push(parsed.field);
      words.splice(0, parsed.used);
    }
    let offset = COMMON_BYTES;
    const fields = declared.map((field): FilterField => {
      const isFixed = field.isString && !field.isDynamic;
      const filterType = field.isString
        ? (field.isDynamic ? "dyn_string" : "static_string")
        : field.isStack && this.version !== "6.1"
        ? "stacktrace"
        : "other";
      const { name, type, size, signed } = field;
      const result = { name, type, size, signed, offset, filterType } as const;
      offset += isFixed ? 256 : 8;
      return result;
    });
    this.synthetics.set(name, { name, declared });
    this.addEvent(`synthetic/${name}`, fields, { synthetic: this.synthetics.get(name) });
  }

  /** Fires an event with a payload behind its common fields. */
  fire(
    path: string,
    payload: Uint8Array,
    context: Pick<FireContext, "cpu" | "pid" | "comm">,
  ): void {
    const event = this.events.get(path);
    if (event === undefined) throw new Error(`No event "${path}"`);
    const bytes = Buffer.alloc(COMMON_BYTES + payload.length);
    bytes.writeUInt16LE(event.id, 0);
    bytes.writeInt32LE(context.pid, 4);
    bytes.set(payload, COMMON_BYTES);
    const entry = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const timestamp = this.time;
    this.time += 1000n;
    const fired = { entry, offset: 0, length: bytes.length, context: { ...context, timestamp } };
    event.triggers.fire(fired)();
  }

  findEvent(system: string, name: string): TestEvent | undefined {
    return this.events.get(`${system}/${name}`);
  }

  findSymbol(_address: bigint): AddressSymbol | undefined {
    return undefined;
  }

  syscallName(number: number): string | undefined {
    return SYSCALLS.get(number);
  }

  arm(event: TriggerEvent): void {
    const test = event as TestEvent;
    if (test.armed++ === 0) test.softDisabled = true;
  }

  disarm(event: TriggerEvent): void {
    (event as TestEvent).armed--;
  }

  isSoftDisabled(event: TriggerEvent): boolean {
    return (event as TestEvent).softDisabled;
  }

  setSoftDisabled(event: TriggerEvent, disabled: boolean): void {
    (event as TestEvent).softDisabled = disabled;
  }

  isTracingOn(): boolean {
    return this.tracing;
  }

  setTracing(on: boolean): void {
    this.tracing = on;
  }

  armSnapshot(): void {
    this.snapshotUsers++;
  }

  disarmSnapshot(): void {
    this.snapshotUsers--;
  }

  takeSnapshot(): void {
    this.snapshots++;
  }

  recordStack(): void {
    this.stacks++;
  }

  setClock(name: string): boolean {
    if (!CLOCKS.includes(name)) return false;
    this.clock = name;
    return true;
  }

  isClockInNanoseconds(): boolean {
    return !["counter", "uptime"].includes(this.clock);
  }

  findSynthetic(name: string): SyntheticTarget | undefined {
    return this.synthetics.get(name);
  }

  holdSynthetic({ name }: SyntheticTarget): void {
    this.holds.set(name, (this.holds.get(name) ?? 0) + 1);
  }

  releaseSynthetic({ name }: SyntheticTarget): void {
    this.holds.set(name, (this.holds.get(name) ?? 0) - 1);
  }

  fireSynthetic(
    target: SyntheticTarget,
    values: readonly ActionValue[],
    context: FireContext,
  ): void {
    const declared = target.declared as readonly SyntheticField[];
    const shown = declared.map((field, i) => `${field.name}=${showValue(field, values[i])}`);
    if (this.tracing) this.written.push(`${target.name}: ${shown.join(" ")}`);
    this.fire(`synthetic/${target.name}`, encode(declared, values), context);
  }
}

function showValue({ signed, size, type }: SyntheticField, value: ActionValue): string {
  if (typeof value !== "bigint") return String(value);
  if (type === "gfp_t") return value.toString(16);
  return String(signed ? BigInt.asIntN(8 * size, value) : BigInt.asUintN(8 * size, value));
}

/** The payload of a synthetic event without stacks. */
function encode(declared: readonly SyntheticField[], values: readonly ActionValue[]): Uint8Array {
  const fixed = declared.map(({ isString, isDynamic }) => isString && !isDynamic ? 256 : 8);
  const tails = declared.map(({ isString, isDynamic }, i) =>
    Buffer.from(isString && isDynamic ? `${values[i]}\0` : "", "latin1")
  );
  const start = fixed.reduce((sum, size) => sum + size, 0);
  const bytes = Buffer.alloc(start + Buffer.concat(tails).length);
  let at = 0;
  let free = start;
  for (const [i, { isString, isDynamic, size }] of declared.entries()) {
    const value = values[i];
    if (isString && isDynamic) {
      bytes.writeUInt32LE(tails[i].length << 16 | (COMMON_BYTES + free), at);
      bytes.set(tails[i], free);
      free += tails[i].length;
    } else if (isString) {
      bytes.write(toByteString(String(value)).slice(0, 255), at, "latin1");
    } else if (typeof value === "bigint") {
      bytes.writeBigUInt64LE(BigInt.asUintN(8 * size, value), at);
    }
    at += fixed[i];
  }
  return bytes;
}
