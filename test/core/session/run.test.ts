import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../../core/backend.ts";
import { OutputClosedError, OutputError } from "../../../core/pipeline/output.ts";
import { RolledBackError } from "../../../core/plan/execute.ts";
import { BusyError } from "../../../core/plan/lock.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { AppliedError, installTrace } from "../../../core/session/install.ts";
import { streamRecords } from "../../../core/session/record_stream.ts";
import { removeTrace } from "../../../core/session/remove.ts";
import { runTrace } from "../../../core/session/run.ts";
import { performCall } from "../../../plugins/simulated/kernel/calls.ts";
import {
  FOUR_PROBES,
  FOUR_PROBES_CHANGED,
  hostState,
  makeKernel,
  makeRequest,
  startLoad,
  startOtherTool,
  startSonde,
} from "../../support/host.ts";
import { CollectingSink } from "../../support/sink.ts";

/** A host with another tool on it and a load, and sonde. */
async function setUp() {
  const kernel = makeKernel();
  startOtherTool(kernel);
  const before = hostState(kernel);
  const backend = startSonde(kernel);
  const request = await makeRequest(backend, FOUR_PROBES);
  startLoad(kernel);
  return { kernel, before, backend, request, sink: new CollectingSink() };
}

class FailingSink extends CollectingSink {
  readonly #error: Error;

  constructor(error: Error) {
    super();
    this.#error = error;
  }

  override flush(): Promise<void> {
    return this.records.length === 0 ? Promise.resolve() : Promise.reject(this.#error);
  }
}

/** Long enough for 20 calls of the kernel function and 6 of the program's. */
const TWENTY_MS = { duration: 20_000_000n };

describe("runTrace", () => {
  it("hands every event to every sink, then leaves the host as it was", async () => {
    const { kernel, before, backend, request, sink } = await setUp();
    const second = new CollectingSink();
    const summary = await runTrace(backend, request, [sink, second], { duration: 100_000_000n });
    const count = (probe: string) => sink.records.filter((one) => one.probe === probe).length;
    assert.deepEqual([count("file_open"), count("open_failed"), count("total")], [40, 40, 10]);
    assert.deepEqual(second.entries, sink.entries);
    assert.deepEqual({ ...summary }, {
      events: 90,
      lost: 0,
      lostUnknown: 0,
      undecoded: 0,
      leftovers: [],
      outputClosed: false,
    });
    assert.deepEqual([sink.closed, second.closed], [1, 1]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("decodes the values of each kind of probe", async () => {
    const { backend, request, sink } = await setUp();
    await runTrace(backend, request, [sink], TWENTY_MS);
    const first = (probe: string) => sink.records.find((record) => record.probe === probe);
    const { timeNs, ...open } = first("file_open")!;
    assert.equal(timeNs, 1_000_001_000_000n);
    assert.deepEqual(open, {
      type: "event",
      cpu: 0,
      tid: 42,
      comm: "cat",
      probe: "file_open",
      event: "sonde_edge/file_open",
      args: { dfd: -100, filename: "/etc/passwd" },
    });
    assert.deepEqual(first("open_failed")!.args, { ret: 3 });
    assert.deepEqual(first("total")!.args, { cents: 1999n });
  });

  it("ends when its time is over", async () => {
    const { backend, request, sink } = await setUp();
    await runTrace(backend, request, [sink], { duration: 20_000_000n });
    const opens = sink.records.filter(({ probe }) => probe === "file_open");
    assert.deepEqual([opens.length, opens.at(-1)!.timeNs], [20, 1_000_020_000_000n]);
  });

  it("ends after so many events", async () => {
    const { kernel, before, backend, request, sink } = await setUp();
    const summary = await runTrace(backend, request, [sink], { events: 13 });
    assert.deepEqual([summary.events, sink.records.length, sink.closed], [13, 13, 1]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("reads the buffers to the end when it is told to stop", async () => {
    const { kernel, before, backend, request, sink } = await setUp();
    const stop = new AbortController();
    await runTrace(backend, request, [sink], {
      signal: stop.signal,
      started: () => {
        kernel.scheduler.advance(40_000_000n);
        stop.abort("SIGTERM");
      },
    });
    assert.equal(sink.records.length, 90);
    assert.deepEqual(hostState(kernel), before);
  });

  it("leaves the host as it was if it is stopped while it installs", async () => {
    const { kernel, before, backend, request, sink } = await setUp();
    const stop = new AbortController();
    stop.abort("SIGINT");
    await assert.rejects(
      runTrace(backend, request, [sink], { signal: stop.signal }),
      (error) => error instanceof RolledBackError && error.cause === "SIGINT",
    );
    assert.equal(sink.closed, 1);
    assert.deepEqual(hostState(kernel), before);
  });

  it("ends cleanly when nobody reads any more", async () => {
    const { kernel, before, backend, request } = await setUp();
    const sink = new FailingSink(new OutputClosedError("standard output"));
    const summary = await runTrace(backend, request, [sink], {});
    assert.equal(summary.outputClosed, true);
    assert.deepEqual(hostState(kernel), before);
  });

  it("fails, and leaves the host as it was, when a sink cannot write", async () => {
    const { kernel, before, backend, request, sink } = await setUp();
    const full = new FailingSink(new OutputError('"/var/log/x"', "ENOSPC"));
    await assert.rejects(runTrace(backend, request, [full, sink], {}), OutputError);
    assert.equal(sink.closed, 1);
    assert.deepEqual(hostState(kernel), before);
  });

  it("tells what it had to leave, whether it failed or not", async () => {
    for (const fails of [false, true]) {
      const { kernel, backend, request } = await setUp();
      const sink = fails
        ? new FailingSink(new OutputError('"/var/log/x"', "ENOSPC"))
        : new CollectingSink();
      const viewer = kernel.spawn({ pid: 901, comm: "viewer" });
      const pipe = "/sys/kernel/tracing/instances/sonde-edge/per_cpu/cpu0/trace_pipe_raw";
      const started = () => void viewer.open(pipe, { access: "read", nonblock: true });
      const run = runTrace(backend, request, [sink], { ...TWENTY_MS, started });
      const leftovers = fails
        ? await run.then(() => assert.fail("it should have failed"), (error) => {
          assert.ok(error instanceof RolledBackError);
          assert.ok(error.cause instanceof OutputError);
          return error.leftovers;
        })
        : (await run).leftovers;
      assert.deepEqual(leftovers.map(({ step }) => step), [
        { call: "rmdir", path: "instances/sonde-edge" },
      ]);
      assert.equal(leftovers[0].error.code, "EBUSY");
      assert.deepEqual(hostState(kernel).files, ["edge.ledger"]);
    }
  });

  it("counts what was lost while a consumer was slow", async () => {
    const { kernel, backend, request } = await setUp();
    let kept = 0;
    class SlowSink extends CollectingSink {
      override flush(): Promise<void> {
        // A thousand calls in the time that one flush takes.
        const task = { pid: 42, tid: 42, comm: "cat", cpu: 0 };
        const args = [-100, "/x".repeat(60)];
        const call = { function: "do_sys_openat2", args, latency: 0n, calls: [] };
        if (kept++ < 5) { for (let i = 0; i < 1000; i++) performCall(kernel, call, task); }
        return Promise.resolve();
      }
    }
    const sink = new SlowSink();
    const summary = await runTrace(backend, request, [sink], TWENTY_MS);
    assert.ok(summary.lost > 1000);
    // Each call fires the kprobe and the kretprobe; the load adds 20 calls and 6 of the program.
    assert.equal(summary.events + summary.lost, 2 * 5000 + 2 * 20 + 6);
    assert.equal(summary.events, sink.records.length);
  });

  it("reads an applied trace without changing it", async () => {
    const { kernel, backend, request, sink } = await setUp();
    await applyTrace(backend, request);
    const before = hostState(kernel);
    const summary = await runTrace(backend, request, [sink], TWENTY_MS);
    assert.equal(summary.events, 46);
    assert.deepEqual(hostState(kernel), before);
  });

  it("ends on an applied trace although events go on and on", async () => {
    const { kernel, backend, request, sink } = await setUp();
    await applyTrace(backend, request);
    const task = { pid: 42, tid: 42, comm: "cat", cpu: 0 };
    const call = { function: "do_sys_openat2", args: [-100, "/x"], latency: 10n, calls: [] };
    let rounds = 0;
    const flooded: Backend = {
      ...backend,
      capture: async (asked) => {
        const capture = await backend.capture(asked);
        return {
          ...capture,
          read: (take) => {
            if (rounds++ > 1000) throw new Error("It reads for ever");
            performCall(kernel, call, task);
            return capture.read(take);
          },
        };
      },
    };
    const stop = new AbortController();
    setTimeout(() => stop.abort("SIGINT"), 1);
    const summary = await runTrace(flooded, request, [sink], { signal: stop.signal });
    assert.ok(summary.events > 0);
  });

  it("does not touch a trace that is applied with another config", async () => {
    const { kernel, backend, request, sink } = await setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES_CHANGED));
    const before = hostState(kernel);
    await assert.rejects(runTrace(backend, request, [sink], TWENTY_MS), AppliedError);
    assert.deepEqual(hostState(kernel), before);
    assert.equal(sink.closed, 1);
  });

  it("does not touch a trace that another sonde runs", async () => {
    const { kernel, backend, request, sink } = await setUp();
    const other = startSonde(kernel);
    const installation = await installTrace(other, request);
    const before = hostState(kernel);
    await assert.rejects(runTrace(backend, request, [sink], TWENTY_MS), BusyError);
    await assert.rejects(applyTrace(backend, request), BusyError);
    await assert.rejects(removeTrace(backend, "edge"), BusyError);
    assert.deepEqual(hostState(kernel), before);
    assert.deepEqual(await installation.uninstall(), []);
  });

  it("runs beside another trace", async () => {
    const { kernel, before, backend, request, sink } = await setUp();
    const second = startSonde(kernel);
    const other = await makeRequest(second, FOUR_PROBES_CHANGED, "other");
    const installation = await installTrace(second, other);
    const summary = await runTrace(backend, request, [sink], TWENTY_MS);
    assert.equal(summary.events, 46);
    assert.ok(sink.records.every(({ event }) => !event.startsWith("sonde_other/")));
    await installation.uninstall();
    assert.deepEqual(hostState(kernel), before);
  });
});

describe("streamRecords", () => {
  it("yields every record, then tells how it went", async () => {
    const { kernel, before, backend, request } = await setUp();
    let events = 0;
    const names = new Set<string>();
    const options = {
      ...TWENTY_MS,
      onEnd: (summary: { readonly events: number }) => {
        events = summary.events;
      },
    };
    for await (const record of streamRecords(backend, request, options)) names.add(record.probe);
    assert.deepEqual([events, [...names].sort()], [46, ["file_open", "open_failed", "total"]]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("removes everything when the loop is left or fails", async () => {
    for (const fails of [false, true]) {
      const { kernel, before, backend, request } = await setUp();
      const loop = async () => {
        for await (const record of streamRecords(backend, request)) {
          assert.equal(record.type, "event");
          if (fails) throw new RangeError("it is enough");
          break;
        }
      };
      if (fails) await assert.rejects(loop(), RangeError);
      else await loop();
      assert.deepEqual(hostState(kernel), before);
    }
  });

  it("throws what installing throws", async () => {
    const { kernel, backend, request } = await setUp();
    await installTrace(startSonde(kernel), request);
    await assert.rejects(streamRecords(backend, request).next(), BusyError);
  });
});
