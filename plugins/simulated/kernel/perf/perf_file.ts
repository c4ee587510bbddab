import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { OpenFile } from "../vfs.ts";
import type { PerfEvent } from "./event.ts";
import { perfIoctl } from "./ioctl.ts";
import type { MapRequest } from "./mapping.ts";
import { refuse } from "./refusal.ts";

/** The file behind the descriptor of a perf event. */
export class PerfFile implements OpenFile {
  readonly event: PerfEvent;
  readonly #kernel: SimulatedKernel;
  readonly #owner: SimulatedProcess;
  /** The descriptor, and the links that keep the event when that is closed. */
  #references = 1;

  constructor(kernel: SimulatedKernel, owner: SimulatedProcess, event: PerfEvent) {
    this.#kernel = kernel;
    this.#owner = owner;
    this.event = event;
  }

  /** What it has counted, as `read_format` asks for it. @throws {KernelError} ENOSPC */
  read(into: Uint8Array): number {
    const values = BigUint64Array.from(this.event.values());
    if (into.length < values.byteLength) refuse("ENOSPC", "read");
    into.set(new Uint8Array(values.buffer));
    return values.byteLength;
  }

  ioctl(request: number, arg: bigint): number {
    return perfIoctl(this.#kernel, this.#owner, this.event, request, BigInt.asUintN(64, arg));
  }

  mmap(request: MapRequest): Uint8Array {
    return this.#kernel.perf.mappings.map(this.event, this.#owner, request).bytes;
  }

  munmap(): void {
    this.#kernel.perf.mappings.unmap(this.event);
  }

  /** Keeps the event although its descriptor is closed; {@link PerfFile.close} gives it back. */
  hold(): this {
    this.#references++;
    return this;
  }

  close(): void {
    this.#references--;
    if (this.#references === 0) this.#kernel.perf.remove(this.event);
  }
}

/** The perf event behind a descriptor. @throws {KernelError} EBADF if there is none */
export function perfFileOf(process: SimulatedProcess, fd: number, call: string): PerfFile {
  const { file } = process.descriptor(fd, call);
  return file instanceof PerfFile ? file : refuse("EBADF", call);
}
