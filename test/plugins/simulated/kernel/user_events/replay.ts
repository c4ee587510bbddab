import { errnoName } from "../../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../../core/kernel/error.ts";
import { formatText } from "../../../../../plugins/simulated/kernel/trace/event.ts";
import {
  DIAG_IOCSDEL,
  DIAG_IOCSREG,
  DIAG_IOCSUNREG,
} from "../../../../../plugins/simulated/kernel/user_events/abi.ts";
import {
  fromBytes,
  toBytes,
} from "../../../../../plugins/simulated/kernel/user_events/byte_string.ts";
import { DataFile } from "../../../../../plugins/simulated/kernel/user_events/data_file.ts";
import type { UserEvent } from "../../../../../plugins/simulated/kernel/user_events/event.ts";
import type { Era } from "../../../../../plugins/simulated/kernel/user_events/host.ts";
import { StatusFile } from "../../../../../plugins/simulated/kernel/user_events/status_file.ts";
import {
  type Action,
  type Answer,
  ARENA,
  FIRST_TASK,
  type Name,
  type Operation,
  steadyFormat,
} from "../../../../vm/user_events/operations.ts";
import type { VectorSection } from "../../../../vm/user_events/vector_file.ts";
import { MiniKernel, statusOf, type TestTask, TestTracer } from "./mini_kernel.ts";
import { TaskMemory } from "./task_memory.ts";

/** What a descriptor refers to. */
interface OpenFile {
  readonly file: DataFile | StatusFile | { close(): void };
  readonly access: "r" | "w" | "rw";
  holders: number;
}

interface ReplayTask extends TestTask {
  memory: TaskMemory;
  /** Threads of a process have the same. */
  slots: Map<number, OpenFile>;
  statusMaps: Map<number, { page: Uint8Array; unmap(): void }>;
}

/** An operation to which a real kernel answered something else. */
export interface Difference {
  readonly section: string;
  readonly operation: Operation;
  readonly real: Answer;
  readonly simulated: Answer;
}

type ActionOf<Op extends Action["op"]> = Extract<Action, { op: Op }>;

const LIMIT_PATH = "../../../proc/sys/kernel/user_events_max";

/** Carries operations out on the simulated user_events, and answers as the driver does. */
export class Replay {
  readonly kernel: MiniKernel;
  readonly #tasks = new Map<number, ReplayTask>();

  constructor(era: Era) {
    this.kernel = new MiniKernel(era);
    const first = { memory: arena(), slots: new Map(), statusMaps: new Map(), uid: 0 };
    this.#tasks.set(FIRST_TASK, first);
  }

  /** Carries out all vectors, and gives those to which it answers something else. */
  differences(sections: readonly VectorSection[]): Difference[] {
    return sections.flatMap(({ name, vectors }) =>
      vectors.flatMap(({ answer, ...operation }) => {
        const simulated = this.run(operation);
        const same = answer.ret === simulated.ret && answer.errno === simulated.errno &&
          answer.data === simulated.data;
        return same ? [] : [{ section: name, operation, real: answer, simulated }];
      })
    );
  }

  /** One operation. @throws what is no answer of a kernel */
  run(operation: Operation): Answer {
    const task = this.#tasks.get(operation.task ?? 0)!;
    try {
      const result = this.#carryOut(operation, task);
      if (typeof result === "number") return { ret: result, errno: "0" };
      return { errno: "0", ...result };
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      const answer = { ret: -1, errno: errnoName(error.errno) };
      const data = this.#dataOfFailure(operation, task);
      return data === undefined ? answer : { ...answer, data };
    }
  }

  /** What registrations left in the structure, and reads that failed. */
  #dataOfFailure(action: Action, task: ReplayTask): string | undefined {
    if (action.op === "reg" || action.op === "reg1") return this.#registered(action, task);
    return action.op === "read" || action.op === "peek" ? "" : undefined;
  }

  #carryOut(
    action: Action & { task?: number },
    task: ReplayTask,
  ): number | { ret: number; data: string } {
    const { words } = this.kernel.userEvents;
    switch (action.op) {
      case "open":
        return this.#open(action, task);
      case "close":
        return this.#close(task, action.slot);
      case "dup": {
        const open = this.#slot(task, action.slot);
        open.holders++;
        this.#put(task, action.to, open);
        return 0;
      }
      case "reg1":
      case "reg":
        return this.#register(action, task);
      case "unreg":
        return this.#unregister(action, task);
      case "del":
        return this.#data(task, action.slot)
          .ioctl(DIAG_IOCSDEL, this.#putName(action.name, task), task);
      case "ioctl":
        return this.#data(task, action.slot).ioctl(action.request, BigInt(action.address), task);
      case "write":
        return this.#writable(task, action.slot).write(toBytes(action.bytes), task);
      case "writev":
        return this.#writable(task, action.slot).writev(toBytes(action.bytes), task);
      case "pwrite": {
        const position = BigInt(action.position);
        return this.#writable(task, action.slot).write(toBytes(action.bytes), task, { position });
      }
      case "write-at": {
        const { address, count } = action;
        let readable = count;
        while (task.memory.read(BigInt(address), readable) === null) readable--;
        const bytes = task.memory.read(BigInt(address), readable)!;
        return this.#writable(task, action.slot).write(bytes, task, { count });
      }
      case "poke":
        task.memory.write(BigInt(action.address), toBytes(action.bytes));
        return 0;
      case "peek": {
        const bytes = task.memory.read(BigInt(action.address), action.count);
        if (bytes === null) throw new KernelError("EFAULT", "process_vm_readv");
        return { ret: action.count, data: fromBytes(bytes) };
      }
      case "map":
        task.memory.map(action.address, action.count, action.access === "rw");
        return 0;
      case "unmap":
        task.memory.unmap(action.address, action.count);
        return 0;
      case "map-status":
        return this.#mapStatus(action, task);
      case "peek-status": {
        const { page } = task.statusMaps.get(action.slot)!;
        return {
          ret: 0,
          data: fromBytes(page.subarray(action.offset, action.offset + action.count)),
        };
      }
      case "poke-status":
        task.statusMaps.get(action.slot)!.page[action.offset] = action.byte;
        return 0;
      case "unmap-status":
        task.statusMaps.get(action.slot)!.unmap();
        task.statusMaps.delete(action.slot);
        return 0;
      case "read":
        return { ret: 0, data: this.#read(action.path) };
      case "list":
        return { ret: 0, data: this.#list(action.path) };
      case "append":
      case "truncate":
        return this.#writeFile(action, task);
      case "perf":
        return this.#openPerf(action, task);
      case "entries":
        return [...this.kernel.ftrace.values()].reduce((sum, t) => sum + t.records.length, 0);
      case "faults":
        return this.kernel.log.filter((line) => line.startsWith("user_events: Fault")).length;
      case "euid":
        task.uid = action.uid;
        return 0;
      case "thread": {
        const thread = { ...task };
        this.#tasks.set(action.child, thread);
        words.fork(task, thread, true);
        return 0;
      }
      case "fork": {
        const slots = new Map(task.slots);
        for (const open of slots.values()) open.holders++;
        const child = { ...task, memory: task.memory.clone(), slots, statusMaps: new Map() };
        this.#tasks.set(action.child, child);
        words.fork(task, child, false);
        return 0;
      }
      case "vfork": {
        const child = { ...task };
        words.fork(task, child, true);
        words.leave(child);
        return 0;
      }
      case "exec":
        words.leave(task);
        task.memory = arena();
        for (const map of task.statusMaps.values()) map.unmap();
        task.statusMaps = new Map();
        return 0;
      case "exit":
        return this.#exit(action.task ?? 0, task);
      case "settle":
        this.kernel.settle();
        return 0;
    }
  }

  #open({ path, access, slot }: ActionOf<"open">, task: ReplayTask): number {
    const { userEvents } = this.kernel;
    const isData = path === "user_events_data";
    const file = isData ? userEvents.openData() : userEvents.openStatus();
    this.#put(task, slot, { file, access, holders: 1 });
    return 0;
  }

  #put(task: ReplayTask, slot: number, open: OpenFile): void {
    if (task.slots.has(slot)) this.#close(task, slot);
    task.slots.set(slot, open);
  }

  #close(task: ReplayTask, slot: number): number {
    const open = this.#slot(task, slot);
    task.slots.delete(slot);
    open.holders--;
    if (open.holders === 0) open.file.close();
    return 0;
  }

  #exit(number: number, task: ReplayTask): number {
    this.#tasks.delete(number);
    this.kernel.userEvents.words.leave(task);
    if ([...this.#tasks.values()].some((other) => other.slots === task.slots)) return 0;
    for (const map of task.statusMaps.values()) map.unmap();
    for (const slot of [...task.slots.keys()]) this.#close(task, slot);
    return 0;
  }

  #slot(task: ReplayTask, slot: number): OpenFile {
    const open = task.slots.get(slot);
    if (open === undefined) throw new KernelError("EBADF", "ioctl");
    return open;
  }

  #data(task: ReplayTask, slot: number): DataFile {
    const { file } = this.#slot(task, slot);
    if (!(file instanceof DataFile)) throw new KernelError("ENOTTY", "ioctl");
    return file;
  }

  #writable(task: ReplayTask, slot: number): DataFile {
    const { file, access } = this.#slot(task, slot);
    if (access === "r") throw new KernelError("EBADF", "write");
    if (!(file instanceof DataFile)) throw new KernelError("EINVAL", "write");
    return file;
  }

  #putName(name: Name, task: ReplayTask): bigint {
    if (name === null) return 0n;
    if (typeof name === "object") return BigInt(name.at);
    task.memory.write(BigInt(ARENA.names), toBytes(`${name}\0`));
    return BigInt(ARENA.names);
  }

  #register(action: ActionOf<"reg" | "reg1">, task: ReplayTask): { ret: number; data: string } {
    const name = this.#putName(action.name, task);
    const bytes = new Uint8Array(4096);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, action.size, true);
    if (action.op === "reg1") {
      view.setBigUint64(4, name, true);
      bytes.fill(0xff, 12, 20);
      bytes.set(toBytes(action.tail), 20);
    } else {
      view.setUint8(4, action.bit);
      view.setUint8(5, action.word);
      view.setUint16(6, action.flags, true);
      view.setBigUint64(8, BigInt(action.address), true);
      view.setBigUint64(16, name, true);
      bytes.fill(0xff, 24, 28);
      bytes.set(toBytes(action.tail), 28);
    }
    task.memory.write(BigInt(ARENA.structures), bytes);
    const address = BigInt(ARENA.structures);
    const ret = this.#data(task, action.slot).ioctl(DIAG_IOCSREG, address, task);
    return { ret, data: this.#registered(action, task) };
  }

  /** Write index, and in version 1 the status bit after it. */
  #registered({ op }: ActionOf<"reg" | "reg1">, task: ReplayTask): string {
    const read = (offset: number) =>
      fromBytes(task.memory.read(BigInt(ARENA.structures + offset), 4)!);
    return op === "reg1" ? read(16) + read(12) : read(24);
  }

  #unregister(action: ActionOf<"unreg">, task: ReplayTask): number {
    const bytes = new Uint8Array(4096);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, action.size, true);
    view.setUint8(4, action.bit);
    view.setUint8(5, action.reserved);
    view.setUint16(6, action.reserved2, true);
    view.setBigUint64(8, BigInt(action.address), true);
    bytes.set(toBytes(action.tail), 16);
    task.memory.write(BigInt(ARENA.structures), bytes);
    return this.#data(task, action.slot).ioctl(DIAG_IOCSUNREG, BigInt(ARENA.structures), task);
  }

  #mapStatus({ slot, count, access, kind }: ActionOf<"map-status">, task: ReplayTask): number {
    const open = this.#slot(task, slot);
    if (kind === "shared" && access === "rw" && open.access !== "rw") {
      throw new KernelError("EACCES", "mmap");
    }
    if (!(open.file instanceof StatusFile)) throw new KernelError("ENODEV", "mmap");
    const file = open.file;
    const page = file.mmap(count);
    const shown = kind === "private" && access === "rw" ? page.slice() : page;
    task.statusMaps.set(slot, { page: shown, unmap: () => file.unmap() });
    return 0;
  }

  #read(path: string): string {
    if (path === "user_events_status") return statusOf(this.kernel);
    if (path === "dynamic_events") return this.kernel.dynamicEventsText();
    if (path === LIMIT_PATH) return `${this.kernel.userEvents.maxEvents}\n`;
    return steadyFormat(formatText(this.#event(path, "format")));
  }

  #list(path: string): string {
    const names = this.kernel.events.filter((event) => `events/${event.system}` === path)
      .map((event) => event.name);
    if (names.length === 0) throw new KernelError("ENOENT", "open");
    return [...names, "enable", "filter"].sort().map((name) => `${name}\n`).join("");
  }

  #event(path: string, file: string): UserEvent {
    const [events, system = "", name = "", last] = path.split("/");
    const event = this.kernel.find(system, name);
    if (events !== "events" || last !== file || event === undefined) {
      throw new KernelError("ENOENT", "open", path);
    }
    return event;
  }

  #writeFile({ op, path, bytes }: ActionOf<"append" | "truncate">, task: ReplayTask): number {
    if (path === "trace") {
      for (const tracer of this.kernel.ftrace.values()) tracer.records.length = 0;
      return bytes.length;
    }
    if (path === LIMIT_PATH) {
      this.kernel.userEvents.maxEvents = Number(bytes);
      return bytes.length;
    }
    if (path === "dynamic_events") {
      if (op === "truncate") this.kernel.truncateDynamicEvents(task);
      return this.kernel.writeDynamicEvents(bytes, task);
    }
    this.kernel.enable(this.#event(path, "enable"), bytes === "1");
    return bytes.length;
  }

  #openPerf({ slot, path }: ActionOf<"perf">, task: ReplayTask): number {
    const event = this.#event(path, "id");
    const tracer = new TestTracer("perf", event);
    event.attach(tracer);
    const file = { close: () => event.detach(tracer) };
    this.#put(task, slot, { file, access: "rw", holders: 1 });
    return 0;
  }
}

function arena(): TaskMemory {
  const memory = new TaskMemory();
  memory.map(ARENA.words, 4096, true);
  memory.map(ARENA.readOnly, 4096, false);
  memory.map(ARENA.structures, ARENA.structuresEnd - ARENA.structures, true);
  return memory;
}
