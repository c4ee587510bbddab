import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { KernelError } from "../../../../../core/kernel/error.ts";
import {
  DIAG_IOCSDEL,
  DIAG_IOCSUNREG,
} from "../../../../../plugins/simulated/kernel/user_events/abi.ts";
import { toBytes } from "../../../../../plugins/simulated/kernel/user_events/byte_string.ts";
import type { DataFile } from "../../../../../plugins/simulated/kernel/user_events/data_file.ts";
import type { Era } from "../../../../../plugins/simulated/kernel/user_events/host.ts";
import { MiniKernel, type TestTask } from "./mini_kernel.ts";
import { registerV1, registerV2 } from "./register.ts";
import { TaskMemory } from "./task_memory.ts";

const NAMES = ["a", "b", "c"];
const WORDS = 0x10000;

/** What the books say that holds each event, kept beside the simulated kernel. */
class Books {
  readonly kernel: MiniKernel;
  readonly task: TestTask;
  readonly files: (DataFile | undefined)[] = [];
  /** Names registered through each file. */
  readonly registered: Set<string>[] = [];
  /** The event of each enable bit that is taken. */
  readonly bits = new Map<number, string>();
  readonly persistent = new Set<string>();

  constructor(era: Era) {
    this.kernel = new MiniKernel(era);
    const memory = new TaskMemory();
    memory.map(0x1000, 8192, true);
    memory.map(WORDS, 4096, true);
    this.task = { memory, uid: 0 };
  }

  get v2(): boolean {
    return this.kernel.userEvents.era === "6.12";
  }

  expected(name: string): number {
    const event = this.kernel.find("user_events", name);
    const own = !this.v2 || this.persistent.has(name) ? 1 : 0;
    const files = this.registered.filter((names, i) => this.files[i] && names.has(name)).length;
    const bits = [...this.bits.values()].filter((held) => held === name).length;
    return own + files + bits + (event?.enabled ? 1 : 0);
  }

  /** What was refused changes nothing; what is no kernel error is a mistake of the model. */
  try(body: () => void): void {
    try {
      body();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
    this.kernel.settle();
    const present = NAMES.filter((name) => this.#present(name));
    for (const name of NAMES) if (!present.includes(name)) this.persistent.delete(name);
    for (const name of present) {
      const event = this.kernel.find("user_events", name)!;
      assert.equal(event.references, this.expected(name), `references of "${name}"`);
      assert.ok(event.references > 0);
    }
    for (const name of this.bits.values()) assert.ok(present.includes(name));
    assert.equal(this.kernel.userEvents.eventCount, present.length);
  }

  register(slot: number, name: string, bit: number, flags: number): void {
    const file = this.files[slot];
    if (file === undefined) return;
    const known = this.#present(name);
    if (this.v2) registerV2(file, `${name} u32 x`, this.task, { address: WORDS, bit, flags });
    else registerV1(file, `${name} u32 x`, this.task);
    this.registered[slot]!.add(name);
    if (this.v2) this.bits.set(bit, name);
    if (flags !== 0 && !known) this.persistent.add(name);
  }

  unregister(slot: number, bit: number): void {
    const view = new DataView(new ArrayBuffer(16));
    view.setUint32(0, 16, true);
    view.setUint8(4, bit);
    view.setBigUint64(8, BigInt(WORDS), true);
    this.task.memory.write(0x1000n, new Uint8Array(view.buffer));
    this.files[slot]?.ioctl(DIAG_IOCSUNREG, 0x1000n, this.task);
    if (this.files[slot] !== undefined) this.bits.delete(bit);
  }

  open(slot: number): void {
    if (this.files[slot] !== undefined) return;
    this.files[slot] = this.kernel.userEvents.openData();
    this.registered[slot] = new Set();
  }

  close(slot: number): void {
    const file = this.files[slot];
    this.files[slot] = undefined;
    file?.close();
  }

  /** A line of `dynamic_events` makes an event that stays. */
  define(name: string): void {
    const known = this.#present(name);
    this.kernel.writeDynamicEvents(`u:${name} u32 x`, this.task);
    if (!known) this.persistent.add(name);
  }

  #present(name: string): boolean {
    return this.kernel.find("user_events", name) !== undefined;
  }

  delete(slot: number, name: string): void {
    this.task.memory.write(0x1000n, toBytes(`${name}\0`));
    this.files[slot]?.ioctl(DIAG_IOCSDEL, 0x1000n, this.task);
  }

  enable(name: string, on: boolean): void {
    const event = this.kernel.find("user_events", name);
    if (event !== undefined) this.kernel.enable(event, on);
  }

  exec(): void {
    this.bits.clear();
    this.kernel.userEvents.words.leave(this.task);
  }
}

const slot = fc.nat({ max: 2 });
const name = fc.constantFrom(...NAMES);
const bit = fc.nat({ max: 5 });
const action: fc.Arbitrary<(books: Books) => void> = fc.oneof(
  slot.map((slot) => (books: Books) => books.open(slot)),
  slot.map((slot) => (books: Books) => books.close(slot)),
  fc.tuple(slot, name, bit, fc.constantFrom(0, 0, 1)).map(
    ([slot, name, bit, flags]) => (books: Books) => books.register(slot, name, bit, flags),
  ),
  fc.tuple(slot, bit).map(([slot, bit]) => (books: Books) => books.unregister(slot, bit)),
  fc.tuple(slot, name).map(([slot, name]) => (books: Books) => books.delete(slot, name)),
  fc.tuple(name, fc.boolean()).map(([name, on]) => (books: Books) => books.enable(name, on)),
  name.map((name) => (books: Books) => books.define(name)),
  name.map((name) => (books: Books) => {
    books.kernel.writeDynamicEvents(`-:${name} u32 x`, books.task);
  }),
  fc.constant((books: Books) => books.exec()),
);

describe("references of events", () => {
  for (const era of ["rfc2022", "6.1", "6.12"] as const) {
    it(`are those of files, enable bits, tracers and the event itself (${era})`, () => {
      fc.assert(
        fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
          const books = new Books(era);
          for (const act of actions) books.try(() => act(books));
        }),
        { seed: 4, numRuns: 300 },
      );
    });
  }
});
