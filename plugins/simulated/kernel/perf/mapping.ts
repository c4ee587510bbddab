/**
 * Mapping the ring of an event, and what that costs a user (`perf_mmap`, `perf_mmap_close`,
 * `perf_event_set_output`, kernel/events/core.c).
 * @module
 */
import type { SimulatedProcess } from "../process.ts";
import { PAGE_SIZE } from "./abi.ts";
import { PerfBuffer } from "./buffer.ts";
import type { PerfEvent } from "./event.ts";
import { refuse } from "./refusal.ts";
import type { PerfSettings } from "./settings.ts";

/** How a process asks for the ring. */
export interface MapRequest {
  readonly length: number;
  readonly writable: boolean;
  readonly shared: boolean;
  readonly offset: number;
}

/** Who pays for a ring. */
interface Charge {
  readonly uid: number;
  /** Pages on the user's account. */
  readonly user: number;
  /** Pages beyond what a user may have, on that of the process. */
  readonly process: number;
  readonly payer: SimulatedProcess;
}

/** All rings there are: which events write to them, and who paid. */
export class PerfMappings {
  readonly #settings: PerfSettings;
  readonly #cpus: number;
  readonly #writers = new Map<PerfBuffer, Set<PerfEvent>>();
  readonly #charges = new Map<PerfBuffer, Charge>();
  /** Pages on the account of each user. */
  readonly #userPages = new Map<number, number>();
  readonly #pinnedPages = new WeakMap<SimulatedProcess, number>();

  constructor(settings: PerfSettings, cpus: number) {
    this.#settings = settings;
    this.#cpus = cpus;
  }

  /**
   * Maps the ring of an event, which is made at the first time.
   *
   * @throws {KernelError} EINVAL for a size or a place that cannot be; EPERM for more than the
   * user and the process may pin
   */
  map(event: PerfEvent, caller: SimulatedProcess, request: MapRequest): PerfBuffer {
    if (event.cpu === -1 && event.attr.flags.has("inherit")) refuse("EINVAL", "mmap");
    if (!request.shared) refuse("EINVAL", "mmap");
    const size = Math.ceil(request.length / PAGE_SIZE);
    const pages = size - 1;
    // Further into the file lies the AUX area, which needs a PMU with one.
    if (request.offset !== 0) refuse("EINVAL", "mmap");
    if (pages < 0 || (pages > 0 && (pages & (pages - 1)) !== 0)) refuse("EINVAL", "mmap");
    if (event.buffer !== undefined) {
      if (event.buffer.pages !== pages) refuse("EINVAL", "mmap");
      event.buffer.mappings++;
    } else {
      const charge = this.#charge(caller, size);
      const buffer = new PerfBuffer(pages, !request.writable);
      this.#charges.set(buffer, charge);
      this.#direct(event, buffer);
      event.showCounter();
    }
    event.mappings++;
    return event.buffer!;
  }

  /** A mapping that was made through `event` goes. With the last one no event can reach the ring. */
  unmap(event: PerfEvent): void {
    const buffer = event.buffer!;
    buffer.mappings--;
    event.mappings--;
    if (event.mappings === 0) this.#direct(event, undefined);
    if (buffer.mappings > 0) return;
    for (const writer of [...this.#writers.get(buffer) ?? []]) this.#direct(writer, undefined);
    this.#writers.delete(buffer);
    const charge = this.#charges.get(buffer)!;
    this.#charges.delete(buffer);
    this.#pay(charge, -1);
  }

  /**
   * Sends the samples of an event to the ring of another, or no longer.
   *
   * @throws {KernelError} EINVAL if the two do not fit, or the event's own ring is mapped
   */
  setOutput(event: PerfEvent, output: PerfEvent | undefined, call = "ioctl"): void {
    if (output !== undefined) {
      const fits = output !== event && output.cpu === event.cpu &&
        (output.cpu !== -1 || output.target === event.target) &&
        output.clock === event.clock &&
        output.attr.flags.has("writeBackward") === event.attr.flags.has("writeBackward");
      if (!fits) refuse("EINVAL", call);
    }
    if (event.mappings > 0) refuse("EINVAL", call);
    if (output !== undefined && output.buffer === undefined) refuse("EINVAL", call);
    this.#direct(event, output?.buffer);
  }

  /** An event is gone, and writes nowhere any more. */
  forget(event: PerfEvent): void {
    this.#direct(event, undefined);
  }

  #direct(event: PerfEvent, buffer: PerfBuffer | undefined): void {
    if (event.buffer !== undefined) this.#writers.get(event.buffer)?.delete(event);
    event.buffer = buffer;
    if (buffer === undefined) return;
    const writers = this.#writers.get(buffer);
    if (writers === undefined) this.#writers.set(buffer, new Set([event]));
    else writers.add(event);
  }

  /** What goes beyond the user's share counts against what the process may lock. */
  #charge(payer: SimulatedProcess, pages: number): Charge {
    const { paranoid, mlockKib } = this.#settings;
    const { uid } = payer;
    const limit = Math.floor(mlockKib / 4) * this.#cpus;
    const used = Math.min(this.#userPages.get(uid) ?? 0, limit) + pages;
    const process = Math.max(0, used - limit);
    const pinned = (this.#pinnedPages.get(payer) ?? 0) + process;
    if (pinned > payer.lockablePages && paranoid > -1 && !payer.privileged) {
      refuse("EPERM", "mmap");
    }
    const charge = { uid, user: pages - process, process, payer };
    this.#pay(charge, 1);
    return charge;
  }

  /** @param sign 1 to take what a ring costs, -1 to give it back */
  #pay({ uid, user, process, payer }: Charge, sign: 1 | -1): void {
    this.#userPages.set(uid, (this.#userPages.get(uid) ?? 0) + sign * user);
    this.#pinnedPages.set(payer, (this.#pinnedPages.get(payer) ?? 0) + sign * process);
  }
}
