/**
 * A process that uses bpf(2), on any kernel behind the port.
 * @module
 */
import type { Fd, Kernel, Memory, NativeCalls } from "../../../../../core/kernel/port.ts";
import { outcome } from "../perf/bench.ts";

/** How a map is asked for. */
export interface MapAttr {
  readonly type: number;
  readonly key?: number;
  readonly value?: number;
  readonly max?: number;
  readonly flags?: number;
  readonly name?: string;
  readonly poke?: Poke;
}

/** How a program is asked for. */
export interface ProgAttr {
  /** KPROBE unless told. */
  readonly type?: number;
  readonly code: Uint8Array | bigint;
  /** Instructions, if not those of the code. */
  readonly count?: number;
  readonly license?: string | bigint;
  readonly name?: string;
  readonly attachType?: number;
  readonly poke?: Poke;
}

/** Further numbers of 4 or 8 bytes: offset, bytes, value. */
export type Poke = readonly (readonly [offset: number, bytes: 4 | 8, value: bigint])[];

/** Bytes of attributes that every kernel takes. */
const ATTR = 144;
const LOG = 4096;

/** Short ways to ask a kernel. */
export class BpfBench {
  readonly kernel: Kernel;
  readonly native: NativeCalls;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    if ("unavailable" in kernel.native) throw new TypeError(kernel.native.unavailable);
    this.native = kernel.native;
  }

  /** Bytes at an address of their own. */
  memory(content: Uint8Array | string | number): Memory {
    if (typeof content === "number") return this.native.alloc(content);
    const bytes = typeof content === "string" ? new TextEncoder().encode(`${content}\0`) : content;
    const memory = this.native.alloc(bytes.length);
    memory.bytes.set(bytes);
    return memory;
  }

  /** Carries a command out. @throws {KernelError} */
  call(command: number, fill: (view: DataView) => void, size = ATTR): number {
    const attr = this.native.alloc(size);
    try {
      fill(new DataView(attr.bytes.buffer, attr.bytes.byteOffset, size));
      return this.native.bpf(command, attr);
    } finally {
      attr.free();
    }
  }

  /** A map. @throws {KernelError} */
  map({ type, key = 0, value = 0, max = 0, flags = 0, name = "", poke }: MapAttr): Fd {
    return this.call(0, (view) => {
      [type, key, value, max, flags].forEach((word, i) => view.setUint32(4 * i, word, true));
      putName(view, 28, name);
      applyPoke(view, poke);
    });
  }

  /** A program. @throws {KernelError} */
  program(attr: ProgAttr, log?: Memory): Fd {
    const { type = 2, code, license = "GPL", name = "" } = attr;
    const instructions = typeof code === "bigint" ? undefined : this.memory(code);
    const licence = typeof license === "bigint" ? undefined : this.memory(license);
    const count = attr.count ?? (typeof code === "bigint" ? 2 : code.length / 8);
    try {
      return this.call(5, (view) => {
        view.setUint32(0, type, true);
        view.setUint32(4, count, true);
        view.setBigUint64(8, instructions?.address ?? code as bigint, true);
        view.setBigUint64(16, licence?.address ?? license as bigint, true);
        if (log !== undefined) {
          view.setUint32(24, 1, true);
          view.setUint32(28, log.bytes.length, true);
          view.setBigUint64(32, log.address, true);
        }
        putName(view, 48, name);
        view.setUint32(68, attr.attachType ?? 0, true);
        applyPoke(view, attr.poke);
      });
    } finally {
      instructions?.free();
      licence?.free();
    }
  }

  /** Loads a program and lets it go: `ok`, or the error and the reason in the log. */
  tryProgram(attr: ProgAttr): string {
    const log = this.memory(LOG);
    const answer = outcome(() => {
      this.kernel.close(this.program(attr, log));
      return "ok";
    });
    const text = new TextDecoder().decode(log.bytes).split("\0")[0]!;
    log.free();
    // In front of the summary; the names of helpers are left out.
    const reason = text.trimEnd().split("\n").at(-2);
    if (answer === "ok" || reason === undefined) return answer;
    return `${answer}: ${reason.replace(/\bbpf_\w+#/, "#")}`;
  }

  /** A command on an element of a map. */
  element(
    command: number,
    map: Fd,
    key: Uint8Array | bigint | null,
    value: Uint8Array | bigint,
    flags = 0n,
  ): { readonly answer: string; readonly value: Uint8Array } {
    const keyMemory = key instanceof Uint8Array ? this.memory(key) : undefined;
    const valueMemory = value instanceof Uint8Array ? this.memory(value) : undefined;
    const answer = outcome(() =>
      String(this.call(command, (view) => {
        view.setInt32(0, map, true);
        view.setBigUint64(8, keyMemory?.address ?? (key as bigint | null) ?? 0n, true);
        view.setBigUint64(16, valueMemory?.address ?? value as bigint, true);
        view.setBigUint64(24, flags, true);
      }))
    );
    return { answer, value: valueMemory?.bytes.slice() ?? new Uint8Array() };
  }

  lookup(map: Fd, key: Uint8Array, size: number): Uint8Array | string {
    const { answer, value } = this.element(1, map, key, new Uint8Array(size));
    return answer === "0" ? value : answer;
  }

  update(map: Fd, key: Uint8Array, value: Uint8Array, flags = 0n): string {
    return this.element(2, map, key, value, flags).answer;
  }

  delete(map: Fd, key: Uint8Array): string {
    return this.element(3, map, key, 0n).answer;
  }

  nextKey(map: Fd, key: Uint8Array | null, size: number): Uint8Array | string {
    const { answer, value } = this.element(4, map, key, new Uint8Array(size));
    return answer === "0" ? value : answer;
  }

  /** Attaches a program. @throws {KernelError} */
  link(program: Fd, target: Fd, attachType: number, poke?: Poke, size = 64): Fd {
    return this.call(28, (view) => {
      view.setInt32(0, program, true);
      view.setInt32(4, target, true);
      view.setUint32(8, attachType, true);
      applyPoke(view, poke);
    }, size);
  }

  /** What an object tells of itself; what the caller puts in first is in `given`. */
  info(fd: Fd, size: number, given: Poke = []): DataView | string {
    const info = this.memory(size);
    const view = new DataView(info.bytes.buffer, info.bytes.byteOffset, size);
    applyPoke(view, given);
    const answer = outcome(() =>
      String(this.call(15, (attr) => {
        attr.setInt32(0, fd, true);
        attr.setUint32(4, size, true);
        attr.setBigUint64(8, info.address, true);
      }))
    );
    return answer === "0" ? view : answer;
  }
}

function putName(view: DataView, offset: number, name: string): void {
  [...name].forEach((character, i) => view.setUint8(offset + i, character.charCodeAt(0)));
}

function applyPoke(view: DataView, poke: Poke = []): void {
  for (const [offset, bytes, value] of poke) {
    if (bytes === 4) view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
    else view.setBigUint64(offset, value, true);
  }
}

/** A number as 4 or 8 bytes. */
export const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
export const u64 = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);

/** The numbers of 8 bytes in a value. */
export function words(value: Uint8Array | string): string {
  return typeof value === "string"
    ? value
    : [...new BigUint64Array(value.slice().buffer)].join(" ");
}
