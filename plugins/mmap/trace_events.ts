import { OperationError } from "../../core/backend.ts";
import type { CapturedEvent } from "../../core/backend.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { readText } from "../../core/kernel/files.ts";
import type { Kernel } from "../../core/kernel/port.ts";
import type { Operation, Step } from "../../core/operation.ts";
import { explainOpen } from "./explain.ts";
import { checkDescriptors, checkMemory } from "./limits.ts";
import { localFormat } from "./local_format.ts";
import { ringsName, type WantedEvent } from "./operations.ts";
import { openLocal, openTracepoint, type PerfEvents } from "./perf_event.ts";
import { onlineCpus, parseCpuList, Rings } from "./rings.ts";

/** Highest `common_type`; the kernel gives its own from below (kernel/trace/trace_output.c). */
const MAX_ENTRY_ID = 0xffff;

/** A step on perf events. */
type PerfStep = Extract<Step, { readonly event: string }>;

/** A perf event that is open. */
interface OpenEvent {
  readonly wanted: WantedEvent;
  readonly perf: PerfEvents;
  /** `common_type` of its entries. */
  readonly entryId: number;
  readonly format: string;
}

/** The perf events that this process has open, by name. */
export class TraceEvents {
  readonly #kernel: Kernel;
  readonly #pid: number;
  readonly #open = new Map<string, OpenEvent>();
  readonly #rings = new Map<string, Rings>();
  /** What the steps are about, as planned last. */
  readonly #wanted = new Map<string, WantedEvent>();
  readonly #pages = new Map<string, number>();

  /** @param pid thread to trace with what it starts; -1 for all. */
  constructor(kernel: Kernel, pid: number) {
    this.#kernel = kernel;
    this.#pid = pid;
  }

  /** Takes note of what a trace is to have. @param pages of each ring. */
  plan(trace: string, events: readonly WantedEvent[], pages: number): void {
    this.#pages.set(ringsName(trace), pages);
    for (const event of events) this.#wanted.set(event.name, event);
  }

  /** Whether the step is in effect. */
  isDone(step: PerfStep): boolean {
    if (step.call === "perf_event_open") {
      return this.#open.has(step.event) || this.#rings.has(step.event);
    }
    return step.call === "perf_event_enable" && this.#open.get(step.event)?.perf.enabled === true;
  }

  /** @throws {OperationError} */
  perform(operation: Operation, step: PerfStep, root: string): void {
    try {
      if (step.call !== "perf_event_open") this.undo(step);
      else if (this.#pages.has(step.event)) this.#openRings(step.event);
      else this.openEvent(this.#wanted.get(step.event)!, root);
    } catch (error) {
      if (!isKernelError(error)) throw error;
      const isProbe = this.#wanted.get(step.event)?.route.via === "pmu";
      throw new OperationError(operation, error, explainOpen(error, isProbe));
    }
  }

  /** Takes a step that needs nothing but the event; what is not open needs none. */
  undo(step: PerfStep): void {
    const perf = this.#open.get(step.event)?.perf;
    if (step.call === "perf_event_enable") perf?.enable();
    if (step.call === "perf_event_disable") perf?.disable();
    if (step.call !== "perf_event_close") return;
    perf?.close();
    this.#open.delete(step.event);
    this.#rings.get(step.event)?.close();
    this.#rings.delete(step.event);
  }

  /** Opens an event; one that was open under its name is closed. @throws {KernelError} */
  openEvent(wanted: WantedEvent, root: string): OpenEvent {
    this.#open.get(wanted.name)?.perf.close();
    const rings = this.rings(wanted.trace);
    const open = wanted.route.via === "pmu"
      ? this.#openLocal(wanted, rings)
      : this.#openById(wanted, rings, root);
    this.#open.set(wanted.name, open);
    return open;
  }

  /** The rings of a trace, which must be installed. */
  rings(trace: string): Rings {
    const rings = this.#rings.get(ringsName(trace));
    if (rings === undefined) throw new TypeError(`Trace "${trace}" has no rings`);
    return rings;
  }

  /** What is open of a trace. */
  ofTrace(trace: string): OpenEvent[] {
    return [...this.#open.values()].filter(({ wanted }) => wanted.trace === trace);
  }

  find(name: string): OpenEvent | undefined {
    return this.#open.get(name);
  }

  close(): void {
    for (const { perf } of this.#open.values()) perf.close();
    for (const rings of this.#rings.values()) rings.close();
    this.#open.clear();
    this.#rings.clear();
  }

  #openRings(name: string): void {
    const pages = this.#pages.get(name)!;
    const cpus = parseCpuList(onlineCpus(this.#kernel));
    const events = [...this.#wanted.values()].filter(({ trace }) => ringsName(trace) === name);
    checkMemory(this.#kernel, pages);
    checkDescriptors(this.#kernel, cpus.length * (1 + events.length));
    this.#rings.set(name, new Rings(this.#kernel, cpus, pages, this.#pid));
  }

  #openLocal(wanted: WantedEvent, rings: Rings): OpenEvent {
    const { route } = wanted;
    if (route.via !== "pmu") throw new TypeError(`"${wanted.name}" is not of a PMU`);
    const entryId = this.#freeEntryId();
    const format = localFormat(route.probe, route.captures, entryId);
    return { wanted, entryId, format, perf: openLocal(this.#kernel, rings, route, entryId) };
  }

  #openById(wanted: WantedEvent, rings: Rings, root: string): OpenEvent {
    const directory = `${root}/events/${wanted.place}`;
    const format = readText(this.#kernel, `${directory}/format`);
    const entryId = Number(readText(this.#kernel, `${directory}/id`));
    const perf = openTracepoint(this.#kernel, rings, entryId, wanted.probe.filter);
    return { wanted, entryId, format, perf };
  }

  #freeEntryId(): number {
    const used = new Set([...this.#open.values()].map(({ entryId }) => entryId));
    let id = MAX_ENTRY_ID;
    while (used.has(id)) id--;
    return id;
  }
}

/** The event as core's pipeline wants to know it. */
export function capturedEvent({ wanted: { probe }, format }: OpenEvent): CapturedEvent {
  return { probe: probe.id, event: `${probe.group}/${probe.event}`, format };
}
