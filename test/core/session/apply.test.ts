import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isEmptyPlan } from "../../../core/plan/plan.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { collectGarbage } from "../../../core/session/gc.ts";
import { installTrace } from "../../../core/session/install.ts";
import { removeTrace } from "../../../core/session/remove.ts";
import { traceStatus } from "../../../core/session/status.ts";
import { tracefsBackend } from "../../../plugins/tracefs/backend.ts";
import {
  FOUR_PROBES,
  FOUR_PROBES_CHANGED,
  hostState,
  killSonde,
  logChanges,
  makeKernel,
  makeRequest,
  startOtherTool,
  startSonde,
  TRACEFS,
} from "../../support/host.ts";

function setUp() {
  const kernel = makeKernel();
  startOtherTool(kernel);
  const before = hostState(kernel);
  const log: string[] = [];
  const backend = tracefsBackend(logChanges(kernel.spawn({ pid: 10, comm: "sonde" }), log));
  return { kernel, before, backend, log };
}

describe("applyTrace", () => {
  it("installs a trace that outlives its sonde", async () => {
    const { kernel, backend } = setUp();
    const plan = await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    assert.deepEqual([plan.removals.length, plan.additions.length], [0, 13]);
    const installed = hostState(kernel);
    assert.deepEqual(installed.files, ["edge.ledger"]);
    kernel.process(10)!.kill();
    await collectGarbage(startSonde(kernel));
    assert.deepEqual(hostState(kernel), installed);
  });

  it("changes nothing where nothing is to be changed", async () => {
    const { kernel, backend, log } = setUp();
    const request = await makeRequest(backend, FOUR_PROBES);
    await applyTrace(backend, request);
    const before = hostState(kernel);
    log.length = 0;
    assert.equal(isEmptyPlan(await applyTrace(backend, request)), true);
    assert.deepEqual(log, []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("brings a trace up to date and leaves alone what stays", async () => {
    const { kernel, before, backend, log } = setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    log.length = 0;
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES_CHANGED));
    const events = "instances/sonde-edge/events";
    assert.deepEqual(log, [
      `${events}/sonde_edge/total/enable = 0`,
      `${events}/sonde_edge/open_failed/enable = 0`,
      "kprobe_events = -:sonde_edge/open_failed",
      "uprobe_events = -:sonde_edge/total",
      "kprobe_events = r32:sonde_edge/read_done vfs_read ret=$retval:s64",
      "uprobe_events = p:sonde_edge/total /usr/bin/shop:0x1000 cents=%di:u32",
      `${events}/sonde_edge/file_open/filter = 0`,
      `${events}/sonde_edge/total/filter = cents > 5`,
      `${events}/sched/sched_switch/filter = prev_prio < 100`,
      `${events}/sonde_edge/read_done/enable = 1`,
      `${events}/sonde_edge/total/enable = 1`,
    ]);
    const { healthy, probes } = await traceStatus(backend, "edge");
    assert.equal(healthy, true);
    assert.deepEqual(probes.map(({ probe, filter }) => [probe, filter]), [
      ["file_open", undefined],
      ["read_done", undefined],
      ["total", "cents > 5"],
      ["switch", "prev_prio < 100"],
    ]);
    await removeTrace(backend, "edge");
    assert.deepEqual(hostState(kernel), before);
  });

  it("takes over what a killed sonde had installed", async () => {
    const { kernel, backend } = setUp();
    const dead = startSonde(kernel);
    await installTrace(dead, await makeRequest(dead, FOUR_PROBES));
    killSonde(dead);
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES_CHANGED));
    assert.equal((await traceStatus(backend, "edge")).healthy, true);
    assert.deepEqual(hostState(kernel).files, ["edge.ledger"]);
  });

  it("keeps traces apart whose names begin alike", async () => {
    const { kernel, backend } = setUp();
    for (const name of ["a", "a-b", "a-b-c"]) {
      await applyTrace(backend, await makeRequest(backend, FOUR_PROBES, name));
    }
    await removeTrace(backend, "a-b");
    for (const name of ["a", "a-b-c"]) {
      assert.equal((await traceStatus(backend, name)).healthy, true, name);
    }
    assert.ok(!hostState(kernel).kprobes.some((line) => line.includes(":sonde_a_b/")));
  });
});

describe("removeTrace", () => {
  it("removes all of a trace, what was added behind our back too, and nothing else", async () => {
    const { kernel, before, backend } = setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    const tool = kernel.process(900)!;
    const write = (file: string, text: string) => {
      const fd = tool.open(`${TRACEFS}/${file}`, { access: "write", append: true });
      tool.write(fd, new TextEncoder().encode(text));
      tool.close(fd);
    };
    write("kprobe_events", "p:sonde_edge/extra vfs_write");
    write("instances/sonde-edge/events/sonde_edge/extra/enable", "1");
    write("instances/sonde-edge/events/sched/sched_wakeup/enable", "1");
    const { found, removed, leftovers } = await removeTrace(backend, "edge");
    assert.deepEqual([found, leftovers], [true, []]);
    assert.ok(removed.every(({ owner }) => owner === "edge"));
    assert.deepEqual(hostState(kernel), before);
  });

  it("says so if there is no such trace", async () => {
    const { kernel, before, backend, log } = setUp();
    const { found, removed } = await removeTrace(backend, "edge");
    assert.deepEqual([found, removed, log], [false, [], []]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("tells what is in use, and gc ends it later", async () => {
    const { kernel, before, backend } = setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    // Another tool has our event enabled in its own instance.
    const tool = kernel.process(900)!;
    const enable = `${TRACEFS}/instances/othertool/events/sonde_edge/file_open/enable`;
    const fd = tool.open(enable, { access: "write" });
    tool.write(fd, new TextEncoder().encode("1"));
    const { leftovers } = await removeTrace(backend, "edge");
    assert.deepEqual(leftovers.map(({ step, error }) => [step, error.code]), [
      [{ call: "append", file: "kprobe_events", text: "-:sonde_edge/file_open" }, "EBUSY"],
    ]);
    assert.equal((await traceStatus(backend, "edge")).state, "leftover");
    tool.write(fd, new TextEncoder().encode("0"));
    await collectGarbage(backend);
    tool.close(fd);
    assert.deepEqual(hostState(kernel), before);
  });
});
