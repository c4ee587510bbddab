import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Backend, Capture, RawPage } from "../../../core/backend.ts";
import type { LostRecord, TraceRecord } from "../../../core/event/record.ts";
import { writeText } from "../../../core/kernel/files.ts";
import { type RunOptions, type RunSummary, runTrace } from "../../../core/session/run.ts";
import { performCall } from "../../../plugins/simulated/kernel/calls.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { makeKernel, makeRequest, startSonde, TRACEFS } from "../../support/host.ts";
import { CollectingSink } from "../../support/sink.ts";

const FUNCTION = `
simulate:
  cpus: 4
  functions: { count: { args: [u64, string] } }
`;
const PROBE = `
probes:
  counted: { kprobe: { symbol: count }, capture: { n: "$arg1:u32", text: "+0($arg2):string" } }
`;

/** A host whose function \`count\` is called with 0, 1, 2, ... */
class CountingHost {
  readonly kernel: SimulatedKernel = makeKernel(FUNCTION);
  readonly backend: Backend = startSonde(this.kernel);
  calls = 0;

  /** Calls on a CPU, each taking a microsecond. */
  call(cpu: number, count = 1, text = ""): void {
    for (let i = 0; i < count; i++) {
      const args = [this.calls++, text];
      const task = { pid: 100 + cpu, tid: 100 + cpu, comm: "counter", cpu };
      performCall(this.kernel, { function: "count", args, latency: 1000n, calls: [] }, task);
    }
  }

  /** Does something once, so many microseconds from now. */
  after(microseconds: number, action: () => void): void {
    this.kernel.scheduler.add({
      due: this.kernel.scheduler.now + BigInt(microseconds) * 1000n,
      fire: () => {
        action();
        return undefined;
      },
    });
  }

  /** Runs the probe until 100 ms are over, or as \`options\` say. */
  async run(
    sink: CollectingSink,
    options: RunOptions & { readonly bufferKiB?: number; readonly backend?: Backend } = {},
  ): Promise<RunSummary> {
    const { bufferKiB = 16, backend = this.backend, ...rest } = options;
    const request = { ...await makeRequest(backend, PROBE), bufferKiB };
    return await runTrace(backend, request, [sink], { duration: 100_000_000n, ...rest });
  }
}

/** The backend with another way of reading its captures. */
function reading(
  backend: Backend,
  read: (capture: Capture, take: (page: RawPage) => void) => number,
): Backend {
  return {
    ...backend,
    capture: async (request) => {
      const capture = await backend.capture(request);
      return { ...capture, read: (take) => read(capture, take) };
    },
  };
}

function assertInOrder(records: readonly TraceRecord[]): void {
  for (let i = 1; i < records.length; i++) {
    assert.ok(records[i - 1].timeNs <= records[i].timeNs, `record ${i} comes too late`);
  }
}

/** Each loss stands where its events are missing: between those of its CPU before and after it. */
function assertLossesInPlace(entries: readonly (TraceRecord | LostRecord)[]): void {
  const next = new Map<number, number>();
  const unknown = new Set<number>();
  for (const entry of entries) {
    const at = next.get(entry.cpu) ?? 0;
    if (entry.type === "lost") {
      if (entry.count === null) unknown.add(entry.cpu);
      next.set(entry.cpu, at + (entry.count ?? 1));
    } else {
      const n = entry.args.n as number;
      assert.ok(unknown.delete(entry.cpu) ? n >= at : n === at, `${n} follows ${at - 1}`);
      next.set(entry.cpu, n + 1);
    }
  }
}

describe("Pipeline", () => {
  it("puts the events of all CPUs in one order", async () => {
    const host = new CountingHost();
    for (const [cpu, period] of [7, 11, 13, 17].entries()) {
      for (let i = 1; i <= 50; i++) host.after(i * period * 10, () => host.call(cpu));
    }
    const sink = new CollectingSink();
    const summary = await host.run(sink);
    assert.deepEqual(sink.records.map(({ args }) => args.n), [...Array(200).keys()]);
    assertInOrder(sink.records);
    assert.deepEqual(
      { events: summary.events, lost: summary.lost, undecoded: summary.undecoded },
      { events: 200, lost: 0, undecoded: 0 },
    );
  });

  it("keeps the order where one CPU has more than is read of it in one round", async () => {
    const host = new CountingHost();
    const text = "x".repeat(250);
    host.after(100, () => {
      host.call(0, 5000, text);
      host.call(1, 10);
      host.call(0, 10);
    });
    const sink = new CollectingSink();
    await host.run(sink, { bufferKiB: 4096 });
    assert.deepEqual(sink.records.map(({ args }) => args.n), [...Array(5020).keys()]);
  });

  it("keeps the order of what happens while one CPU after the other is read", async () => {
    const host = new CountingHost();
    host.after(100, () => [0, 1, 2, 3].forEach((cpu) => host.call(cpu)));
    let rounds = 0;
    const backend = reading(host.backend, (capture, take) =>
      capture.read((page) => {
        take(page);
        if (page.cpu === 1 && rounds++ < 20) [0, 1, 0, 2].forEach((cpu) => host.call(cpu));
      }));
    const sink = new CollectingSink();
    await host.run(sink, { backend });
    assert.ok(host.calls > 20);
    assert.deepEqual(sink.records.map(({ args }) => args.n), [...Array(host.calls).keys()]);
  });

  it("hands an event on at once where nothing else happens", async () => {
    const host = new CountingHost();
    host.after(100, () => host.call(2));
    const sink = new CollectingSink();
    let drained = 0;
    const backend = reading(host.backend, (capture, take) => {
      if (sink.records.length === 0) drained++;
      return capture.read(take);
    });
    await host.run(sink, { backend });
    // Before it happened, and when it was read.
    assert.equal(drained, 2);
  });

  it("shows a loss where it happened, with its number", async () => {
    // With some lengths a page has no room left for the number.
    let unknown = 0;
    for (const length of [10, 30, 100, 200, 236]) {
      const host = new CountingHost();
      const text = "x".repeat(length);
      // The reader takes a part of a page first: what is lost lies behind the rest of that page.
      host.after(100, () => host.call(0, 5, text));
      host.after(3000, () => host.call(0, 1000, text));
      host.after(30_000, () => host.call(0, 3, text));
      const sink = new CollectingSink();
      const summary = await host.run(sink, { bufferKiB: 8 });
      assert.ok(sink.losses.length > 0);
      assertLossesInPlace(sink.entries);
      assert.equal(summary.events + summary.lost, host.calls);
      assert.equal(sink.losses.reduce((sum, { count }) => sum + (count ?? 0), 0), summary.lost);
      // In the end the kernel's counters tell.
      assert.equal(summary.lostUnknown, 0);
      unknown += sink.losses.filter(({ count }) => count === null).length;
    }
    assert.ok(unknown > 0);
  });

  it("counts every event, as one that came or as one that was lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            after: fc.integer({ min: 0, max: 20_000 }),
            cpu: fc.integer({ min: 0, max: 3 }),
            count: fc.integer({ min: 1, max: 400 }),
            length: fc.integer({ min: 0, max: 300 }),
          }),
          { minLength: 1, maxLength: 8 },
        ),
        async (bursts) => {
          const host = new CountingHost();
          for (const { after, cpu, count, length } of bursts) {
            host.after(after, () => host.call(cpu, count, "x".repeat(length)));
          }
          const sink = new CollectingSink();
          const summary = await host.run(sink, { bufferKiB: 8 });
          assertInOrder(sink.records);
          assert.equal(summary.events, sink.records.length);
          assert.equal(summary.events + summary.lost, host.calls);
          assert.equal(summary.lostUnknown, 0);
          const told = sink.losses.reduce((sum, { count }) => sum + (count ?? 0), 0);
          assert.equal(told, summary.lost);
        },
      ),
      { seed: 7, numRuns: 25 },
    );
  });

  it("hands on no more events than are asked for", async () => {
    for (const limit of [1, 7, 50]) {
      const host = new CountingHost();
      host.after(100, () => [0, 1, 2, 3].forEach((cpu) => host.call(cpu, 20)));
      const sink = new CollectingSink();
      const summary = await host.run(sink, { events: limit });
      assert.deepEqual(sink.records.map(({ args }) => args.n), [...Array(limit).keys()]);
      assert.equal(summary.events, limit);
    }
  });

  it("counts events that are none of the trace's and goes on", async () => {
    const host = new CountingHost();
    const intruder = host.kernel.spawn({ pid: 700, comm: "intruder" });
    intruder.open(`${TRACEFS}/kprobe_events`, { access: "write", append: true });
    const sink = new CollectingSink();
    host.after(100, () => {
      writeText(intruder, `${TRACEFS}/kprobe_events`, "p:intruder/count count");
      const events = `${TRACEFS}/instances/sonde-edge/events`;
      writeText(intruder, `${events}/intruder/count/enable`, "1");
      host.call(0, 3);
      writeText(intruder, `${events}/intruder/count/enable`, "0");
    });
    const summary = await host.run(sink);
    assert.equal(summary.undecoded, 3);
    assert.deepEqual(sink.records.map(({ args }) => args.n), [0, 1, 2]);
  });

  it("knows exact times beyond 2^53 nanoseconds", async () => {
    const host = new CountingHost();
    const far = 2n ** 60n + 1n;
    host.kernel.scheduler.spend(far - host.kernel.scheduler.now);
    host.after(100, () => host.call(3));
    const sink = new CollectingSink();
    await host.run(sink);
    assert.equal(sink.records[0].timeNs, far + 100_000n);
  });
});
