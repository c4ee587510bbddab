import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { applyTrace } from "../../core/session/apply.ts";
import { call, callOn } from "../support/call.ts";
import { Scratch } from "../support/cli.ts";
import {
  FOUR_PROBES,
  hostState,
  makeKernel,
  makeRequest,
  startOtherTool,
  startSonde,
} from "../support/host.ts";

const scratch = new Scratch();
after(() => scratch.remove());

const INSTANCE = "instances/sonde-edge";
const config = scratch.config(`buffer: { size: 16KiB }\n${FOUR_PROBES}`);

function setUp() {
  const kernel = makeKernel();
  startOtherTool(kernel);
  return { kernel, backend: startSonde(kernel) };
}

describe("plan", () => {
  it("prints what the kernel would get, and changes nothing", async () => {
    const { kernel, backend } = setUp();
    const before = hostState(kernel);
    const { code, stdout, stderr } = await callOn(backend, "plan", config);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      `Trace "edge" on the tracefs backend:
+ mkdir instances/sonde-edge
+ ${INSTANCE}/trace_clock = mono
+ ${INSTANCE}/buffer_size_kb = 16
+ ${INSTANCE}/tracing_on = 1
+ kprobe_events += p:sonde_edge/file_open do_sys_openat2 dfd=$arg1:s32 filename=+0($arg2):ustring
+ kprobe_events += r64:sonde_edge/open_failed do_sys_openat2 ret=$retval:s32
+ uprobe_events += p:sonde_edge/total /usr/bin/shop:0x1000 cents=%di:u64
+ ${INSTANCE}/events/sonde_edge/file_open/filter = dfd == -100
+ ${INSTANCE}/events/sched/sched_switch/filter = prev_prio < 121
+ ${INSTANCE}/events/sonde_edge/file_open/enable = 1
+ ${INSTANCE}/events/sonde_edge/open_failed/enable = 1
+ ${INSTANCE}/events/sonde_edge/total/enable = 1
+ ${INSTANCE}/events/sched/sched_switch/enable = 1
13 to do, 0 to take away
`,
    );
    assert.deepEqual(hostState(kernel), before);
  });

  it("says so if nothing would change", async () => {
    const { backend } = setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    const { code, stdout } = await callOn(backend, "plan", config);
    assert.equal(code, 0);
    assert.equal(stdout, 'Trace "edge" is installed as declared: nothing would change\n');
    const json = await callOn(backend, "plan", config, "--format", "json");
    const { changes, add, remove, unchanged } = JSON.parse(json.stdout);
    assert.deepEqual([changes, add, remove, unchanged], [false, [], [], 15]);
  });

  it("prints what would be taken away", async () => {
    const { backend } = setUp();
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    const less = scratch.config(
      "buffer: { size: 16KiB }\nprobes: { switch: { tracepoint: sched/sched_switch } }\n",
      "less.yaml",
    );
    const { stdout } = await callOn(backend, "plan", less);
    // Enabled events come in the order in which the kernel lists them.
    assert.deepEqual(stdout.split("\n").toSorted(), [
      "",
      `+ ${INSTANCE}/events/sched/sched_switch/filter = 0`,
      `- ${INSTANCE}/events/sonde_edge/file_open/enable = 0`,
      `- ${INSTANCE}/events/sonde_edge/open_failed/enable = 0`,
      `- ${INSTANCE}/events/sonde_edge/total/enable = 0`,
      "- kprobe_events += -:sonde_edge/file_open",
      "- kprobe_events += -:sonde_edge/open_failed",
      "- uprobe_events += -:sonde_edge/total",
      "1 to do, 6 to take away",
      'Trace "edge" on the tracefs backend:',
    ]);
    const last = stdout.lastIndexOf("/enable = 0");
    assert.ok(last < stdout.indexOf("kprobe_events"), "an enabled event cannot be deleted");
  });

  it("gives operations as JSON, each with its undo", async () => {
    const { backend } = setUp();
    const { code, stdout, stderr } = await callOn(backend, "plan", config, "--format", "json");
    assert.deepEqual([code, stderr], [0, ""]);
    const plan = JSON.parse(stdout);
    assert.deepEqual(
      [plan.name, plan.backend, plan.changes, plan.remove, plan.skipped],
      ["edge", "tracefs", true, [], []],
    );
    assert.deepEqual(
      plan.add.find(({ target }: { target: string }) => target === "sonde_edge/open_failed"),
      {
        kind: "definition",
        target: "sonde_edge/open_failed",
        probe: "open_failed",
        step: {
          call: "append",
          file: "kprobe_events",
          text: "r64:sonde_edge/open_failed do_sys_openat2 ret=$retval:s32",
        },
        undo: { call: "append", file: "kprobe_events", text: "-:sonde_edge/open_failed" },
      },
    );
  });
});

describe("a probe without a place", () => {
  const missing = (extra: string, name: string) =>
    scratch.config(
      `
probes:
  there: { kprobe: { symbol: vfs_read } }
  gone: { kprobe: { symbol: vfs_raed }${extra} }
`,
      name,
    );

  it("is an error, at its place, with names that are near", async () => {
    const { kernel, backend } = setUp();
    const before = hostState(kernel);
    for (const command of ["plan", "apply", "run"]) {
      const file = missing("", "error.yaml");
      const { code, stdout, stderr } = await callOn(backend, command, file);
      assert.deepEqual([code, stdout], [1, ""], command);
      assert.match(stderr, /error\.yaml:7:3: error: .* has no function "vfs_raed"\n/);
      assert.match(stderr, /^ {2}gone: .*\n {2}\^+\n/m);
      assert.match(stderr, /hint: .*vfs_read/);
    }
    assert.deepEqual(hostState(kernel), before);
  });

  it("is left out with a warning, or without, and the exit code tells", async () => {
    for (const [choice, warned] of [["warn", true], ["skip", false]] as const) {
      const { kernel, backend } = setUp();
      const file = missing(`, on_missing: ${choice}`, `${choice}.yaml`);
      const { code, stderr } = await callOn(backend, "apply", file);
      assert.equal(code, 3);
      assert.equal(/warning: .*vfs_raed/.test(stderr), warned, stderr);
      assert.ok(hostState(kernel).kprobes.includes("p:sonde_edge/there vfs_read"));
      const { stdout } = await callOn(backend, "plan", file, "--format", "json");
      const { skipped } = JSON.parse(stdout);
      assert.deepEqual(skipped.map(({ probe }: { probe: string }) => probe), ["gone"]);
    }
  });

  it("is warned of unless sonde is to be quiet", async () => {
    const { backend } = setUp();
    const file = missing(", on_missing: warn", "quiet.yaml");
    const { code, stderr } = await callOn(backend, "apply", file, "--quiet");
    assert.deepEqual([code, stderr], [3, ""]);
  });

  it("follows the defaults, and its own choice before them", async () => {
    const { backend } = setUp();
    const file = (own: string) =>
      scratch.config(
        `defaults: { on_missing: skip }\nprobes: { gone: { kprobe: { symbol: nope }${own} } }\n`,
        "defaults.yaml",
      );
    assert.equal((await callOn(backend, "plan", file(""))).code, 3);
    assert.equal((await callOn(backend, "plan", file(", on_missing: error"))).code, 1);
  });

  it("takes the first of its symbols that the kernel has", async () => {
    const { backend } = setUp();
    const file = (symbols: string) =>
      scratch.config(
        `probes: { x: { kprobe: { symbol: [${symbols}] } } }\n`,
        "alternatives.yaml",
      );
    const first = await callOn(backend, "plan", file("nope, vfs_write, vfs_read"));
    assert.equal(first.code, 0);
    assert.match(first.stdout, /\+ kprobe_events \+= p:sonde_edge\/x vfs_write\n/);
    const none = await callOn(backend, "plan", file("nope, neither"));
    assert.equal(none.code, 1);
    assert.match(none.stderr, /"nope"[^]*"neither"/);
  });

  it("looks for symbols of a program in its file", async () => {
    const { backend } = setUp();
    const file = (symbol: string) =>
      scratch.config(
        `probes: { x: { uprobe: { path: /usr/bin/shop, symbol: ${symbol} } } }\n`,
        "uprobe.yaml",
      );
    const found = await callOn(backend, "plan", file("[nope, checkout_total]"));
    assert.match(found.stdout, /p:sonde_edge\/x \/usr\/bin\/shop:0x1000\n/);
    const missing = await callOn(backend, "plan", file("checkout_totl"));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /checkout_totl/);
    assert.match(missing.stderr, /hint: .*checkout_total/);
  });

  it("is told with 69 if the kernel has no probes of its kind", async () => {
    const file = scratch.config(`
probes: { x: { kprobe: { symbol: vfs_read } } }
simulate:
  functions: { vfs_read: {} }
  faults: [{ call: stat, path: kprobe_events, error: ENOENT, times: 1000 }]
`);
    const { code, stderr } = await call("plan", file, "--backend", "simulated");
    assert.equal(code, 69, stderr);
    assert.match(stderr, /CONFIG_KPROBE_EVENTS/);
  });
});
