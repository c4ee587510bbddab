/**
 * Fetch programs at work: what a hit of a probe writes into the ring buffer
 * (kernel/trace/trace_probe_tmpl.h, trace_probe_kernel.h).
 * @module
 */
import { Buffer } from "node:buffer";
import type { EventField } from "../event_field.ts";
import { FetchMemory } from "./fetch_memory.ts";
import { type FetchStep, type ProbeArgument, storedSize } from "./fetch_program.ts";
import { type EntryHeader, headerSize } from "./format.ts";
import type { Hit } from "./hit.ts";
import type { DynamicHost } from "./host.ts";
import { STACK_POINTER } from "./registers.ts";

/** What {@link encodeEntry} has to know of a probe. */
export interface EncodeOptions {
  readonly header: EntryHeader;
  /** Whether it is a uprobe. */
  readonly user: boolean;
  /** For a uprobe: where the start of the file would be in the process. */
  readonly fileBase: bigint;
  readonly arch: DynamicHost["arch"];
}

/** Bytes that the arguments of a uprobe can take with their strings (`MAX_UCB_BUFFER_SIZE`). */
const MAX_USER_DATA = 4096;
/** Room behind the entry for bitfields that are wider than what they are cut from. */
const SLACK = 8;

/** The entry that a hit writes, with the common fields zeroed. */
export function encodeEntry(
  probeArguments: readonly ProbeArgument[],
  hit: Hit,
  options: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const start = headerSize(options.header);
  const last = probeArguments.at(-1);
  const fixed = last === undefined ? 0 : last.offset + storedSize(last.type, last.count);
  const run = new FetchRun(hit, options);
  let dynamic = 0;
  for (const argument of probeArguments) {
    if (argument.type.isString) dynamic += Math.max(run.measure(argument.steps), 0);
  }
  if (options.user) dynamic = Math.min(dynamic, MAX_USER_DATA - fixed);
  const entry = new Uint8Array(start + fixed + dynamic + SLACK);
  const view = new DataView(entry.buffer);
  writeHeader(view, hit, options);
  let free = start + fixed;
  let left = dynamic;
  for (const argument of probeArguments) {
    const at = start + argument.offset;
    if (argument.type.isString) view.setUint32(at, dataLocation(left, free), true);
    const used = run.store(argument.steps, view, at);
    if (argument.type.isString && used > 0) {
      free += used;
      left -= used;
    }
  }
  return entry.slice(0, start + fixed + dynamic);
}

function writeHeader(view: DataView, hit: Hit, options: EncodeOptions): void {
  if (options.header === "none") return;
  view.setBigUint64(8, hit.ip, true);
  if (options.header === "return") view.setBigUint64(16, hit.retIp ?? 0n, true);
}

function dataLocation(length: number, offset: number): number {
  return ((length << 16) | (offset & 0xffff)) >>> 0;
}

/** How far a program has come. */
interface Follow {
  /** The step in hand. */
  readonly index: number;
  readonly value: bigint;
  /** The value before the last pointer was followed. */
  readonly before: bigint;
}

/** The fetch programs of one hit. Results are bytes of string data used, below 0 on a fault. */
class FetchRun {
  readonly #hit: Hit;
  readonly #options: EncodeOptions;
  readonly #memory: FetchMemory;
  #record: bigint | undefined;

  constructor(hit: Hit, options: EncodeOptions) {
    this.#hit = hit;
    this.#options = options;
    this.#memory = new FetchMemory(hit, options.user, options.arch);
  }

  /** Bytes of string data that a program will need. */
  measure(steps: readonly FetchStep[]): number {
    return this.#run(steps, undefined, 0);
  }

  /** Runs a program that stores at `at`. */
  store(steps: readonly FetchStep[], view: DataView, at: number): number {
    return this.#run(steps, view, at);
  }

  #run(steps: readonly FetchStep[], view: DataView | undefined, at: number): number {
    const start = steps[0]?.op === "symbol" ? 1 : 0;
    const loaded = this.#load(steps[start]);
    if (loaded === undefined) return -1;
    let from: Follow | undefined = { index: start + 1, value: loaded, before: loaded };
    let target = at;
    let total = 0;
    for (let round = 1;; round++) {
      from = this.#follow(steps, from);
      if (from === undefined) return -1;
      const { index, value, before }: Follow = from;
      const store = steps[index];
      const location: number = view?.getUint32(target, true) ?? 0;
      const stored = this.#store(store, value, view, target);
      if (stored === undefined) return -1;
      const modify = steps[index + 1];
      if (modify?.op === "bitfield" && view !== undefined) applyBitfield(modify, view, target);
      const repeat = steps[index + (modify?.op === "bitfield" ? 2 : 1)];
      if (repeat?.op !== "repeat") return stored;
      const used = Math.max(stored, 0);
      total += used;
      if (round === repeat.count) return total;
      if (store?.op === "store_memory") {
        target += store.size;
        from = { index, value: value + BigInt(store.size), before };
      } else {
        // An array of strings is an array of pointers: the last one is followed again.
        target += 4;
        const moved = dataLocation((location >>> 16) - used, (location & 0xffff) + used);
        view?.setUint32(target, moved, true);
        from = { index: index - 1, value: before + 8n, before };
      }
    }
  }

  /** Follows pointers up to the step that stores; nothing on a fault. */
  #follow(steps: readonly FetchStep[], from: Follow): Follow | undefined {
    let { index, value, before } = from;
    for (let step = steps[index]; step?.op === "dereference"; step = steps[++index]) {
      const word = this.#memory.read(value + BigInt(step.offset), 8, step.user);
      if (word === null) return undefined;
      before = value;
      value = Buffer.from(word).readBigUInt64LE();
    }
    return { index, value, before };
  }

  #load(step: FetchStep | undefined): bigint | undefined {
    const hit = this.#hit;
    switch (step?.op) {
      case "register":
        return hit.register(step.name);
      case "stack":
        return hit.stack(step.index);
      case "stack_pointer":
        return hit.register(STACK_POINTER);
      case "return_value":
        return hit.returnValue;
      case "immediate":
        return step.value;
      case "comm":
        return this.#memory.place(Buffer.from(`${hit.comm}\0`, "latin1"), this.#options.user);
      case "text":
        return this.#memory.place(Buffer.from(`${step.text}\0`, "latin1"), false);
      case "argument":
      case "entry_argument":
        return hit.argument(step.index);
      case "file_offset":
        return BigInt.asUintN(64, this.#options.fileBase + step.offset);
      case "event_field":
        return this.#loadField(step.field);
      default:
        return undefined;
    }
  }

  /** A field of the attached event, a string as its address (`get_event_field`). */
  #loadField(field: EventField): bigint {
    const entry = this.#hit.entry ?? new Uint8Array();
    this.#record ??= this.#memory.place(entry, false);
    const bytes = Buffer.alloc(Math.max(entry.length, field.offset + 8));
    bytes.set(entry);
    const at = this.#record + BigInt(field.offset);
    switch (field.filterType) {
      case "static_string":
        return at;
      case "dyn_string":
        return this.#record + BigInt(bytes.readUInt16LE(field.offset));
      case "rdyn_string":
        return at + BigInt(bytes.readUInt16LE(field.offset));
      case "ptr_string":
        return bytes.readBigUInt64LE(field.offset);
      case "comm":
        return 0n;
      default:
        return loadInteger(bytes, field);
    }
  }

  #store(
    step: FetchStep | undefined,
    value: bigint,
    view: DataView | undefined,
    at: number,
  ): number | undefined {
    switch (step?.op) {
      case "store_string":
        return this.#storeString(value + BigInt(step.offset), step.user, view, at);
      case "store_symbol_name":
        return this.#storeSymbol(BigInt.asUintN(64, value), view, at);
    }
    if (view === undefined) return undefined;
    switch (step?.op) {
      case "store_value":
        storeInteger(view, at, step.size, value);
        return 0;
      case "store_memory": {
        const bytes = this.#memory.read(value + BigInt(step.offset), step.size, step.user);
        if (bytes !== null) bytesOf(view).set(bytes, at);
        return 0;
      }
      default:
        return undefined;
    }
  }

  #storeString(address: bigint, user: boolean, view: DataView | undefined, at: number): number {
    if (view === undefined) return this.#memory.stringLength(address, user);
    const location = view.getUint32(at, true);
    const room = location >>> 16;
    const start = location & 0xffff;
    if (room === 0) return -1;
    const bytes = this.#memory.readString(address, user, room);
    const length = this.#memory.copiedLength(bytes, address, user);
    bytesOf(view).set(bytes ?? [0], start);
    if (length > 0) view.setUint8(start + length - 1, 0);
    view.setUint32(at, dataLocation(length, start), true);
    return bytes === null ? -1 : length;
  }

  /**
   * The kernel stores a symbol's text without giving its length in the entry, and
   * takes the next string to start at its NUL.
   */
  #storeSymbol(address: bigint, view: DataView | undefined, at: number): number {
    const text = this.#hit.symbolName(address);
    if (view === undefined) return text.length + 1;
    const location = view.getUint32(at, true);
    if (location >>> 16 === 0) return -1;
    const start = location & 0xffff;
    const bytes = Buffer.from(`${text}\0`, "latin1").subarray(0, view.byteLength - start);
    bytesOf(view).set(bytes, start);
    return text.length;
  }
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function loadInteger(bytes: Buffer, field: EventField): bigint {
  const { offset, signed } = field;
  const size = [1, 2, 4].includes(field.size) ? field.size : 8;
  if (size === 8) return bytes.readBigUInt64LE(offset);
  const value = signed ? bytes.readIntLE(offset, size) : bytes.readUIntLE(offset, size);
  return BigInt.asUintN(64, BigInt(value));
}

function storeInteger(view: DataView, at: number, size: number, value: bigint): void {
  const wrapped = BigInt.asUintN(size * 8, value);
  if (size === 8) view.setBigUint64(at, wrapped, true);
  else if (size === 4) view.setUint32(at, Number(wrapped), true);
  else if (size === 2) view.setUint16(at, Number(wrapped), true);
  else view.setUint8(at, Number(wrapped));
}

/** Shifts left and right within the size, counts as the processor takes them: 5 or 6 bits. */
function applyBitfield(
  step: { readonly size: number; readonly left: number; readonly right: number },
  view: DataView,
  at: number,
): void {
  const mask = step.size === 8 ? 63 : 31;
  let value = 0n;
  for (let i = 0; i < step.size; i++) value |= BigInt(view.getUint8(at + i)) << BigInt(8 * i);
  const width = step.size * 8;
  const shifted = BigInt.asUintN(width, value << BigInt(step.left & mask));
  storeInteger(view, at, step.size, shifted >> BigInt(step.right & mask));
}
