import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import type { ErrnoCode } from "../../../../../core/kernel/errno.ts";
import { DIAG_IOCSDEL } from "../../../../../plugins/simulated/kernel/user_events/abi.ts";
import {
  fromBytes,
  toBytes,
} from "../../../../../plugins/simulated/kernel/user_events/byte_string.ts";
import type { DataFile } from "../../../../../plugins/simulated/kernel/user_events/data_file.ts";
import {
  type Namespace,
  Namespaces,
} from "../../../../../plugins/simulated/kernel/user_events/namespaces.ts";
import { MiniKernel, statusOf, type TestTask } from "./mini_kernel.ts";
import { registerV1 } from "./register.ts";
import { TaskMemory } from "./task_memory.ts";

let kernel: MiniKernel;
let namespaces: Namespaces;
let task: TestTask;

function fails(code: ErrnoCode, body: () => unknown): void {
  assert.throws(body, (error: unknown) => isKernelError(error, code));
}

function openIn(namespace: Namespace): DataFile {
  return kernel.userEvents.openData(namespace.id);
}

function setOptions(namespace: Namespace, text: string): number {
  const file = namespaces.openOptions(namespace);
  try {
    return file.write(toBytes(text));
  } finally {
    file.close();
  }
}

beforeEach(() => {
  kernel = new MiniKernel("rfc2022");
  namespaces = new Namespaces(kernel, kernel.userEvents);
  const memory = new TaskMemory();
  memory.map(0x1000, 8192, true);
  task = { memory, uid: 0 };
});

describe("mkdir in namespaces", () => {
  it("gives ids from 1 on, and an old one only after all others", () => {
    assert.equal(namespaces.mkdir("a", task).id, 1);
    namespaces.rmdir("a");
    assert.equal(namespaces.mkdir("a", task).id, 2);
  });

  it("refuses a name that is there, one too long, and anyone but root", () => {
    namespaces.mkdir("a", task);
    fails("EEXIST", () => namespaces.mkdir("a", task));
    fails("ENAMETOOLONG", () => namespaces.mkdir("x".repeat(256), task));
    const other: TestTask = { ...task, uid: 1000 };
    fails("ENOMEM", () => namespaces.mkdir("b", other));
    namespaces.mkdir("x".repeat(255), task);
    assert.deepEqual(namespaces.list().map(({ name }) => name), ["a", "x".repeat(255)]);
  });

  it("starts an empty group of its own", () => {
    const namespace = namespaces.mkdir("sp ace", task);
    assert.equal(namespace.group.systemName, "user_events.sp ace");
    assert.equal(namespace.group.references, 1);
    assert.equal(
      statusOf(kernel, namespace.id),
      "\nActive: 0\nBusy: 0\nMax: 32768\nLimit: 32767\n",
    );
  });
});

describe("a namespace", () => {
  it("keeps its events apart from those of the same name elsewhere", () => {
    const inside = openIn(namespaces.mkdir("ns", task));
    const outside = kernel.userEvents.openData();
    registerV1(outside, "first", task);
    assert.deepEqual(registerV1(outside, "ev u32 a", task), { writeIndex: 1, statusBit: 2 });
    assert.deepEqual(registerV1(inside, "ev u64 b", task), { writeIndex: 0, statusBit: 1 });
    assert.deepEqual(kernel.events.map(({ system, name }) => `${system}/${name}`), [
      "user_events/first",
      "user_events/ev",
      "user_events.ns/ev",
    ]);
    outside.close();
    task.memory.write(0x1000n, toBytes("first\0"));
    fails("ENOENT", () => inside.ioctl(DIAG_IOCSDEL, 0x1000n, task));
  });

  it("takes its idle events along", () => {
    const namespace = namespaces.mkdir("ns", task);
    const file = openIn(namespace);
    registerV1(file, "ev u32 a", task);
    fails("EBUSY", () => namespaces.rmdir("ns"));
    file.close();
    assert.equal(kernel.events.length, 1);
    namespaces.rmdir("ns");
    assert.equal(kernel.events.length, 0);
    assert.equal(kernel.userEvents.eventCount, 0);
    fails("ENOENT", () => openIn(namespace));
    fails("ENOENT", () => namespaces.rmdir("ns"));
  });

  it("stays while its status is mapped, its options are open or an event is traced", () => {
    const namespace = namespaces.mkdir("ns", task);
    const status = kernel.userEvents.openStatus(namespace.id);
    status.mmap(4096);
    status.close();
    fails("EBUSY", () => namespaces.rmdir("ns"));
    status.unmap();
    const options = namespaces.openOptions(namespace);
    fails("EBUSY", () => namespaces.rmdir("ns"));
    options.close();
    const file = openIn(namespace);
    registerV1(file, "ev u32 a", task);
    file.close();
    kernel.enable(kernel.events[0]!, true);
    fails("EBUSY", () => namespaces.rmdir("ns"));
    kernel.enable(kernel.events[0]!, false);
    namespaces.rmdir("ns");
  });

  it("has what dynamic_events deletes by name, but nothing is made in it there", () => {
    const inside = openIn(namespaces.mkdir("ns", task));
    registerV1(inside, "ev u32 a", task);
    inside.close();
    kernel.writeDynamicEvents("u:ev u64 b", task);
    assert.equal(kernel.dynamicEventsText(), "u:ev u32 a\nu:ev u64 b\n");
    fails("ENOENT", () => kernel.writeDynamicEvents("-:user_events.ns/ev", task));
    kernel.writeDynamicEvents("-:user_events/ev", task);
    assert.equal(kernel.dynamicEventsText(), "");
  });
});

describe("the options of a namespace", () => {
  it("limit new events, not those that are there", () => {
    const namespace = namespaces.mkdir("ns", task);
    const file = openIn(namespace);
    const other = kernel.userEvents.openData();
    setOptions(namespace, "user_events_limit=2");
    for (const name of ["a", "b"]) registerV1(file, name, task);
    fails("EMFILE", () => registerV1(file, "c", task));
    registerV1(other, "c", task);
    setOptions(namespace, "user_events_limit=1");
    registerV1(file, "b", task);
    assert.match(statusOf(kernel, namespace.id), /^Active: 2$[^]*^Limit: 1$/m);
    task.memory.write(0x1000n, toBytes("a\0"));
    fails("EBUSY", () => file.ioctl(DIAG_IOCSDEL, 0x1000n, task));
  });

  it("are read as they stand, and written in any base", () => {
    const namespace = namespaces.mkdir("ns", task);
    const read = () => fromBytes(namespaces.openOptions(namespace).text());
    assert.equal(read(), "user_events_limit=32767\n");
    for (const [value, limit] of [["0x10", 16], ["010", 8], ["32767", 32767], ["1", 1]]) {
      const line = `user_events_limit=${value}\n`;
      assert.equal(setOptions(namespace, line), line.length);
      assert.equal(read(), `user_events_limit=${limit}\n`);
    }
  });

  it("refuse the first wrong line and keep those before it", () => {
    const namespace = namespaces.mkdir("ns", task);
    const wrong = [
      "user_events_limit=0",
      "user_events_limit=32768",
      "user_events_limit=-1",
      "user_events_limit= 5",
      "user_events_limit=5 ",
      "user_events_limit=5 # five",
      "user_events_limit",
      "user_events_limit=",
      "user_events_limit=5=5",
      "other=5",
      "# comment",
      "\n",
    ];
    for (const line of wrong) {
      fails("EINVAL", () => setOptions(namespace, `user_events_limit=7\n${line}`));
      assert.equal(namespace.group.limit, 7, line);
      namespace.group.limit = 32767;
    }
    setOptions(namespace, "user_events_limit=9#nine");
    assert.equal(namespace.group.limit, 9);
  });
});
