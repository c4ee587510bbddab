import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { appendText, writeText } from "../../../core/kernel/files.ts";
import { describeStep } from "../../../core/operation.ts";
import { isEmptyPlan, makePlan, type Plan } from "../../../core/plan/plan.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { installTrace } from "../../../core/session/install.ts";
import {
  FOUR_PROBES,
  hostState,
  makeKernel,
  makeRequest,
  startOtherTool,
  startSonde,
  TRACEFS,
} from "../../support/host.ts";

const INSTANCE = "instances/sonde-edge";

/** A host on which {@link FOUR_PROBES} is applied, and what would make it another config. */
async function setUp() {
  const kernel = makeKernel();
  const tool = startOtherTool(kernel);
  const backend = startSonde(kernel);
  await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
  const plan = async (body: string, bufferKiB = 16) => {
    const before = hostState(kernel);
    const made = await makePlan(backend, { ...await makeRequest(backend, body), bufferKiB });
    assert.deepEqual(hostState(kernel), before, "planning changed something");
    return made;
  };
  return { kernel, tool, backend, plan };
}

/** A plan as lines: `-` takes away, `+` adds. */
function lines(plan: Plan): string[] {
  return [
    ...plan.removals.map(({ undo }) => `- ${describeStep(undo!)}`),
    ...plan.additions.map(({ step }) => `+ ${describeStep(step)}`),
  ];
}

/** What changes if `from` becomes `to` in {@link FOUR_PROBES}. */
async function change(from: string, to: string): Promise<string[]> {
  assert.ok(FOUR_PROBES.includes(from));
  const { plan } = await setUp();
  return lines(await plan(FOUR_PROBES.replace(from, to)));
}

describe("makePlan", () => {
  it("lists what is to be done on a fresh host, as the kernel gets it", async () => {
    const kernel = makeKernel();
    startOtherTool(kernel);
    const backend = startSonde(kernel);
    const plan = await makePlan(backend, await makeRequest(backend, FOUR_PROBES));
    assert.deepEqual(lines(plan), [
      "+ mkdir instances/sonde-edge",
      `+ ${INSTANCE}/trace_clock = mono`,
      `+ ${INSTANCE}/buffer_size_kb = 16`,
      `+ ${INSTANCE}/tracing_on = 1`,
      "+ kprobe_events += p:sonde_edge/file_open do_sys_openat2 dfd=$arg1:s32 filename=+0($arg2):ustring",
      "+ kprobe_events += r64:sonde_edge/open_failed do_sys_openat2 ret=$retval:s32",
      "+ uprobe_events += p:sonde_edge/total /usr/bin/shop:0x1000 cents=%di:u64",
      `+ ${INSTANCE}/events/sonde_edge/file_open/filter = dfd == -100`,
      `+ ${INSTANCE}/events/sched/sched_switch/filter = prev_prio < 121`,
      `+ ${INSTANCE}/events/sonde_edge/file_open/enable = 1`,
      `+ ${INSTANCE}/events/sonde_edge/open_failed/enable = 1`,
      `+ ${INSTANCE}/events/sonde_edge/total/enable = 1`,
      `+ ${INSTANCE}/events/sched/sched_switch/enable = 1`,
    ]);
  });

  it("is empty where all is in effect", async () => {
    const { plan } = await setUp();
    const made = await plan(FOUR_PROBES);
    assert.deepEqual(lines(made), []);
    assert.equal(isEmptyPlan(made), true);
    assert.equal(made.unchanged.length, 15);
  });

  it("is empty with any size of the buffer, however the kernel rounds it", async () => {
    const kernel = makeKernel();
    const backend = startSonde(kernel);
    for (const bufferKiB of [4, 7, 8, 64, 100, 1000, 1408, 4096]) {
      const request = { ...await makeRequest(backend, FOUR_PROBES), bufferKiB };
      await applyTrace(backend, request);
      assert.deepEqual(lines(await makePlan(backend, request)), [], `${bufferKiB} KiB`);
    }
  });

  it("adds a probe", async () => {
    const added = "\n  read: { kprobe: { symbol: vfs_read } }\n";
    assert.deepEqual(await change("\n  switch:", `${added}  switch:`), [
      "+ kprobe_events += p:sonde_edge/read vfs_read",
      `+ ${INSTANCE}/events/sonde_edge/read/enable = 1`,
    ]);
  });

  it("takes a probe away, disabled first", async () => {
    const { plan } = await setUp();
    const without = FOUR_PROBES.replace(/ {2}open_failed:.*?(?= {2}total:)/s, "");
    assert.deepEqual(lines(await plan(without)), [
      `- ${INSTANCE}/events/sonde_edge/open_failed/enable = 0`,
      "- kprobe_events += -:sonde_edge/open_failed",
    ]);
  });

  it("takes a tracepoint away", async () => {
    const { plan } = await setUp();
    const without = FOUR_PROBES.replace(/ {2}switch:.*\n/, "");
    assert.deepEqual(lines(await plan(without)), [
      `- ${INSTANCE}/events/sched/sched_switch/enable = 0`,
    ]);
  });

  it("defines a changed probe anew, with its filter and enabling", async () => {
    assert.deepEqual(await change('dfd: "$arg1:s32"', 'dfd: "$arg1:s64"'), [
      `- ${INSTANCE}/events/sonde_edge/file_open/enable = 0`,
      "- kprobe_events += -:sonde_edge/file_open",
      "+ kprobe_events += p:sonde_edge/file_open do_sys_openat2 dfd=$arg1:s64 filename=+0($arg2):ustring",
      `+ ${INSTANCE}/events/sonde_edge/file_open/filter = dfd == -100`,
      `+ ${INSTANCE}/events/sonde_edge/file_open/enable = 1`,
    ]);
  });

  it("defines a probe anew that becomes one of another kind", async () => {
    const uprobe = "uprobe: { path: /usr/bin/shop, symbol: checkout_total }";
    const kprobe = "kprobe: { symbol: vfs_write }";
    assert.deepEqual(await change(uprobe, kprobe), [
      `- ${INSTANCE}/events/sonde_edge/total/enable = 0`,
      "- uprobe_events += -:sonde_edge/total",
      "+ kprobe_events += p:sonde_edge/total vfs_write cents=$arg1:u64",
      // Where the event is now, no filter is to be taken away; where it will be, there is none.
      `+ ${INSTANCE}/events/sonde_edge/total/filter = 0`,
      `+ ${INSTANCE}/events/sonde_edge/total/enable = 1`,
    ]);
  });

  it("changes a filter only", async () => {
    assert.deepEqual(await change("dfd == -100", "dfd == 3"), [
      `+ ${INSTANCE}/events/sonde_edge/file_open/filter = dfd == 3`,
    ]);
  });

  it("takes a filter away only", async () => {
    assert.deepEqual(await change(", filter: 'prev_prio < 121'", ""), [
      `+ ${INSTANCE}/events/sched/sched_switch/filter = 0`,
    ]);
  });

  it("knows a filter whatever blanks are around it", async () => {
    for (const filter of ["'  dfd == -100'", "'dfd == -100  '", "|\n      dfd == -100\n"]) {
      const kernel = makeKernel();
      const backend = startSonde(kernel);
      const request = await makeRequest(backend, FOUR_PROBES.replace("'dfd == -100'", filter));
      await applyTrace(backend, request);
      assert.deepEqual(lines(await makePlan(backend, request)), [], filter);
    }
  });

  it("changes the size of the buffer", async () => {
    const { plan } = await setUp();
    assert.deepEqual(lines(await plan(FOUR_PROBES, 64)), [`+ ${INSTANCE}/buffer_size_kb = 64`]);
  });

  it("mends what was changed behind our back", async () => {
    const { tool, plan } = await setUp();
    const events = `${TRACEFS}/${INSTANCE}/events`;
    writeText(tool, `${events}/sonde_edge/total/enable`, "0");
    appendText(tool, `${TRACEFS}/uprobe_events`, "-:sonde_edge/total");
    writeText(tool, `${events}/sched/sched_switch/enable`, "0");
    writeText(tool, `${events}/sonde_edge/file_open/filter`, "dfd > 0");
    writeText(tool, `${TRACEFS}/${INSTANCE}/tracing_on`, "0");
    appendText(tool, `${TRACEFS}/kprobe_events`, "p:sonde_edge/extra vfs_write");
    assert.deepEqual(lines(await plan(FOUR_PROBES)), [
      "- kprobe_events += -:sonde_edge/extra",
      `+ ${INSTANCE}/tracing_on = 1`,
      "+ uprobe_events += p:sonde_edge/total /usr/bin/shop:0x1000 cents=%di:u64",
      `+ ${INSTANCE}/events/sonde_edge/file_open/filter = dfd == -100`,
      `+ ${INSTANCE}/events/sonde_edge/total/enable = 1`,
      `+ ${INSTANCE}/events/sched/sched_switch/enable = 1`,
    ]);
  });

  it("has nothing to do with another trace or another tool", async () => {
    const { kernel, plan } = await setUp();
    const second = startSonde(kernel);
    await installTrace(second, await makeRequest(second, FOUR_PROBES, "edge-two"));
    assert.deepEqual(lines(await plan(FOUR_PROBES)), []);
  });

  it("takes everything away for a config without probes, but for the instance", async () => {
    const { plan } = await setUp();
    const removed = lines(await plan("probes: {}"));
    assert.deepEqual(removed.filter((line) => line.startsWith("+")), []);
    assert.equal(removed.length, 7);
  });
});
