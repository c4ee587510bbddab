import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import type { DataFile } from "../../../../../plugins/simulated/kernel/user_events/data_file.ts";
import type { UserEvent } from "../../../../../plugins/simulated/kernel/user_events/event.ts";
import type { EnableWords } from "../../../../../plugins/simulated/kernel/user_events/enable_words.ts";
import { MiniKernel, type TestTask } from "./mini_kernel.ts";
import { registerV2 } from "./register.ts";
import { TaskMemory } from "./task_memory.ts";

const WORD = 0x10000;

/** Work that is left for later is what the vectors cannot show: there the kernel is always done. */
describe("an enable word that is not there", () => {
  let kernel: MiniKernel;
  let words: EnableWords;
  let memory: TaskMemory;
  let task: TestTask;
  let file: DataFile;
  let event: UserEvent;

  beforeEach(() => {
    kernel = new MiniKernel("6.12");
    words = kernel.userEvents.words;
    memory = new TaskMemory();
    memory.map(0x1000, 8192, true);
    memory.map(WORD, 4096, true);
    task = { memory, uid: 0 };
    file = kernel.userEvents.openData();
    registerV2(file, "ev u32 a", task, { address: WORD, bit: 3 });
    event = kernel.events[0]!;
    memory.unmap(WORD, 4096);
  });

  it("is written later, if it is there then", () => {
    kernel.enable(event, true);
    memory.map(WORD, 4096, true);
    assert.deepEqual(memory.read(BigInt(WORD), 1), Uint8Array.of(0));
    kernel.settle();
    assert.deepEqual(memory.read(BigInt(WORD), 1), Uint8Array.of(8));
    assert.deepEqual(kernel.log, []);
  });

  it("makes one complaint, however often the event changes before", () => {
    kernel.enable(event, true);
    kernel.enable(event, false);
    kernel.enable(event, true);
    kernel.settle();
    assert.deepEqual(kernel.log, [
      "user_events: Fault for mm: 0x0000000000000000 @ 0x10000 event: ev",
    ]);
    kernel.enable(event, false);
    kernel.settle();
    assert.equal(kernel.log.length, 2);
  });

  it("makes none when its process has ended", () => {
    kernel.enable(event, true);
    words.leave(task);
    kernel.settle();
    assert.deepEqual(kernel.log, []);
    assert.equal(event.references, 2);
  });

  it("may be unregistered while the kernel waits for it, and is not copied by fork then", () => {
    kernel.enable(event, true);
    assert.throws(
      () => words.remove(task, BigInt(WORD), 3),
      (error: unknown) => isKernelError(error, "EFAULT"),
    );
    assert.equal(event.references, 3);
    const child: TestTask = { memory: memory.clone(), uid: 0 };
    words.fork(task, child, false);
    assert.ok(!words.has(child, BigInt(WORD), 3));
    kernel.settle();
    assert.equal(event.references, 2);
    assert.ok(!words.has(task, BigInt(WORD), 3));
  });
});
