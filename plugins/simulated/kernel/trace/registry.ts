import { EventIds } from "../dynamic/event_ids.ts";
import type { TraceEvent } from "./event.ts";

/** Ids below are `TRACE_FN`, `TRACE_CTX` and the like (kernel/trace/trace.h, `enum trace_type`). */
const FIRST_ID = 24;

/** All trace events of the kernel, whatever facility made them (`ftrace_events`). */
export class EventRegistry {
  readonly #systems = new Map<string, Map<string, TraceEvent>>();
  readonly #byId = new Map<number, TraceEvent>();
  /** When each came, oldest first. */
  readonly #generations = new Map<TraceEvent, number>();
  #generation = 0;
  readonly #version: "6.1" | "6.12";
  #ids: EventIds;

  constructor(version: "6.1" | "6.12") {
    this.#version = version;
    this.#ids = new EventIds(version, FIRST_ID);
  }

  /**
   * Adds the events that the kernel is built with, in the order of their ids; what comes later
   * gets ids behind theirs.
   */
  addBuiltin(events: readonly (Omit<TraceEvent, "id"> & { readonly id?: number })[]): void {
    let last = FIRST_ID - 1;
    const ordered = [...events].sort((a, b) => (a.id ?? Infinity) - (b.id ?? Infinity) || 0);
    for (const event of ordered) {
      const id = event.id ?? last + 1;
      last = Math.max(last, id);
      this.add({ ...event, id });
    }
    this.#ids = new EventIds(this.#version, last + 1);
  }

  /** Takes an id out of the 16 bits that all events share; null if none is left. */
  allocateId(): number | null {
    return this.#ids.allocate() ?? null;
  }

  releaseId(id: number): void {
    this.#ids.release(id);
  }

  add(event: TraceEvent): void {
    let system = this.#systems.get(event.system);
    if (system === undefined) this.#systems.set(event.system, system = new Map());
    system.set(event.name, event);
    this.#byId.set(event.id, event);
    this.#generations.set(event, ++this.#generation);
  }

  remove(event: TraceEvent): void {
    const system = this.#systems.get(event.system);
    system?.delete(event.name);
    if (system?.size === 0) this.#systems.delete(event.system);
    this.#byId.delete(event.id);
    this.#generations.delete(event);
  }

  /** Grows with each event that comes. */
  get generation(): number {
    return this.#generation;
  }

  find(system: string, name: string): TraceEvent | undefined {
    return this.#systems.get(system)?.get(name);
  }

  byId(id: number): TraceEvent | undefined {
    return this.#byId.get(id);
  }

  systems(): string[] {
    return [...this.#systems.keys()];
  }

  eventsOf(system: string): TraceEvent[] {
    return [...this.#systems.get(system)?.values() ?? []];
  }

  /** All events, oldest first. */
  all(): TraceEvent[] {
    return [...this.#generations.keys()];
  }

  /**
   * All events as an instance made at `generation` lists them: it found those before it oldest
   * first, and puts each that comes to the top (`trace_create_new_event`).
   */
  listedSince(generation: number): TraceEvent[] {
    const all = [...this.#generations];
    const found = all.filter(([, when]) => when <= generation);
    const came = all.filter(([, when]) => when > generation).reverse();
    return [...came, ...found].map(([event]) => event);
  }
}
