import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { KernelError } from "../../../../../core/kernel/error.ts";
import { heapSort } from "../../../../../plugins/simulated/kernel/trigger/hist/sort.ts";
import type { FilterField } from "../../../../../core/filter/field.ts";
import { histText } from "./arbitrary.ts";
import { TestInstance } from "./instance.ts";

const FIELDS: readonly FilterField[] = [
  { name: "a", type: "u32", offset: 8, size: 4, signed: false, filterType: "other" },
  { name: "ip", type: "unsigned long", offset: 12, size: 8, signed: false, filterType: "other" },
];

function instance(version: "6.12" | "6.1" = "6.12"): TestInstance {
  const made = new TestInstance(version);
  made.addEvent("test/first", FIELDS);
  made.addEvent("test/second", FIELDS);
  made.addSynthetic("done u64 lat");
  return made;
}

function triggers(of: TestInstance, event = "test/first") {
  const found = of.events.get(event)?.triggers;
  assert.ok(found);
  return found;
}

function fire(on: TestInstance, event: string, a: number, ip = 0n): void {
  const payload = Buffer.alloc(12);
  payload.writeUInt32LE(a, 0);
  payload.writeBigUInt64LE(ip, 4);
  on.fire(event, payload, { cpu: 1, pid: 7, comm: "test" });
}

function refusesWith(code: string, action: () => void): void {
  assert.throws(action, (error: unknown) => error instanceof KernelError && error.code === code);
}

describe("a trigger file", () => {
  it("lists the commands while there is no trigger", () => {
    assert.match(
      triggers(instance()).read(),
      /^# Available triggers:\n# traceon traceoff .* hist\n$/,
    );
  });

  it("fails with KernelError alone, whatever is written", () => {
    const text = fc.oneof(
      histText.map((rest) => `hist:${rest}`),
      fc.string({ unit: "binary", maxLength: 60 }).map((rest) => `hist:keys=${rest}`),
      fc.string({ unit: "binary", maxLength: 40 }),
    );
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 4 }),
        fc.constantFrom("6.12", "6.1"),
        (texts, version) => {
          const on = instance(version);
          for (const text of texts) {
            try {
              triggers(on).write(text);
            } catch (error) {
              assert.ok(error instanceof KernelError, String(error));
            }
            fire(on, "test/first", 1);
            triggers(on).read();
            triggers(on).readHist();
          }
        },
      ),
      { seed: 3, numRuns: 400 },
    );
  });

  it("refuses a page", () => {
    refusesWith("EINVAL", () => triggers(instance()).write(`traceon${" ".repeat(4090)}`));
  });
});

describe("switches", () => {
  it("act before the event is written, traceoff and stacktrace after it", () => {
    const on = instance();
    triggers(on).write("traceoff");
    triggers(on).write("stacktrace");
    const entry = new DataView(new ArrayBuffer(20));
    const context = { cpu: 0, pid: 1, comm: "x", timestamp: 0n };
    const after = triggers(on).fire({ entry, offset: 0, length: 20, context });
    assert.deepEqual([on.tracing, on.stacks], [true, 0]);
    after();
    assert.deepEqual([on.tracing, on.stacks], [false, 1]);
  });

  it("count only what they change", () => {
    const on = instance();
    triggers(on).write("traceoff:2");
    fire(on, "test/first", 0);
    fire(on, "test/first", 0);
    assert.equal(triggers(on).read(), "traceoff:count=1\n");
  });

  it("arm their event until they are gone", () => {
    const on = instance();
    triggers(on).write("traceon");
    triggers(on).write("enable_event:test:second");
    assert.deepEqual([...on.events.values()].map(({ armed }) => armed), [2, 1, 0]);
    triggers(on).clear();
    assert.deepEqual([...on.events.values()].map(({ armed }) => armed), [0, 0, 0]);
  });

  it("enable and disable another event", () => {
    const on = instance();
    triggers(on).write("enable_event:test:second if a == 1");
    const second = on.findEvent("test", "second");
    assert.equal(second?.softDisabled, true);
    fire(on, "test/first", 2);
    assert.equal(second?.softDisabled, true);
    fire(on, "test/first", 1);
    assert.equal(second?.softDisabled, false);
  });

  it("give the snapshot buffer back", () => {
    const on = instance();
    triggers(on).write("snapshot");
    refusesWith("EEXIST", () => triggers(on).write("snapshot"));
    assert.equal(on.snapshotUsers, 1);
    triggers(on).write("!snapshot");
    assert.equal(on.snapshotUsers, 0);
  });
});

describe("histograms", () => {
  it("name the functions of addresses", () => {
    const on = instance();
    on.findSymbol = (address) => {
      if (address < 0x100n || address >= 0x110n) return undefined;
      return { name: "schedule", offset: address - 0x100n, size: 16n };
    };
    triggers(on).write("hist:keys=ip.sym-offset");
    fire(on, "test/first", 0, 0x104n);
    fire(on, "test/first", 0, 0x104n);
    fire(on, "test/first", 0, 0x200n);
    const lines = triggers(on).readHist().split("\n").filter((line) => line.startsWith("{"));
    assert.deepEqual(lines, [
      `{ ip: [200] ${"0x200".padEnd(55)} } hitcount:          1`,
      `{ ip: [104] ${"schedule+0x4/0x10".padEnd(55)} } hitcount:          2`,
    ]);
  });

  it("hold synthetic events until they are gone", () => {
    const on = instance();
    const text = "hist:keys=a:lat=ip:onmax($lat).done($lat)";
    triggers(on).write(text);
    assert.equal(on.holds.get("done"), 1);
    refusesWith(
      "EINVAL",
      () => triggers(on).write("hist:keys=a:x=ip:onmax($x).done($x):onmax(x).done($x)"),
    );
    assert.equal(on.holds.get("done"), 1);
    triggers(on).write(`!${text}`);
    assert.equal(on.holds.get("done"), 0);
  });

  it("measure in microseconds on the global clock", () => {
    const on = instance();
    triggers(on).write("hist:keys=a:t0=common_timestamp.usecs");
    assert.equal(on.clock, "global");
    triggers(on, "test/second").write(
      "hist:keys=a:lat=common_timestamp.usecs-$t0:onmatch(test.first).done($lat)",
    );
    fire(on, "test/first", 1);
    on.time += 41_000n;
    fire(on, "test/second", 1);
    assert.deepEqual(on.written, ["done: lat=42"]);
    fire(on, "test/second", 1);
    assert.equal(on.written.length, 1, "the variable was spent");
  });

  it("take a snapshot for each new maximum of all entries", () => {
    const on = instance();
    triggers(on).write("hist:keys=a:x=ip:onmax($x).snapshot()");
    for (const [a, ip] of [[1, 5n], [2, 4n], [2, 9n]] as const) fire(on, "test/first", a, ip);
    assert.equal(on.snapshots, 2);
    assert.match(
      triggers(on).readHist(),
      /onmax\(\$x\) \}: {10}9\ttriggered by event with key: \{ a: {10}2 \}\n/,
    );
    triggers(on).clear();
    assert.equal(on.state.snapshot, undefined);
  });

  it("key stacks by their addresses", () => {
    const on = instance();
    triggers(on).write("hist:keys=common_stacktrace");
    const entry = new DataView(new ArrayBuffer(20));
    const context = { cpu: 0, pid: 1, comm: "x", timestamp: 0n, stack: [0x10n, 0x20n] };
    triggers(on).fire({ entry, offset: 0, length: 20, context });
    assert.match(
      triggers(on).readHist(),
      /\{ common_stacktrace:\n {9}0x10\n {9}0x20\n\} hitcount: {10}1\n/,
    );
  });
});

describe("heapSort", () => {
  it("sorts", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.constantFrom("6.12", "6.1"), (items, version) => {
        const sorted = [...items];
        heapSort(sorted, (a, b) => a - b, version);
        assert.deepEqual(sorted, items.sort((a, b) => a - b));
      }),
      { seed: 4, numRuns: 1000 },
    );
  });
});
