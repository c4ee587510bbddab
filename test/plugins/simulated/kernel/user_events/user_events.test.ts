import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ErrnoCode } from "../../../../../core/kernel/errno.ts";
import { isKernelError, KernelError } from "../../../../../core/kernel/error.ts";
import { CyclicIds } from "../../../../../plugins/simulated/kernel/user_events/cyclic_ids.ts";
import type { UserEvent } from "../../../../../plugins/simulated/kernel/user_events/event.ts";
import { StatusPage } from "../../../../../plugins/simulated/kernel/user_events/status_page.ts";
import { MiniKernel, statusOf, type TestTask } from "./mini_kernel.ts";
import { registerV1, registerV2 } from "./register.ts";
import { TaskMemory } from "./task_memory.ts";

const WORDS = 0x10000;

function newTask(): TestTask {
  const memory = new TaskMemory();
  memory.map(0x1000, 8192, true);
  memory.map(WORDS, 4096, true);
  return { memory, uid: 0 };
}

function fails(code: ErrnoCode, body: () => unknown): void {
  assert.throws(body, (error: unknown) => isKernelError(error, code));
}

describe("the root group", () => {
  it("shows nothing but totals when it is empty", () => {
    const totals = "\nActive: 0\nBusy: 0\n";
    assert.equal(statusOf(new MiniKernel("6.12")), totals);
    assert.equal(statusOf(new MiniKernel("6.1")), `${totals}Max: 32768\n`);
    assert.equal(statusOf(new MiniKernel("rfc2022")), `${totals}Max: 32768\nLimit: 32767\n`);
  });

  it("has two references, and one more for each open file and its mapping", () => {
    const { userEvents } = new MiniKernel("rfc2022");
    assert.equal(userEvents.root.references, 2);
    const data = userEvents.openData();
    const status = userEvents.openStatus();
    assert.equal(userEvents.root.references, 4);
    status.mmap(4096);
    status.close();
    data.close();
    assert.equal(userEvents.root.references, 3);
    status.unmap();
    assert.equal(userEvents.root.references, 2);
  });
});

describe("indexes of version 1", () => {
  it("are given until the page is full, the lowest free one first", () => {
    const page = new StatusPage();
    for (let index = 1; index < 32768; index++) {
      assert.equal(page.firstFree(32768), index);
      page.take(index);
    }
    assert.equal(page.firstFree(32768), null);
    page.free(700);
    page.free(9);
    assert.equal(page.firstFree(32768), 9);
    assert.equal(page.firstFree(9), null);
  });

  it("run out with EMFILE, after which known names still register", () => {
    const kernel = new MiniKernel("6.1");
    const task = newTask();
    const file = kernel.userEvents.openData();
    kernel.userEvents.root.limit = 40;
    for (let i = 1; i <= 40; i++) registerV1(file, `e${i}`, task);
    fails("EMFILE", () => registerV1(file, "more bad field", task));
    assert.deepEqual(registerV1(file, "e7", task), { writeIndex: 6, statusBit: 7 });
  });
});

describe("trace event ids", () => {
  for (const era of ["6.1", "6.12"] as const) {
    it(`run out with ENODEV, after the fields are found right (${era})`, () => {
      const kernel = new MiniKernel(era);
      const task = newTask();
      const file = kernel.userEvents.openData();
      kernel.freeIds = 0;
      const register = (command: string) =>
        era === "6.12"
          ? registerV2(file, command, task, { address: WORDS })
          : registerV1(file, command, task);
      fails("EINVAL", () => register("a bad b"));
      fails("ENODEV", () => register("a u32 b"));
      assert.equal(kernel.userEvents.eventCount, 0);
      kernel.freeIds = 1;
      register("a u32 b");
    });
  }
});

describe("deletion in version 2", () => {
  it("waits for the work queue, and a registration in between keeps the event", () => {
    const kernel = new MiniKernel("6.12");
    const { words } = kernel.userEvents;
    const task = newTask();
    const first = kernel.userEvents.openData();
    registerV2(first, "brief u32 a", task, { address: WORDS });
    const [event] = kernel.events;
    words.leave(task);
    kernel.settle();
    first.close();
    assert.equal(event!.references, 1);
    fails("EBUSY", () => kernel.writeDynamicEvents("-:brief u32 a", task));
    fails("EBUSY", () => kernel.truncateDynamicEvents(task));

    const second = kernel.userEvents.openData();
    registerV2(second, "brief u32 a", task, { address: WORDS });
    assert.equal(event!.references, 3);
    kernel.settle();
    assert.deepEqual(kernel.events, [event]);
    assert.equal(event!.references, 2);

    second.close();
    words.leave(task);
    kernel.settle();
    assert.deepEqual(kernel.events, []);
  });

  it("leaves an event that the tracing core keeps, and says so in the log", () => {
    class Stubborn extends MiniKernel {
      refuses = true;
      override onRemove(event: UserEvent): void {
        if (this.refuses) throw new KernelError("EBUSY", "remove");
        super.onRemove(event);
      }
    }
    const kernel = new Stubborn("6.12");
    const task = newTask();
    const file = kernel.userEvents.openData();
    registerV2(file, "kept u32 a", task, { address: WORDS });
    kernel.userEvents.words.leave(task);
    file.close();
    kernel.settle();
    assert.deepEqual(kernel.log, ["user_events: Unable to delete event"]);
    assert.equal(kernel.events[0]!.references, 1);
    kernel.refuses = false;
    const again = kernel.userEvents.openData();
    registerV2(again, "kept u32 a", task, { address: WORDS });
    assert.equal(kernel.events[0]!.references, 3);
  });
});

describe("a write while nobody listens", () => {
  it("is a success before 2023, and EBADF from then on", () => {
    for (const era of ["rfc2022", "6.1", "6.12"] as const) {
      const kernel = new MiniKernel(era);
      const task = newTask();
      const file = kernel.userEvents.openData();
      if (era === "6.12") registerV2(file, "w u32 a", task, { address: WORDS });
      else registerV1(file, "w u32 a", task);
      const write = () => file.write(new Uint8Array(9), task);
      if (era === "rfc2022") assert.equal(write(), 9);
      else fails("EBADF", write);
      fails("EINVAL", () => file.write(new Uint8Array(7), task));
    }
  });
});

describe("CyclicIds", () => {
  it("gives a freed id again only after all above it", () => {
    const ids = new CyclicIds(1, 4);
    assert.deepEqual([ids.allocate(), ids.allocate(), ids.allocate()], [1, 2, 3]);
    ids.free(1);
    ids.free(2);
    assert.deepEqual([ids.allocate(), ids.allocate(), ids.allocate()], [4, 1, 2]);
    assert.equal(ids.allocate(), null);
    ids.free(3);
    assert.equal(ids.allocate(), 3);
  });
});
