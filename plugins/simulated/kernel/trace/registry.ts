import type { TraceEvent } from "./event.ts";

/** Ids below are `TRACE_FN`, `TRACE_CTX` and the like (kernel/trace/trace.h, `enum trace_type`). */
const FIRST_ID = 24;
const MAX_ID = 65535;

/** Told of events that come and go. */
export interface EventObserver {
  eventAdded(event: TraceEvent): void;
  eventRemoved(event: TraceEvent): void;
  /** Whether the event is enabled, triggered or opened, so that it cannot go. */
  eventBusy(event: TraceEvent): boolean;
}

/** All trace events of the kernel, whatever facility made them (`ftrace_events`). */
export class EventRegistry {
  readonly #systems = new Map<string, Map<string, TraceEvent>>();
  readonly #byId = new Map<number, TraceEvent>();
  readonly #reserved = new Set<number>();
  readonly #observers: EventObserver[] = [];
  #lastId = FIRST_ID - 1;

  observe(observer: EventObserver): void {
    this.#observers.push(observer);
  }

  /** Takes an id out of the 16 bits that all events share, lowest first after the last one; null if none is left. */
  allocateId(): number | null {
    for (let step = 1; step <= MAX_ID; step++) {
      const id = FIRST_ID + (this.#lastId + step - FIRST_ID) % (MAX_ID - FIRST_ID + 1);
      if (this.#reserved.has(id)) continue;
      this.#reserved.add(id);
      this.#lastId = id;
      return id;
    }
    return null;
  }

  releaseId(id: number): void {
    this.#reserved.delete(id);
  }

  add(event: TraceEvent): void {
    let system = this.#systems.get(event.system);
    if (system === undefined) this.#systems.set(event.system, system = new Map());
    system.set(event.name, event);
    this.#reserved.add(event.id);
    this.#byId.set(event.id, event);
    for (const observer of this.#observers) observer.eventAdded(event);
  }

  remove(event: TraceEvent): void {
    for (const observer of this.#observers) observer.eventRemoved(event);
    const system = this.#systems.get(event.system);
    system?.delete(event.name);
    if (system?.size === 0) this.#systems.delete(event.system);
    this.#byId.delete(event.id);
    this.releaseId(event.id);
  }

  busy(event: TraceEvent): boolean {
    return this.#observers.some((observer) => observer.eventBusy(event));
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

  all(): TraceEvent[] {
    return this.systems().flatMap((system) => this.eventsOf(system));
  }
}
