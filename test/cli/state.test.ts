import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { writeText } from "../../core/kernel/files.ts";
import { installTrace } from "../../core/session/install.ts";
import { tracefsBackend } from "../../plugins/tracefs/backend.ts";
import { call, callOn } from "../support/call.ts";
import { Scratch } from "../support/cli.ts";
import {
  FOUR_PROBES,
  FOUR_PROBES_CHANGED,
  hostState,
  killSonde,
  makeKernel,
  makeRequest,
  startLoad,
  startOtherTool,
  startSonde,
  TRACEFS,
} from "../support/host.ts";

const scratch = new Scratch();
after(() => scratch.remove());

const config = scratch.config(FOUR_PROBES);
const changed = scratch.config(FOUR_PROBES_CHANGED, "changed.yaml");

function setUp() {
  const kernel = makeKernel();
  const tool = startOtherTool(kernel);
  const before = hostState(kernel);
  const backend = startSonde(kernel);
  return { kernel, tool, before, backend, on: (...args: string[]) => callOn(backend, ...args) };
}

describe("apply", () => {
  it("installs, says how to take it out, and says so if it is there already", async () => {
    const { on } = setUp();
    const first = await on("apply", config);
    assert.deepEqual([first.code, first.stdout], [0, ""]);
    assert.equal(first.stderr, 'Trace "edge" is installed; sonde remove edge takes it out\n');
    const again = await on("apply", config);
    assert.deepEqual([again.code, again.stdout], [0, ""]);
    assert.match(again.stderr, /is installed as declared already/);
  });

  it("gives what it did as JSON", async () => {
    const { on } = setUp();
    const { code, stdout } = await on("apply", config, "--format", "json");
    const { name, add, remove, skipped } = JSON.parse(stdout);
    assert.deepEqual([code, name, add.length, remove, skipped], [0, "edge", 13, [], []]);
  });

  it("says each step with --verbose, nothing with --quiet", async () => {
    const { on } = setUp();
    const loud = await on("apply", config, "--verbose");
    assert.match(loud.stderr, /^kprobe_events \+= p:sonde_edge\/file_open do_sys_openat2 /m);
    const update = await on("apply", changed, "--verbose");
    assert.match(update.stderr, /^kprobe_events \+= -:sonde_edge\/open_failed$/m);
    const quiet = await on("apply", config, "--quiet");
    assert.deepEqual(quiet, { code: 0, stdout: "", stderr: "" });
  });

  it("says what the kernel refuses, at its place, and that all is undone", async () => {
    const { kernel, before, on } = setUp();
    const file = scratch.config(
      `
probes:
  fine: { kprobe: { symbol: vfs_read } }
  bad:
    kprobe: { symbol: vfs_write }
    capture:
      good: "$arg1:u64"
      wrong: "+0(+8(no_such)):u64"
`,
      "refused.yaml",
    );
    const { code, stdout, stderr } = await on("apply", file);
    assert.deepEqual([code, stdout], [78, ""]);
    assert.match(stderr, /refused\.yaml:11:\d+: error: The kernel refuses this: /);
    assert.match(stderr, /^ {6}wrong: "\+0\(\+8\(no_such\)\):u64"\n +\^$/m);
    assert.match(stderr, /Everything that was done before is undone/);
    assert.deepEqual(hostState(kernel), before);
  });

  it("points into a filter that no validation can judge", async () => {
    const { kernel, before, on } = setUp();
    const file = scratch.config(
      `
probes:
  switch:
    tracepoint: sched/sched_switch
    filter: 'prev_prio < 3 && no_such == 1'
`,
      "filter.yaml",
    );
    const { code, stderr } = await on("apply", file);
    assert.equal(code, 78);
    assert.match(stderr, /filter\.yaml:8:\d+: error: The kernel refuses this: Field not found/);
    const [, line, caret] = /^( {4}filter: .*)\n( *)\^/m.exec(stderr)!;
    assert.match(line.slice(caret.length), /^no_such == 1'|^ ?== 1'|^1'/);
    assert.deepEqual(hostState(kernel), before);
  });

  it("tells what it could not undo or put back", async () => {
    const { kernel, on } = setUp();
    await on("apply", config);
    const fail = (path: string, nth: number) =>
      kernel.faults.add({ call: "write", path, nth, times: 1, error: "EBUSY" });
    fail("read_done/enable", 1);
    fail("uprobe_events", 4);
    const { code, stderr } = await on("apply", changed);
    assert.equal(code, 75);
    assert.match(stderr, /Not put back: uprobe_events \+= p:sonde_edge\/total/);
    assert.doesNotMatch(stderr, /Everything that was done before is undone/);
  });

  it("is busy while another sonde works on the trace", async () => {
    const { kernel, backend, on } = setUp();
    const other = startSonde(kernel, 321);
    await installTrace(other, await makeRequest(backend, FOUR_PROBES));
    for (const args of [["apply", config], ["run", config], ["remove", "edge"]]) {
      const { code, stdout, stderr } = await on(...args);
      assert.deepEqual([code, stdout], [75, ""], args[0]);
      assert.match(stderr, /in use by another sonde, process 321/);
      assert.match(stderr, /hint: /);
    }
  });

  it("is refused to a user without permission", async () => {
    const { kernel } = setUp();
    const user = tracefsBackend(kernel.spawn({ pid: 77, comm: "sonde", uid: 1000 }));
    for (const args of [["apply", config], ["run", config], ["plan", config], ["doctor"]]) {
      const { code, stderr, stdout } = await callOn(user, ...args);
      assert.match(stderr + stdout, /[Rr]un sonde as root/, args[0]);
      assert.equal(code, args[0] === "doctor" ? code : 77, args[0]);
    }
    for (const args of [["gc"], ["status"], ["remove", "edge"]]) {
      const { code, stderr } = await callOn(user, ...args);
      assert.equal(code, 77, `${args[0]}: ${stderr}`);
    }
  });
});

describe("status", () => {
  it("shows each probe as the kernel has it", async () => {
    const { kernel, on } = setUp();
    await on("apply", config);
    startLoad(kernel);
    kernel.scheduler.advance(7_000_000n);
    const { code, stdout, stderr } = await on("status");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      `edge: applied
  STATE   PROBE        EVENT                   HITS  MISSED  FILTER
  active  file_open    sonde_edge/file_open    7     0       dfd == -100
  active  open_failed  sonde_edge/open_failed  7     0
  active  total        sonde_edge/total        2     -
  active  switch       sched/sched_switch      -     -       prev_prio < 121
`,
    );
  });

  it("tells what was disabled, and ends with 3", async () => {
    const { tool, on } = setUp();
    await on("apply", config);
    writeText(tool, `${TRACEFS}/instances/sonde-edge/events/sched/sched_switch/enable`, "0");
    const { code, stdout } = await on("status", "edge");
    assert.equal(code, 3);
    assert.match(stdout, /^ {2}disabled +switch +sched\/sched_switch/m);
  });

  it("gives JSON with exact counts", async () => {
    const { on } = setUp();
    await on("apply", config);
    const { code, stdout } = await on("status", "--format", "json");
    const { traces: [trace] } = JSON.parse(stdout);
    assert.deepEqual([code, trace.name, trace.state, trace.healthy], [0, "edge", "applied", true]);
    assert.deepEqual(
      trace.probes.map(({ probe, hits }: { probe: string; hits?: number }) => [probe, hits]),
      [["file_open", 0], ["open_failed", 0], ["total", 0], ["switch", undefined]],
    );
    assert.deepEqual(JSON.parse((await setUp().on("status", "--format", "json")).stdout), {
      traces: [],
    });
  });

  it("names the process that runs a trace, and what a dead one left", async () => {
    const { kernel, backend, on } = setUp();
    const runner = startSonde(kernel, 321);
    await installTrace(runner, await makeRequest(backend, FOUR_PROBES));
    const running = await on("status");
    assert.equal(running.code, 0);
    assert.match(running.stdout, /^edge: running, process 321\n/);
    killSonde(runner);
    const left = await on("status");
    assert.equal(left.code, 3);
    assert.match(left.stdout, /^edge: leftover\n/);
  });

  it("says that there is no such trace, or none at all", async () => {
    const { on } = setUp();
    const none = await on("status");
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, "", "No trace is installed\n"]);
    const unknown = await on("status", "edge");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is no trace "edge" here/);
  });
});

describe("remove", () => {
  it("takes a trace out and nothing else", async () => {
    const { kernel, before, on } = setUp();
    await on("apply", config);
    const { code, stdout, stderr } = await on("remove", "edge");
    assert.deepEqual([code, stdout, stderr], [0, "", 'Removed trace "edge"\n']);
    assert.deepEqual(hostState(kernel), before);
    const again = await on("remove", "edge");
    assert.equal(again.code, 1);
    assert.match(again.stderr, /There is no trace "edge" here/);
  });

  it("gives what it did as JSON, and what it had to leave", async () => {
    const { kernel, on } = setUp();
    await on("apply", config);
    kernel.faults.add({ call: "rmdir", nth: 1, times: 1, error: "EBUSY" });
    const { code, stdout, stderr } = await on("remove", "edge", "--format", "json");
    assert.equal(code, 75);
    const { removed, leftovers } = JSON.parse(stdout);
    assert.equal(removed.length, 8);
    assert.deepEqual(leftovers, [
      { step: { call: "rmdir", path: "instances/sonde-edge" }, error: "EBUSY" },
    ]);
    assert.match(stderr, /Left behind: rmdir instances\/sonde-edge: in use by another tracer/);
  });

  it("shows no name as a command to the terminal", async () => {
    const { on } = setUp();
    const { code, stderr } = await on("remove", "a\x1b[2J\u202eb");
    assert.equal(code, 2);
    assert.doesNotMatch(stderr, /[^\P{Cc}\n]|\u202e/u);
  });
});

describe("gc", () => {
  it("removes what a killed sonde left, and says so", async () => {
    const { kernel, before, backend, on } = setUp();
    const dead = startSonde(kernel);
    await installTrace(dead, await makeRequest(backend, FOUR_PROBES));
    killSonde(dead);
    const { code, stdout, stderr } = await on("gc");
    assert.deepEqual([code, stdout], [0, ""]);
    assert.match(stderr, /^Removed trace "edge": its sonde ended without removing it\n$/);
    assert.deepEqual(hostState(kernel), before);
    const again = await on("gc");
    assert.deepEqual([again.code, again.stderr], [0, "Nothing to remove\n"]);
  });

  it("leaves what is applied, and gives JSON", async () => {
    const { kernel, on } = setUp();
    await on("apply", config);
    const before = hostState(kernel);
    const { code, stdout } = await on("gc", "--format", "json");
    assert.deepEqual([code, JSON.parse(stdout)], [0, { removed: [], leftovers: [] }]);
    assert.deepEqual(hostState(kernel), before);
  });

  it("says what it had to leave, and ends with 75", async () => {
    const { kernel, backend, on } = setUp();
    const dead = startSonde(kernel);
    await installTrace(dead, await makeRequest(backend, FOUR_PROBES));
    killSonde(dead);
    kernel.faults.add({ call: "rmdir", nth: 1, times: 1, error: "EBUSY" });
    const { code, stderr } = await on("gc");
    assert.equal(code, 75);
    assert.match(stderr, /Left behind: rmdir instances\/sonde-edge: in use by another tracer/);
    assert.doesNotMatch(stderr, /^Removed trace "edge"/m);
  });
});

describe("list", () => {
  it("shows probes of all tools and whose they are", async () => {
    const { on } = setUp();
    await on("apply", config);
    const { code, stdout } = await on("list", "probes");
    assert.equal(code, 0);
    assert.match(stdout, /^sonde_edge\/file_open +edge +p:sonde_edge\/file_open do_sys_openat2 /m);
    assert.match(stdout, /^othertool\/total +other +p:othertool\/total \/usr\/bin\/shop:/m);
    const json = await on("list", "probes", "--format", "json");
    assert.equal(JSON.parse(json.stdout).length, 8);
  });

  it("goes by a pattern", async () => {
    const { on } = setUp();
    const names = async (...args: string[]) => (await on("list", ...args)).stdout.split("\n");
    assert.deepEqual(await names("functions", "vfs_*"), ["vfs_read", "vfs_write", ""]);
    assert.deepEqual(await names("functions", "vfs_rea?"), ["vfs_read", ""]);
    assert.deepEqual(await names("functions", "open"), ["do_sys_openat2", ""]);
    assert.deepEqual(await names("functions", "nothing"), [""]);
    assert.deepEqual(await names("functions", "(*"), [""]);
    assert.ok((await names("tracepoints", "sched/*")).includes("sched/sched_switch"));
  });
});

describe("doctor", () => {
  it("tells what a kernel can do", async () => {
    const { kernel, before, on } = setUp();
    const { code, stdout, stderr } = await on("doctor");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^tracefs backend on Linux 6\.12\.0-simulated \(x86_64\)\n/);
    assert.match(stdout, /^yes +kprobes +\/sys\/kernel\/tracing\/kprobe_events$/m);
    const json = await on("doctor", "--format", "json");
    assert.equal(JSON.parse(json.stdout).usable, true);
    assert.deepEqual(hostState(kernel), before);
  });

  it("tells which probes of a config have no place", async () => {
    const { on } = setUp();
    const file = scratch.config("probes: { x: { kprobe: { symbol: nope } } }", "doctor.yaml");
    const { code, stdout } = await on("doctor", file);
    assert.equal(code, 3);
    assert.match(stdout, /probe x: .*no function "nope"/);
  });

  it("tells what is missing and what would help", async () => {
    const file = scratch.config(
      "simulate: { faults: [{ call: open, path: set_event, error: EACCES }] }\n",
      "locked.yaml",
    );
    const { code, stdout } = await call("doctor", file, "--backend", "simulated");
    assert.ok(code === 69 || code === 77, String(code));
    assert.match(stdout, /^no +access +.*EACCES\)\. [A-Z]/m);
  });
});
