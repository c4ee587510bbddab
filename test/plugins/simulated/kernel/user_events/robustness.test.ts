import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { KernelError } from "../../../../../core/kernel/error.ts";
import {
  DIAG_IOCSDEL,
  DIAG_IOCSREG,
  DIAG_IOCSUNREG,
} from "../../../../../plugins/simulated/kernel/user_events/abi.ts";
import { fromBytes } from "../../../../../plugins/simulated/kernel/user_events/byte_string.ts";
import { Namespaces } from "../../../../../plugins/simulated/kernel/user_events/namespaces.ts";
import { MiniKernel, statusOf, type TestTask } from "./mini_kernel.ts";
import { registerV1, registerV2 } from "./register.ts";
import { TaskMemory } from "./task_memory.ts";

const ERAS = ["rfc2022", "6.1", "6.12"] as const;
const WORDS = 0x10000;

function newTask(): TestTask {
  const memory = new TaskMemory();
  memory.map(0x1000, 8192, true);
  memory.map(WORDS, 4096, true);
  return { memory, uid: 0 };
}

/** Runs `body`, which may fail as a kernel fails and not otherwise. */
function attempt(body: () => unknown): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    assert.match(error.code, /^E/);
  }
}

const pieces = fc.array(
  fc.constantFrom(
    ..."u32 char char[ 4 ] [] __rel_loc __data_loc struct unsigned x 99999999999 4294967290 -1"
      .split(
        " ",
      ),
    ..." ; : # \t \n \xa0".split(" "),
    " ",
    " ",
    "; ",
  ),
  { maxLength: 60 },
).map((parts) => parts.join(""));
const bytes = fc.uint8Array({ min: 1, maxLength: 700 }).map(fromBytes);

describe("user_events and nonsense", () => {
  for (const era of ERAS) {
    it(`${era}: any command is registered or refused, and listed`, () => {
      const kernel = new MiniKernel(era);
      const task = newTask();
      const file = kernel.userEvents.openData();
      let bit = 0;
      fc.assert(
        fc.property(fc.oneof(pieces, bytes), (command) => {
          const address = WORDS + 4 * (bit >> 5);
          if (era !== "6.12") attempt(() => registerV1(file, command.slice(0, 520), task));
          else {
            attempt(() =>
              registerV2(file, command.slice(0, 520), task, { address, bit: bit++ & 31 })
            );
          }
          attempt(() => kernel.writeDynamicEvents(`u:${command}`, task));
          attempt(() => kernel.writeDynamicEvents(`-:${command}`, task));
          assert.ok(statusOf(kernel).endsWith("\n"));
          assert.equal(kernel.userEvents.eventCount, kernel.events.length);
        }),
        { seed: 5, numRuns: 400 },
      );
    });

    it(`${era}: any structure is taken or refused`, () => {
      const kernel = new MiniKernel(era);
      const task = newTask();
      const file = kernel.userEvents.openData();
      const near = fc.constantFrom(0x1000n, 0x1010n, BigInt(WORDS), 0x2ff0n, 0n, 2n ** 64n - 8n);
      const requests = fc.constantFrom(DIAG_IOCSREG, DIAG_IOCSDEL, DIAG_IOCSUNREG, 0);
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 64 }),
          fc.nat({ max: 64 }),
          near,
          near,
          requests,
          (content, size, address, pointer, request) => {
            const structure = new DataView(new ArrayBuffer(64));
            new Uint8Array(structure.buffer).set(content);
            structure.setUint32(0, size, true);
            structure.setBigUint64(era === "6.12" ? 16 : 4, pointer, true);
            structure.setBigUint64(8, pointer, true);
            task.memory.write(0x1000n, new Uint8Array(structure.buffer));
            attempt(() => file.ioctl(request, address, task));
            kernel.settle();
          },
        ),
        { seed: 6, numRuns: 1000 },
      );
    });

    it(`${era}: any payload is recorded as it is, refused, or lost`, () => {
      const kernel = new MiniKernel(era);
      const task = newTask();
      const file = kernel.userEvents.openData();
      const commands = [
        "a __rel_loc char[] s; __data_loc u8[] t; u32 u",
        "b __data_loc char[] s",
        "c struct x s 2147483647; __rel_loc char[] t; struct y u 2147483644",
        "d",
      ];
      for (const [i, command] of commands.entries()) {
        if (era === "6.12") registerV2(file, command, task, { address: WORDS, bit: i });
        else registerV1(file, command, task);
      }
      for (const event of kernel.events) kernel.enable(event, true);
      // Small numbers, so that locations are right now and then.
      const payload = fc.tuple(
        fc.array(fc.nat({ max: 16 }), { maxLength: 8 }),
        fc.uint8Array({ maxLength: 20, max: 1 }),
      ).map(([locations, rest]) => Uint8Array.from([...locations.flatMap((n) => [n, 0]), ...rest]));
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 4 }), payload, (index, payload) => {
          const event = kernel.events[index];
          const records = event === undefined ? [] : kernel.ftrace.get(event)!.records;
          const before = records.length;
          let written = -1;
          attempt(() => written = file.write(Uint8Array.from([index, 0, 0, 0, ...payload]), task));
          assert.ok(written === -1 || written === payload.length + 4);
          assert.equal(records.length - before, written === -1 ? 0 : 1);
          if (written !== -1) assert.deepEqual(records.at(-1)!.subarray(8), payload);
        }),
        { seed: 7, numRuns: 1000 },
      );
      assert.ok(kernel.ftrace.get(kernel.events[0]!)!.discarded > 0);
      assert.ok(kernel.ftrace.get(kernel.events[0]!)!.records.length > 0);
    });
  }

  it("any options are taken or refused", () => {
    const kernel = new MiniKernel("rfc2022");
    const namespaces = new Namespaces(kernel, kernel.userEvents);
    const namespace = namespaces.mkdir("ns", newTask());
    const options = namespaces.openOptions(namespace);
    const line = fc.tuple(fc.constantFrom("user_events_limit=", "x", ""), fc.string());
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        const text = lines.map((parts) => parts.join("")).join("\n");
        attempt(() => options.write(new TextEncoder().encode(text)));
        assert.ok(namespace.group.limit >= 1 && namespace.group.limit <= 32767);
      }),
      { seed: 8 },
    );
  });
});
