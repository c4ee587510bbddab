import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../../core/backend.ts";
import { OperationError } from "../../../core/backend.ts";
import type { TraceRecord } from "../../../core/event/record.ts";
import { describeStep } from "../../../core/operation.ts";
import { applyTrace, NotLastingError } from "../../../core/session/apply.ts";
import { collectGarbage } from "../../../core/session/gc.ts";
import { installTrace } from "../../../core/session/install.ts";
import { runTrace } from "../../../core/session/run.ts";
import { mmapBackend } from "../../../plugins/mmap/backend.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import {
  FOUR_PROBES,
  hostState,
  killSonde,
  makeKernel,
  makeRequest,
  startLoad,
  startOtherTool,
  startSonde,
} from "../../support/host.ts";
import { CollectingSink } from "../../support/sink.ts";

/** {@link FOUR_PROBES}, and some that a PMU can carry out. */
const PROBES = `${FOUR_PROBES}
  opened:
    kprobe: { symbol: do_sys_openat2 }
    capture: { dfd: "$arg1:s32", low: "$arg1:x8", path: "$arg2:x64" }
  open_done:
    kretprobe: { symbol: do_sys_openat2 }
    capture: { ret: "$retval:s32" }
  plain:
    kprobe: { symbol: do_sys_openat2 }
`;

function startMmap(kernel: SimulatedKernel): Backend {
  return mmapBackend(startSonde(kernel));
}

/** All that a run of 100 ms records, and the kernel afterwards. */
async function record(start: (kernel: SimulatedKernel) => Backend, body = PROBES) {
  const kernel = makeKernel();
  startOtherTool(kernel);
  const before = hostState(kernel);
  const backend = start(kernel);
  const sink = new CollectingSink();
  const request = await makeRequest(backend, body);
  startLoad(kernel);
  const summary = await runTrace(backend, request, [sink], { duration: 100_000_000n });
  return { kernel, before, backend, sink, summary };
}

/** Records without times and addresses, in an order of their own. */
function comparable(records: readonly TraceRecord[]): string[] {
  return records.map(({ probe, event, tid, comm, args }) => {
    const { path: _, ...rest } = args;
    return JSON.stringify(
      [probe, event, tid, comm, rest],
      (_key, value) => typeof value === "bigint" ? `${value}n` : value,
    );
  }).toSorted();
}

describe("mmapBackend", () => {
  it("records what the tracefs backend records", async () => {
    const mmap = await record(startMmap);
    const tracefs = await record(startSonde);
    const ours = comparable(mmap.sink.records.filter(({ probe }) => probe !== "switch"));
    const theirs = comparable(tracefs.sink.records.filter(({ probe }) => probe !== "switch"));
    assert.equal(ours.length, 40 * 5 + 10);
    assert.deepEqual(ours, theirs);
    assert.equal(mmap.summary.lost, 0);
    assert.equal(mmap.summary.undecoded, 0);
  });

  it("leaves the host as it was", async () => {
    const { kernel, before, summary } = await record(startMmap);
    assert.deepEqual(summary.leftovers, []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("says of every probe how it is carried out", async () => {
    const backend = startMmap(makeKernel());
    const operations = backend.operations(await makeRequest(backend, PROBES));
    const texts = operations.map(({ step }) => describeStep(step));
    assert.equal(
      texts[0],
      "perf_event_open sonde-edge/rings on CPU 0-1 (rings of 16 KiB for all processes; perf events end with sonde)",
    );
    const how = (id: string) =>
      texts.find((text) => text.startsWith(`perf_event_open sonde-edge/${id}/`));
    assert.match(how("opened")!, /kprobe do_sys_openat2 by PMU 8, arguments from registers/);
    assert.match(how("plain")!, /kprobe do_sys_openat2 by PMU 8\)$/);
    assert.match(how("file_open")!, /defined by tracefs: the PMU has no filters, filter dfd ==/);
    assert.match(how("open_failed")!, /defined by tracefs: the PMU has no max_active/);
    assert.match(how("switch")!, /\/events\/sched\/sched_switch on CPU 0-1 \(by its id, filter/);
  });

  it("finds system calls under the name that the architecture gives them", async () => {
    const kernel = makeKernel(
      "simulate: { functions: { __x64_sys_getpid: { args: [u64] } } }\n",
    );
    const backend = startMmap(kernel);
    const request = await makeRequest(
      backend,
      "probes: { pid: { kprobe: { symbol: sys_getpid } } }",
    );
    const texts = backend.operations(request).map(({ step }) => describeStep(step));
    assert.ok(texts.some((text) => text.includes("kprobe __x64_sys_getpid by PMU")));
  });

  it("shows events as active for as long as they are open", async () => {
    const kernel = makeKernel();
    const backend = startMmap(kernel);
    const request = await makeRequest(backend, PROBES);
    const installation = await installTrace(backend, request);
    const active = (await backend.status("edge")).filter(({ active }) => active);
    assert.equal(active.length, 7);
    await installation.uninstall();
    assert.deepEqual(await backend.status("edge"), []);
  });

  it("explains a refusal and takes back what was done", async () => {
    const kernel = makeKernel();
    const before = hostState(kernel);
    const backend = startMmap(kernel);
    const request = await makeRequest(backend, PROBES);
    const bad = { ...request.probes[0]!, filter: "nosuchfield == 1" };
    const probes = [...request.probes.slice(1), bad];
    await assert.rejects(installTrace(backend, { ...request, probes }), ({ cause }) => {
      assert.ok(cause instanceof OperationError);
      assert.equal(cause.reason, "The kernel refuses the filter");
      assert.equal(cause.operation.probe, "file_open");
      return true;
    });
    assert.deepEqual(hostState(kernel), before);
  });

  it("leaves definitions only when it is killed, which gc of another backend removes", async () => {
    const kernel = makeKernel();
    const before = hostState(kernel);
    const base = startSonde(kernel);
    const backend = mmapBackend(base);
    await installTrace(backend, await makeRequest(backend, PROBES));
    killSonde(base);
    const other = startSonde(kernel);
    const [collected] = await collectGarbage(other);
    assert.equal(collected!.name, "edge");
    assert.deepEqual(collected!.leftovers, []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("refuses to leave a trace installed", async () => {
    const backend = startMmap(makeKernel());
    await assert.rejects(applyTrace(backend, await makeRequest(backend, PROBES)), NotLastingError);
  });

  it("counts every event that is lost", async () => {
    const kernel = makeKernel();
    const backend = startMmap(kernel);
    const probe = (id: string) =>
      `${id}: { kprobe: { symbol: do_sys_openat2 }, capture: { dfd: "$arg1:s32", way: "$arg2" } }`;
    const body = `probes: { ${["a", "b", "c", "d"].map(probe).join(", ")} }`;
    const request = { ...await makeRequest(backend, body), bufferKiB: 4 };
    const slow: Backend = {
      ...backend,
      capture: async (asked) => {
        const capture = await backend.capture(asked);
        const end = backend.kernel.now("monotonic") + 60_000_000n;
        // Nothing is read before all is over.
        const read: typeof capture.read = (take) =>
          backend.kernel.now("monotonic") < end ? 0 : capture.read(take);
        return { ...capture, read };
      },
    };
    startLoad(kernel);
    const summary = await runTrace(slow, request, [new CollectingSink()], {
      duration: 70_000_000n,
    });
    assert.ok(summary.lost > 0);
    assert.equal(summary.events + summary.lost, 4 * 40);
    assert.equal(summary.lostUnknown, 0);
  });
});
