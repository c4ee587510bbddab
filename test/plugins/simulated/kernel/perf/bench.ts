/**
 * A process that uses perf, on any kernel behind the port: what the scenarios are written with.
 * @module
 */
import { isKernelError } from "../../../../../core/kernel/error.ts";
import type { Fd, Kernel, Memory, NativeCalls } from "../../../../../core/kernel/port.ts";

/** An attribute by its fields; what is not told is 0. */
export interface Attr {
  /** `kprobe`, `uprobe`, `system/event` for a tracepoint, or a number. */
  readonly type: string | number;
  readonly size?: number;
  readonly config?: bigint;
  readonly period?: bigint;
  readonly sample?: number;
  readonly format?: number;
  readonly flags?: bigint;
  readonly wakeup?: number;
  /** A string to point to, or the number itself. */
  readonly config1?: string | bigint;
  readonly config2?: bigint;
  readonly branch?: bigint;
  readonly regsUser?: bigint;
  readonly stackUser?: number;
  readonly clock?: number;
  readonly regsIntr?: bigint;
  readonly maxStack?: number;
  /** Further numbers: offset, bytes, value. */
  readonly poke?: readonly (readonly [offset: number, bytes: 2 | 4 | 8, value: bigint])[];
}

/** Whom and where; all on CPU 0 unless told. */
export interface Where {
  readonly pid?: number;
  readonly cpu?: number;
  readonly group?: Fd;
  readonly flags?: number;
}

const PMU = "/sys/bus/event_source/devices";
const TRACEFS = "/sys/kernel/tracing";
const CLOEXEC = 8;
/** Room for attributes that are too large. */
const ROOM = 8192;

/** Short ways to ask a kernel. */
export class Bench {
  readonly kernel: Kernel;
  readonly native: NativeCalls;
  readonly attr: Memory;
  readonly #reader: Kernel;
  readonly #numbers = new Map<string, number>();

  /** @param reader who reads files of the system; the process itself unless told */
  constructor(kernel: Kernel, reader = kernel) {
    this.kernel = kernel;
    this.#reader = reader;
    if ("unavailable" in kernel.native) throw new TypeError(kernel.native.unavailable);
    this.native = kernel.native;
    this.attr = this.native.alloc(ROOM);
  }

  /** The text of a file, without its line end. */
  text(path: string): string {
    const fd = this.#reader.open(path, { access: "read" });
    const bytes = new Uint8Array(65536);
    const length = this.#reader.read(fd, bytes);
    this.#reader.close(fd);
    return new TextDecoder().decode(bytes.subarray(0, length)).trimEnd();
  }

  /** The number in a file, which is read once: opening files hits probes. */
  number(path: string): number {
    const known = this.#numbers.get(path);
    if (known !== undefined) return known;
    const number = Number(this.text(path));
    this.#numbers.set(path, number);
    return number;
  }

  /** Bytes at an address of their own. */
  memory(bytes: Uint8Array | string): Memory {
    const source = typeof bytes === "string" ? new TextEncoder().encode(`${bytes}\0`) : bytes;
    const memory = this.native.alloc(source.length);
    memory.bytes.set(source);
    return memory;
  }

  /** Fills the attribute in. */
  fill(attr: Attr): Memory {
    const { bytes } = this.attr;
    bytes.fill(0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const tracepoint = typeof attr.type === "string" && attr.type.includes("/");
    const type = typeof attr.type === "number"
      ? attr.type
      : tracepoint
      ? 2
      : this.number(`${PMU}/${attr.type}/type`);
    const id = tracepoint ? BigInt(this.number(`${TRACEFS}/events/${attr.type}/id`)) : 0n;
    const name = typeof attr.config1 === "string"
      ? this.memory(attr.config1).address
      : attr.config1;
    view.setUint32(0, type, true);
    view.setUint32(4, attr.size ?? 128, true);
    view.setBigUint64(8, attr.config ?? id, true);
    view.setBigUint64(16, attr.period ?? 0n, true);
    view.setBigUint64(24, BigInt(attr.sample ?? 0), true);
    view.setBigUint64(32, BigInt(attr.format ?? 0), true);
    view.setBigUint64(40, attr.flags ?? 0n, true);
    view.setUint32(48, attr.wakeup ?? 0, true);
    view.setBigUint64(56, name ?? 0n, true);
    view.setBigUint64(64, attr.config2 ?? 0n, true);
    view.setBigUint64(72, attr.branch ?? 0n, true);
    view.setBigUint64(80, attr.regsUser ?? 0n, true);
    view.setUint32(88, attr.stackUser ?? 0, true);
    view.setInt32(92, attr.clock ?? 0, true);
    view.setBigUint64(96, attr.regsIntr ?? 0n, true);
    view.setUint16(108, attr.maxStack ?? 0, true);
    for (const [offset, width, value] of attr.poke ?? []) {
      if (width === 2) view.setUint16(offset, Number(value), true);
      else if (width === 4) view.setUint32(offset, Number(value), true);
      else view.setBigUint64(offset, value, true);
    }
    return this.attr;
  }

  /** Opens an event. @throws {KernelError} */
  open(attr: Attr, where: Where = {}): Fd {
    const { pid = -1, cpu = 0, group = -1, flags = CLOEXEC } = where;
    return this.native.perfEventOpen(this.fill(attr), pid, cpu, group, flags);
  }

  /** Opens an event and closes it again: `ok`, or what the kernel answered. */
  try(attr: Attr, where: Where = {}): string {
    return outcome(() => {
      this.kernel.close(this.open(attr, where));
      return "ok";
    });
  }

  ioctl(fd: Fd, request: number, arg: bigint | number | Memory = 0): string {
    return outcome(() => String(this.native.ioctl(fd, request, arg)));
  }

  mmap(fd: Fd, pages: number, options: { writable?: boolean; shared?: boolean } = {}): Memory {
    const { writable = true, shared = true } = options;
    return this.native.mmap({ fd, length: (1 + pages) * 4096, writable, shared });
  }

  /** What read(2) answers on an event. */
  read(fd: Fd, room = 64): bigint[] | string {
    const bytes = new Uint8Array(room);
    const count = outcome(() => String(this.kernel.read(fd, bytes)));
    if (!/^\d/.test(count)) return count;
    return [...new BigUint64Array(bytes.buffer, 0, Number(count) / 8)];
  }

  close(...fds: Fd[]): void {
    for (const fd of fds) this.kernel.close(fd);
  }
}

/** What a call answers: its result, or the error's name. */
export function outcome(call: () => string): string {
  try {
    return call();
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return error.code;
  }
}
