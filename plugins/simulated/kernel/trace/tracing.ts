import { KernelError } from "../../../../core/kernel/error.ts";
import { DynamicEvents } from "../dynamic/dynamic_events.ts";
import { ErrorLog } from "../dynamic/error_log.ts";
import { type DynamicEvent, ProbeEvent } from "../dynamic/event.ts";
import type { EventUsage } from "../dynamic/host.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { DynamicParser } from "../dynamic/registry.ts";
import type { SimulatedProcess } from "../process.ts";
import { Namespaces } from "../user_events/namespaces.ts";
import { UserEvents } from "../user_events/user_events.ts";
import { userEventParser, userEventsHost } from "./user_event_host.ts";
import { dynamicHost } from "./dynamic_host.ts";
import type { TraceEvent } from "./event.ts";
import { type Occurrence, TraceInstance } from "./instance.ts";
import { sharedTriggerState } from "../trigger/state.ts";
import { triggerHost } from "./trigger_host.ts";
import { EventRegistry } from "./registry.ts";
import { checkUprobePlace } from "./uprobe_place.ts";

/** Names of threads that `saved_cmdlines` keeps unless its size is changed (kernel/trace/trace.c). */
const SAVED_COMMANDS = 128;

/** Tracing as a whole: events, instances, definition files. */
export class Tracing {
  readonly cpus: number;
  readonly registry: EventRegistry;
  readonly dynamic: DynamicEvents;
  readonly userEvents: UserEvents | undefined;
  readonly namespaces: Namespaces | undefined;
  /** The kind of dynamic event that user_events are. */
  readonly userEventParser: DynamicParser;
  /** The process whose write to a definition file is carried out. */
  caller!: SimulatedProcess;
  /** The instance at the top of tracefs. */
  readonly top: TraceInstance;
  /** Hits and misses of probe events, by `group/event` (`kprobe_profile`). */
  readonly hits = new Map<DynamicEvent, { hits: bigint; missed: bigint }>();
  readonly #kernel: SimulatedKernel;
  readonly #triggerState = sharedTriggerState();
  /** Whether ring buffers have their size: in 6.1 all of them or none. */
  readonly #expansion = { done: false };
  readonly #instances: TraceInstance[] = [];
  readonly #traceEvents = new Map<DynamicEvent, TraceEvent>();
  readonly #savedCommands = new Map<number, string>();
  /** Instances whose buffer goes when the current delete is over. */
  readonly #marked = new Set<TraceInstance>();

  constructor(kernel: SimulatedKernel) {
    this.#kernel = kernel;
    this.cpus = kernel.cpus;
    this.registry = new EventRegistry(kernel.version);
    this.registry.addBuiltin(kernel.profile.tracepoints);
    this.dynamic = new DynamicEvents(dynamicHost(kernel, this));
    this.top = this.#newInstance("", this.dynamic.errors);
    this.userEventParser = userEventParser(() => this.userEvents!, () => this.caller);
    if (kernel.era !== undefined) {
      const host = userEventsHost(kernel, this);
      this.userEvents = new UserEvents(host, kernel.era);
      if (kernel.era === "rfc2022") this.namespaces = new Namespaces(host, this.userEvents);
      this.dynamic.registry.addParser(this.userEventParser);
    }
  }

  /** Nanoseconds of the trace clocks; they all go alike here. */
  now(): bigint {
    return this.#kernel.scheduler.now;
  }

  get instances(): readonly TraceInstance[] {
    return this.#instances;
  }

  instance(name: string): TraceInstance | undefined {
    return this.#instances.find((instance) => instance.name === name);
  }

  makeInstance(name: string): void {
    this.#instances.push(this.#newInstance(name, new ErrorLog(() => this.now())));
  }

  removeInstance(instance: TraceInstance): void {
    instance.disableAll();
    this.#instances.splice(this.#instances.indexOf(instance), 1);
  }

  #newInstance(name: string, errors: ErrorLog): TraceInstance {
    const { version } = this.#kernel;
    const isTop = name === "";
    const instance = new TraceInstance(name, {
      version,
      cpuCount: this.cpus,
      generation: this.registry.generation,
      expansion: version === "6.1" ? this.#expansion : { done: !isTop },
      ...(!isTop && { top: this.top }),
    }, errors);
    instance.triggerHost = triggerHost(this.#kernel, this, instance, this.#triggerState);
    return instance;
  }

  #everyInstance(): TraceInstance[] {
    return [this.top, ...this.#instances];
  }

  /** The trace event of a dynamic event. */
  traceEvent(event: DynamicEvent): TraceEvent {
    const found = this.#traceEvents.get(event);
    if (found === undefined) throw new KernelError("ENOENT", "lookup");
    return found;
  }

  addDynamic(event: DynamicEvent): void {
    const { group, name, id, fields, printFmt, kind } = event;
    const traceEvent: TraceEvent = {
      system: group,
      name,
      id,
      fields,
      printFmt,
      kind,
      // A uprobe event serves ftrace or perf, not both (kernel/trace/trace_uprobe.c).
      ...(kind === "uprobe" && {
        beforeEnable: () => {
          if (this.#kernel.perf.isListening(traceEvent)) throw new KernelError("EINTR", "write");
          for (const { place } of (event as ProbeEvent).probes) {
            if (place.kind === "uprobe") checkUprobePlace(this.#kernel, place);
          }
        },
      }),
    };
    this.#traceEvents.set(event, traceEvent);
    this.hits.set(event, { hits: 0n, missed: 0n });
    this.registry.add(traceEvent);
  }

  removeDynamic(event: DynamicEvent): void {
    this.removeEvent(this.traceEvent(event));
    this.#traceEvents.delete(event);
    this.hits.delete(event);
  }

  /** Takes an event out of every instance; their buffers go when the delete is over. */
  removeEvent(event: TraceEvent): void {
    const instances = this.#everyInstance();
    if (this.isWanted(event)) throw new KernelError("EBUSY", "write");
    for (const instance of instances) if (instance.forget(event)) this.#marked.add(instance);
    this.registry.remove(event);
  }

  /** The end of a delete: buffers that held entries of what is gone are wiped. */
  resetMarked(wipe: boolean): void {
    if (wipe) { for (const instance of this.#marked) instance.wipe(); }
    this.#marked.clear();
  }

  usageOf(event: DynamicEvent): EventUsage {
    const traceEvent = this.traceEvent(event);
    return { enabled: this.isWanted(traceEvent), referenced: false };
  }

  /** Whether any instance wants an event to fire: enabled, or with triggers. */
  isEnabledAnywhere(event: TraceEvent): boolean {
    return this.#everyInstance().some((instance) => instance.isActive(event));
  }

  /** Whether anybody wants entries of an event: an instance or perf. */
  isWanted(event: TraceEvent): boolean {
    return this.isEnabledAnywhere(event) || this.#kernel.perf.isListening(event);
  }

  /** Hands an entry to every instance that wants it. */
  record(occurrence: Occurrence & { readonly tid: number }): void {
    this.saveCommand(occurrence.tid, occurrence.comm);
    for (const instance of this.#everyInstance()) instance.record(occurrence, this.now());
  }

  /** Remembers the name of a thread that wrote to a buffer. */
  saveCommand(tid: number, comm: string): void {
    this.#savedCommands.delete(tid);
    this.#savedCommands.set(tid, comm);
    if (this.#savedCommands.size <= SAVED_COMMANDS) return;
    const [oldest] = this.#savedCommands.keys();
    this.#savedCommands.delete(oldest);
  }

  /** Text of `saved_cmdlines`. */
  savedCommands(): string {
    return [...this.#savedCommands].map(([tid, comm]) => `${tid} ${comm}\n`).join("");
  }

  /** Text of `kprobe_profile` and `uprobe_profile` (`probes_profile_seq_show`). */
  profileText(kind: "kprobe" | "uprobe"): string {
    let text = "";
    for (const [event, { hits, missed }] of this.hits) {
      if (!(event instanceof ProbeEvent) || event.kind !== kind) continue;
      const name = event.name.padEnd(44);
      if (kind === "kprobe") {
        text += `  ${name} ${String(hits).padStart(15)} ${String(missed).padStart(15)}\n`;
        continue;
      }
      for (const { place } of event.probes) {
        if (place.kind === "uprobe") {
          text += `  ${place.path} ${name} ${String(hits).padStart(15)}\n`;
        }
      }
    }
    return text;
  }
}
