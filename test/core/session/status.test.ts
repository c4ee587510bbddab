import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { appendText, writeText } from "../../../core/kernel/files.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { installTrace } from "../../../core/session/install.ts";
import { traceStatus } from "../../../core/session/status.ts";
import {
  FOUR_PROBES,
  hostState,
  killSonde,
  makeKernel,
  makeRequest,
  startLoad,
  startOtherTool,
  startSonde,
  TRACEFS,
} from "../../support/host.ts";

const EVENTS = `${TRACEFS}/instances/sonde-edge/events`;

async function setUp() {
  const kernel = makeKernel();
  const tool = startOtherTool(kernel);
  const backend = startSonde(kernel);
  await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
  return { kernel, tool, backend, status: () => traceStatus(backend, "edge") };
}

describe("traceStatus", () => {
  it("tells of each probe what the kernel has", async () => {
    const { kernel, backend } = await setUp();
    const before = hostState(kernel);
    assert.deepEqual(await traceStatus(backend, "edge"), {
      name: "edge",
      state: "applied",
      healthy: true,
      probes: [
        {
          event: "sonde_edge/file_open",
          probe: "file_open",
          active: true,
          missing: false,
          definition:
            "p:sonde_edge/file_open do_sys_openat2 dfd=$arg1:s32 filename=+0($arg2):ustring",
          filter: "dfd == -100",
          hits: 0n,
          missed: 0n,
        },
        {
          event: "sonde_edge/open_failed",
          probe: "open_failed",
          active: true,
          missing: false,
          definition: "r64:sonde_edge/open_failed do_sys_openat2 ret=$retval:s32",
          filter: undefined,
          hits: 0n,
          missed: 0n,
        },
        {
          event: "sonde_edge/total",
          probe: "total",
          active: true,
          missing: false,
          definition: "p:sonde_edge/total /usr/bin/shop:0x0000000000001000 cents=%di:u64",
          filter: undefined,
          hits: 0n,
        },
        {
          event: "sched/sched_switch",
          probe: "switch",
          active: true,
          missing: false,
          definition: undefined,
          filter: "prev_prio < 121",
        },
      ],
    });
    assert.deepEqual(hostState(kernel), before);
  });

  it("counts our hits, not those of a probe of the same name", async () => {
    const { kernel, tool, status } = await setUp();
    startLoad(kernel);
    kernel.scheduler.advance(10_000_000n);
    writeText(tool, `${TRACEFS}/instances/othertool/events/othertool/file_open/enable`, "0");
    kernel.scheduler.advance(10_000_000n);
    const hits = (await status()).probes.map(({ probe, hits }) => [probe, hits]);
    assert.deepEqual(hits, [
      ["file_open", 20n],
      ["open_failed", 20n],
      ["total", 6n],
      ["switch", undefined],
    ]);
  });

  it("says what was disabled behind our back", async () => {
    for (const event of ["sonde_edge/total", "sched/sched_switch"]) {
      const { tool, status } = await setUp();
      writeText(tool, `${EVENTS}/${event}/enable`, "0");
      const { probes, healthy } = await status();
      assert.equal(healthy, false);
      const changed = probes.filter(({ active }) => !active);
      assert.deepEqual(changed.map(({ event, missing }) => [event, missing]), [[event, false]]);
    }
  });

  it("says what was deleted behind our back", async () => {
    const { tool, status } = await setUp();
    writeText(tool, `${EVENTS}/sonde_edge/open_failed/enable`, "0");
    appendText(tool, `${TRACEFS}/kprobe_events`, "-:sonde_edge/open_failed");
    const { probes, healthy } = await status();
    assert.equal(healthy, false);
    assert.deepEqual(
      probes.filter(({ missing }) => missing).map(({ event, probe, active }) => [
        event,
        probe,
        active,
      ]),
      [["sonde_edge/open_failed", "open_failed", false]],
    );
    assert.equal(probes.filter(({ active }) => active).length, 3);
  });

  it("says what was made behind our back", async () => {
    const { tool, status } = await setUp();
    appendText(tool, `${TRACEFS}/kprobe_events`, "p:sonde_edge/extra vfs_write");
    const { probes, healthy } = await status();
    assert.equal(healthy, false);
    assert.deepEqual(
      probes.filter(({ active }) => !active).map(({ event, probe }) => [event, probe]),
      [["sonde_edge/extra", undefined]],
    );
  });

  it("says that the instance is gone", async () => {
    const { tool, status } = await setUp();
    tool.rmdir(`${TRACEFS}/instances/sonde-edge`);
    const { probes, healthy } = await status();
    assert.equal(healthy, false);
    assert.ok(probes.every(({ active }) => !active));
    assert.deepEqual(probes.filter(({ missing }) => missing), []);
  });

  it("shows the filter that is in force", async () => {
    const { tool, status } = await setUp();
    writeText(tool, `${EVENTS}/sonde_edge/file_open/filter`, "dfd > 3");
    writeText(tool, `${EVENTS}/sched/sched_switch/filter`, "0");
    const filters = (await status()).probes.map(({ probe, filter }) => [probe, filter]);
    assert.deepEqual(filters, [
      ["file_open", "dfd > 3"],
      ["open_failed", undefined],
      ["total", undefined],
      ["switch", undefined],
    ]);
  });

  it("tells running, applied and left apart", async () => {
    const kernel = makeKernel();
    const [runner, viewer] = [startSonde(kernel), startSonde(kernel)];
    await installTrace(runner, await makeRequest(runner, FOUR_PROBES));
    const state = async () => {
      const { state, healthy } = await traceStatus(viewer, "edge");
      return [state, healthy];
    };
    assert.deepEqual(await state(), ["running", true]);
    killSonde(runner);
    assert.deepEqual(await state(), ["leftover", false]);
    await applyTrace(viewer, await makeRequest(viewer, FOUR_PROBES));
    assert.deepEqual(await state(), ["applied", true]);
  });
});
