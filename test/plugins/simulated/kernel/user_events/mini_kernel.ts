import { KernelError } from "../../../../../core/kernel/error.ts";
import {
  fromBytes,
  toBytes,
} from "../../../../../plugins/simulated/kernel/user_events/byte_string.ts";
import { splitWords } from "../../../../../plugins/simulated/kernel/dynamic/ctype.ts";
import { runCommands } from "../../../../../plugins/simulated/kernel/dynamic/run_command.ts";
import { refuse, systemCall } from "../../../../../plugins/simulated/kernel/user_events/refusal.ts";
import {
  createByCommand,
  deleteByCommand,
  matchesCommand,
} from "../../../../../plugins/simulated/kernel/user_events/dynamic_events.ts";
import type {
  Tracer,
  TracerKind,
  UserEvent,
} from "../../../../../plugins/simulated/kernel/user_events/event.ts";
import type {
  Capability,
  Era,
  Task,
  UserEventsHost,
} from "../../../../../plugins/simulated/kernel/user_events/host.ts";
import { UserEvents } from "../../../../../plugins/simulated/kernel/user_events/user_events.ts";

/** A task that knows which capabilities it has. */
export interface TestTask extends Task {
  uid: number;
}

/** Takes all records that fit, like the ring buffer of an instance or perf. */
export class TestTracer implements Tracer {
  readonly kind: TracerKind;
  readonly records: Uint8Array[] = [];
  discarded = 0;
  #event: UserEvent;

  constructor(kind: TracerKind, event: UserEvent) {
    this.kind = kind;
    this.#event = event;
  }

  reserve(size: number): Uint8Array | null {
    if (size > 8 + (this.kind === "perf" ? 8184 : 4064)) return null;
    const entry = new Uint8Array(size);
    new DataView(entry.buffer).setUint16(0, this.#event.id, true);
    return entry;
  }

  commit(entry: Uint8Array): void {
    this.records.push(entry);
  }

  discard(): void {
    this.discarded++;
  }
}

/** The rest of a kernel, as far as user_events need it: tracing core, work queue, log. */
export class MiniKernel implements UserEventsHost {
  readonly userEvents: UserEvents;
  /** In the order of `dynamic_events`. */
  readonly events: UserEvent[] = [];
  readonly log: string[] = [];
  readonly ftrace = new Map<UserEvent, TestTracer>();
  /** Trace event ids that are left. */
  freeIds = 60000;
  #lastId = 1000;
  #queue: (() => void)[] = [];

  constructor(era: Era) {
    this.userEvents = new UserEvents(this, era);
  }

  allocateEventId(): number | null {
    if (this.freeIds === 0) return null;
    this.freeIds--;
    return ++this.#lastId;
  }

  onAdd(event: UserEvent): void {
    this.events.push(event);
  }

  onRemove(event: UserEvent): void {
    if (event.enabled) throw new KernelError("EBUSY", "remove");
    this.events.splice(this.events.indexOf(event), 1);
    this.freeIds++;
  }

  capable(task: Task, _capability: Capability): boolean {
    return (task as TestTask).uid === 0;
  }

  dmesg(text: string): void {
    this.log.push(text);
  }

  later(work: () => void): void {
    this.#queue.push(work);
  }

  /** Lets all work that is left for later happen. */
  settle(): void {
    for (let work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) work();
  }

  find(system: string, name: string): UserEvent | undefined {
    return this.events.find((event) => event.system === system && event.name === name);
  }

  /** The `enable` file of an event. */
  enable(event: UserEvent, on: boolean): void {
    const tracer = this.ftrace.get(event);
    if (on && tracer === undefined) {
      const added = new TestTracer("ftrace", event);
      this.ftrace.set(event, added);
      event.attach(added);
    } else if (!on && tracer !== undefined) {
      this.ftrace.delete(event);
      event.detach(tracer);
    }
  }

  dynamicEventsText(): string {
    return this.events.map((event) => `${event.definition}\n`).join("");
  }

  /** write(2) to `dynamic_events`, with no other kind of events there (trace_dynevent.c). */
  writeDynamicEvents(text: string, task: Task): number {
    return systemCall("write", "dynamic_events", () => {
      runCommands(toBytes(text), (line) => this.#runCommand(line, task));
      return text.length;
    });
  }

  /** Opening `dynamic_events` with O_TRUNC. */
  truncateDynamicEvents(task: Task): void {
    if (this.events.some((event) => !event.idle)) throw new KernelError("EBUSY", "open");
    for (const event of [...this.events]) deleteByCommand(event, task);
  }

  #runCommand(line: string, task: Task): void {
    // Kinds of events that come before user_events take a blank line for done.
    if (splitWords(line).length === 0) return;
    if (line.startsWith("-") || line.startsWith("!")) this.#release(line, task);
    else if (createByCommand(this.userEvents.root, line, task) === null) refuse("EINVAL");
  }

  #release(line: string, task: Task): void {
    const [head = "", ...words] = splitWords(line);
    const colon = head.startsWith("-") ? 1 : head.indexOf(":");
    if (head[colon] !== ":") refuse("EINVAL");
    const target = head.slice(colon + 1);
    const slash = target.indexOf("/");
    const system = slash < 0 ? null : target.slice(0, slash);
    const name = target.slice(slash + 1);
    if (system === null && name === "") refuse("EINVAL");
    const matches = this.events.filter((event) => matchesCommand(event, system, name, words));
    if (matches.length === 0) refuse("ENOENT");
    for (const event of matches) deleteByCommand(event, task);
  }
}

/** The text of an open status file. */
export function statusOf(kernel: MiniKernel, group = 0): string {
  const file = kernel.userEvents.openStatus(group);
  const text = fromBytes(file.text());
  file.close();
  return text;
}
