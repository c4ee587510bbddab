import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../../core/backend.ts";
import { appendText } from "../../../core/kernel/files.ts";
import { ensureStateDirectory } from "../../../core/plan/state.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { collectGarbage } from "../../../core/session/gc.ts";
import { installTrace } from "../../../core/session/install.ts";
import { removeTrace } from "../../../core/session/remove.ts";
import { traceStatus } from "../../../core/session/status.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import {
  FOUR_PROBES,
  hostState,
  killSonde,
  makeKernel,
  makeRequest,
  readHostFile,
  startOtherTool,
  startSonde,
  TRACEFS,
  writeHostFile,
} from "../../support/host.ts";

const LEDGER = "/run/sonde/edge.ledger";

function setUp() {
  const kernel = makeKernel();
  startOtherTool(kernel);
  return { kernel, before: hostState(kernel) };
}

/** Traces whose sondes were killed while they ran. */
async function leaveBehind(kernel: SimulatedKernel, ...names: string[]): Promise<void> {
  const sondes = names.map(() => startSonde(kernel));
  for (const [index, name] of names.entries()) {
    await installTrace(sondes[index], await makeRequest(sondes[index], FOUR_PROBES, name));
  }
  sondes.forEach(killSonde);
}

async function apply(kernel: SimulatedKernel, name = "edge"): Promise<Backend> {
  const backend = startSonde(kernel);
  await applyTrace(backend, await makeRequest(backend, FOUR_PROBES, name));
  return backend;
}

describe("collectGarbage", () => {
  it("takes back what a killed sonde left, and says what and why", async () => {
    const { kernel, before } = setUp();
    await leaveBehind(kernel, "edge");
    const [collected, ...others] = await collectGarbage(startSonde(kernel));
    assert.deepEqual([others, collected.leftovers], [[], []]);
    assert.equal(collected.name, "edge");
    assert.match(collected.reason, /ended without removing it/);
    const events = "instances/sonde-edge/events";
    assert.deepEqual(collected.steps, [
      { call: "write", file: `${events}/sched/sched_switch/enable`, text: "0" },
      { call: "write", file: `${events}/sonde_edge/total/enable`, text: "0" },
      { call: "write", file: `${events}/sonde_edge/open_failed/enable`, text: "0" },
      { call: "write", file: `${events}/sonde_edge/file_open/enable`, text: "0" },
      { call: "append", file: "uprobe_events", text: "-:sonde_edge/total" },
      { call: "append", file: "kprobe_events", text: "-:sonde_edge/open_failed" },
      { call: "append", file: "kprobe_events", text: "-:sonde_edge/file_open" },
      { call: "rmdir", path: "instances/sonde-edge" },
    ]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("does nothing where there is nothing, not even to sonde's own directory", async () => {
    const { kernel, before } = setUp();
    assert.deepEqual(await collectGarbage(startSonde(kernel)), []);
    assert.deepEqual(hostState(kernel), before);
    const run = kernel.root.lookup("run");
    assert.deepEqual(run?.kind === "directory" && run.list(), []);
  });

  it("leaves what is applied, and what a running sonde uses", async () => {
    const { kernel } = setUp();
    killSonde(await apply(kernel));
    const running = startSonde(kernel);
    const installation = await installTrace(
      running,
      await makeRequest(running, FOUR_PROBES, "running"),
    );
    await leaveBehind(kernel, "dead");
    const sonde = startSonde(kernel);
    assert.deepEqual((await collectGarbage(sonde)).map(({ name }) => name), ["dead"]);
    assert.equal((await traceStatus(sonde, "edge")).healthy, true);
    assert.equal((await traceStatus(sonde, "running")).state, "running");
    assert.equal((await traceStatus(sonde, "running")).healthy, true);
    assert.deepEqual(await installation.uninstall(), []);
  });

  it("removes what no ledger knows, as after a lost /run", async () => {
    const { kernel, before } = setUp();
    killSonde(await apply(kernel));
    const run = kernel.root.lookup("run");
    if (run?.kind === "directory") run.unlink!("sonde");
    const [collected] = await collectGarbage(startSonde(kernel));
    assert.equal(collected.reason, "no ledger knows it");
    assert.deepEqual(hostState(kernel), before);
  });

  it("drops the ledgers of an earlier boot", async () => {
    const { kernel, before } = setUp();
    const sonde = await apply(kernel);
    const ledger = readHostFile(kernel, LEDGER);
    await removeTrace(sonde, "edge");
    writeHostFile(kernel, LEDGER, ledger.replace(/"boot":"[^"]*"/, '"boot":"an-earlier-one"'));
    assert.deepEqual(await collectGarbage(sonde), []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("cleans up whatever is left of a ledger", async () => {
    const { kernel } = setUp();
    await leaveBehind(kernel, "edge");
    const ledger = readHostFile(kernel, LEDGER);
    const cuts = [...Array(20).keys()].map((i) => ledger.slice(0, i * ledger.length / 20));
    for (
      const text of [...cuts, "\0".repeat(100), "null\n7\n[]\n", `${ledger}{"operation":{"kin`]
    ) {
      const fresh = setUp();
      await leaveBehind(fresh.kernel, "edge");
      writeHostFile(fresh.kernel, LEDGER, text);
      // What the ledger does not know of can be in the way of what it knows: that takes two goes.
      for (const _ of [1, 2]) await collectGarbage(startSonde(fresh.kernel));
      assert.deepEqual(hostState(fresh.kernel), fresh.before);
    }
  });

  it("does not touch names that only look like ours", async () => {
    const { kernel } = setUp();
    const tool = kernel.spawn({ pid: 901, comm: "lookalike" });
    for (const group of ["sonde", "sonde_Edge", "sonde_", "sondeedge", "mysonde_edge"]) {
      appendText(tool, `${TRACEFS}/kprobe_events`, `p:${group}/x vfs_read`);
    }
    for (const instance of ["sonde", "sonde-", "sonde-Edge", "sonde-a_b", "sonde-edge-"]) {
      tool.mkdir(`${TRACEFS}/instances/${instance}`);
    }
    const before = hostState(kernel);
    assert.deepEqual(await collectGarbage(startSonde(kernel)), []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("tells what is in use and tries again the next time", async () => {
    const { kernel, before } = setUp();
    await leaveBehind(kernel, "edge");
    const viewer = kernel.spawn({ pid: 901, comm: "viewer" });
    const pipe = `${TRACEFS}/instances/sonde-edge/per_cpu/cpu0/trace_pipe_raw`;
    viewer.open(pipe, { access: "read", nonblock: true });
    const sonde = startSonde(kernel);
    const [{ leftovers }] = await collectGarbage(sonde);
    assert.deepEqual(
      leftovers.map(({ step, error }) => [step, error.code]),
      [[{ call: "rmdir", path: "instances/sonde-edge" }, "EBUSY"]],
    );
    assert.deepEqual(hostState(kernel).files, ["edge.ledger"]);
    viewer.kill();
    assert.deepEqual((await collectGarbage(sonde))[0].leftovers, []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("does not take a trace for garbage that is being applied meanwhile", async () => {
    const { kernel } = setUp();
    await leaveBehind(kernel, "dead");
    const collector = startSonde(kernel);
    const calls = { inventory: 0 };
    const racing: Backend = {
      ...collector,
      inventory: async () => {
        // The one is seen before its ledger could be, the other after.
        if (calls.inventory++ === 0) await apply(kernel, "first");
        const items = await collector.inventory();
        if (calls.inventory === 1) await apply(kernel, "second");
        return items;
      },
      undo: async (step) => {
        await collector.undo(step);
        if (step.call === "rmdir") await apply(kernel, "third");
      },
    };
    assert.deepEqual((await collectGarbage(racing)).map(({ name }) => name), ["dead"]);
    for (const name of ["first", "second", "third"]) {
      assert.equal((await traceStatus(collector, name)).healthy, true, name);
    }
  });

  it("goes on where another sonde starts on a trace that it was about to collect", async () => {
    const { kernel } = setUp();
    await leaveBehind(kernel, "one", "two");
    const collector = startSonde(kernel);
    const other = startSonde(kernel);
    const racing: Backend = {
      ...collector,
      undo: async (step) => {
        await collector.undo(step);
        if (step.call === "rmdir" && step.path.endsWith("one")) {
          await installTrace(other, await makeRequest(other, FOUR_PROBES, "two"));
        }
      },
    };
    assert.deepEqual((await collectGarbage(racing)).map(({ name }) => name), ["one"]);
    assert.equal((await traceStatus(other, "two")).state, "running");
    assert.equal((await traceStatus(other, "two")).healthy, true);
  });

  it("is told apart from an unusable state directory", async () => {
    const { kernel } = setUp();
    ensureStateDirectory(kernel.spawn({ pid: 901, comm: "sonde" }));
    kernel.faults.add({ call: "readdir", path: "/run/sonde", nth: 1, times: 1, error: "EIO" });
    await assert.rejects(collectGarbage(startSonde(kernel)), /EIO/);
  });
});
