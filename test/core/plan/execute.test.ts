import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Backend, OperationError } from "../../../core/backend.ts";
import { type Progress, RolledBackError } from "../../../core/plan/execute.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { traceStatus } from "../../../core/session/status.ts";
import { tracefsBackend } from "../../../plugins/tracefs/backend.ts";
import {
  FOUR_PROBES,
  FOUR_PROBES_CHANGED,
  hostState,
  logChanges,
  makeKernel,
  makeRequest,
  readHostFile,
  startOtherTool,
  startSonde,
} from "../../support/host.ts";

const INSTANCE = "instances/sonde-edge";

/** A host, and a sonde whose changes are logged. */
function setUp() {
  const kernel = makeKernel();
  startOtherTool(kernel);
  const before = hostState(kernel);
  const log: string[] = [];
  const backend = tracefsBackend(logChanges(kernel.spawn({ pid: 10, comm: "sonde" }), log));
  return { kernel, before, backend, log };
}

/** Many kprobes, more than are installed in one go. */
function manyProbes(count: number): string {
  const probe = (i: number) => `  p${i}: { kprobe: { symbol: f${i} } }\n`;
  return `probes:\n${Array.from({ length: count }, (_, i) => probe(i)).join("")}`;
}

function manyFunctions(count: number): string {
  const names = Array.from({ length: count }, (_, i) => `f${i}: {}`);
  return `simulate:\n  functions: { ${names.join(", ")} }\n`;
}

async function failureOf(work: Promise<unknown>): Promise<RolledBackError> {
  const error = await work.then(() => assert.fail("it should have failed"), (error) => error);
  assert.ok(error instanceof RolledBackError, String(error));
  return error;
}

describe("executePlan", () => {
  it("undoes in the opposite order what it did", async () => {
    const { kernel, before, backend, log } = setUp();
    const request = await makeRequest(backend, FOUR_PROBES);
    kernel.faults.add({
      call: "write",
      path: "sched_switch/enable",
      nth: 1,
      times: 1,
      error: "EBUSY",
    });
    const error = await failureOf(applyTrace(backend, request));
    assert.ok(error.cause instanceof OperationError);
    assert.deepEqual([error.cause.code, error.cause.operation.probe], ["EBUSY", "switch"]);
    assert.deepEqual([error.leftovers, error.notRestored], [[], []]);
    assert.deepEqual(log, [
      "mkdir instances/sonde-edge",
      `${INSTANCE}/trace_clock = mono`,
      `${INSTANCE}/buffer_size_kb = 16`,
      `${INSTANCE}/tracing_on = 1`,
      "kprobe_events = p:sonde_edge/file_open do_sys_openat2 dfd=$arg1:s32 " +
      "filename=+0($arg2):ustring\nr64:sonde_edge/open_failed do_sys_openat2 ret=$retval:s32",
      "uprobe_events = p:sonde_edge/total /usr/bin/shop:0x1000 cents=%di:u64",
      `${INSTANCE}/events/sonde_edge/file_open/filter = dfd == -100`,
      `${INSTANCE}/events/sched/sched_switch/filter = prev_prio < 121`,
      `${INSTANCE}/events/sonde_edge/file_open/enable = 1`,
      `${INSTANCE}/events/sonde_edge/open_failed/enable = 1`,
      `${INSTANCE}/events/sonde_edge/total/enable = 1`,
      `${INSTANCE}/events/sched/sched_switch/enable = 1`,
      `${INSTANCE}/events/sched/sched_switch/enable = 0`,
      `${INSTANCE}/events/sonde_edge/total/enable = 0`,
      `${INSTANCE}/events/sonde_edge/open_failed/enable = 0`,
      `${INSTANCE}/events/sonde_edge/file_open/enable = 0`,
      "uprobe_events = -:sonde_edge/total",
      "kprobe_events = -:sonde_edge/open_failed",
      "kprobe_events = -:sonde_edge/file_open",
      "rmdir instances/sonde-edge",
    ]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("writes to the ledger before it writes to the kernel", async () => {
    const { kernel, backend } = setUp();
    const ledgerAt = new Map<string, string>();
    const watching: Backend = {
      ...backend,
      perform: async (operations) => {
        const ledger = readHostFile(kernel, "/run/sonde/edge.ledger");
        for (const { target } of operations) ledgerAt.set(target, ledger);
        await backend.perform(operations);
      },
    };
    await applyTrace(watching, await makeRequest(backend, FOUR_PROBES));
    assert.ok(ledgerAt.size >= 13);
    for (const [target, ledger] of ledgerAt) assert.ok(ledger.includes(`"${target}"`), target);
  });

  it("puts back what was in effect when an update fails", async () => {
    for (const path of ["read_done/enable", "total/filter", "uprobe_events", "kprobe_events"]) {
      const { kernel, backend } = setUp();
      await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
      const before = hostState(kernel);
      const changed = await makeRequest(backend, FOUR_PROBES_CHANGED);
      // The first write to a definition file takes a probe away.
      const nth = path.endsWith("_events") ? 2 : 1;
      kernel.faults.add({ call: "write", path, nth, times: 1, error: "ENOMEM" });
      const error = await failureOf(applyTrace(backend, changed));
      assert.deepEqual([error.leftovers, error.notRestored], [[], []]);
      const after = hostState(kernel);
      assert.deepEqual(after.kprobes.toSorted(), before.kprobes.toSorted());
      assert.deepEqual(after.uprobes.toSorted(), before.uprobes.toSorted());
      assert.deepEqual(
        after.enabled["sonde-edge"].toSorted(),
        before.enabled["sonde-edge"].toSorted(),
      );
      const status = await traceStatus(backend, "edge");
      assert.deepEqual([status.state, status.healthy], ["applied", true]);
    }
  });

  it("tells what it could not put back", async () => {
    const { kernel, backend } = setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    const changed = await makeRequest(backend, FOUR_PROBES_CHANGED);
    kernel.faults.add({
      call: "write",
      path: "read_done/enable",
      nth: 1,
      times: 1,
      error: "EBUSY",
    });
    // One write took the old definition away, one made the new one, one takes that away again.
    kernel.faults.add({ call: "write", path: "uprobe_events", nth: 4, times: 1, error: "ENOMEM" });
    const error = await failureOf(applyTrace(backend, changed));
    assert.deepEqual(error.leftovers, []);
    assert.deepEqual(error.notRestored.map(({ step, error }) => [step, error.code]), [
      [{
        call: "append",
        file: "uprobe_events",
        text: "p:sonde_edge/total /usr/bin/shop:0x1000 cents=%di:u64",
      }, "ENOMEM"],
      [{ call: "write", file: `${INSTANCE}/events/sonde_edge/total/enable`, text: "1" }, "ENOENT"],
    ]);
    const { healthy, probes } = await traceStatus(backend, "edge");
    assert.equal(healthy, false);
    assert.deepEqual(probes.filter(({ missing }) => missing).map(({ probe }) => probe), ["total"]);
  });

  it("goes on undoing what it can", async () => {
    const { kernel, before, backend } = setUp();
    const request = await makeRequest(backend, FOUR_PROBES);
    kernel.faults.add({
      call: "write",
      path: "open_failed/enable",
      nth: 1,
      times: 1,
      error: "EBUSY",
    });
    kernel.faults.add({ call: "rmdir", nth: 1, times: 1, error: "EBUSY" });
    const { leftovers } = await failureOf(applyTrace(backend, request));
    assert.deepEqual(leftovers.map(({ step }) => step), [{ call: "rmdir", path: INSTANCE }]);
    const after = hostState(kernel);
    assert.deepEqual([after.kprobes, after.uprobes], [before.kprobes, before.uprobes]);
    assert.deepEqual(after.files, ["edge.ledger"]);
  });

  it("tells how far it is", async () => {
    const kernel = makeKernel(manyFunctions(100));
    const backend = startSonde(kernel);
    const request = await makeRequest(backend, manyProbes(100));
    const seen: Progress[] = [];
    await applyTrace(backend, request, { progress: (progress) => void seen.push(progress) });
    assert.ok(seen.length > 2);
    assert.deepEqual(seen.at(-1), { done: 204, total: 204 });
    for (let i = 1; i < seen.length; i++) assert.ok(seen[i].done > seen[i - 1].done);
  });

  it("hears a signal in the middle, and rolls back", async () => {
    const kernel = makeKernel(manyFunctions(300));
    const before = hostState(kernel);
    const backend = startSonde(kernel);
    const request = await makeRequest(backend, manyProbes(300));
    const stop = new AbortController();
    setImmediate(() => stop.abort("SIGINT"));
    let done = 0;
    const options = { signal: stop.signal, progress: (now: Progress) => void (done = now.done) };
    const error = await failureOf(applyTrace(backend, request, options));
    assert.equal(error.cause, "SIGINT");
    assert.ok(done > 0 && done < 604, `${done} of 604`);
    assert.deepEqual(hostState(kernel), before);
  });
});
