import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Probe } from "../../../core/probe/probe.ts";
import { appendText, writeText } from "../../../core/kernel/files.ts";
import { makePlan } from "../../../core/plan/plan.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { collectGarbage } from "../../../core/session/gc.ts";
import { removeTrace } from "../../../core/session/remove.ts";
import { tracefsDirectory } from "../../../plugins/simulated/kernel/tracefs/top.ts";
import { fixedDirectory, memoryFile } from "../../../plugins/simulated/kernel/vfs.ts";
import { tracefsBackend } from "../../../plugins/tracefs/backend.ts";
import {
  FOUR_PROBES,
  hostState,
  logChanges,
  makeKernel,
  makeRequest,
  startOtherTool,
  startSonde,
  TRACEFS,
} from "../../support/host.ts";

describe("inspect", () => {
  it("finds what a kernel has, and changes nothing", async () => {
    const kernel = makeKernel();
    startOtherTool(kernel);
    const before = hostState(kernel);
    const log: string[] = [];
    const backend = tracefsBackend(logChanges(kernel.spawn({ pid: 10, comm: "sonde" }), log));
    const { usable, list } = await backend.inspect();
    assert.equal(usable, true);
    const names = list.filter(({ available }) => available).map(({ name }) => name);
    for (const name of ["tracefs", "access", "lockdown", "kprobes", "uprobes", "tracepoints"]) {
      assert.ok(names.includes(name), name);
    }
    assert.deepEqual(log, []);
    assert.deepEqual(hostState(kernel), before);
  });

  it("knows 6.1 from 6.12 by what they were built with", async () => {
    for (const [version, fprobes] of [["6.1", false], ["6.12", true]] as const) {
      const kernel = makeKernel(`simulate: { kernel: "${version}" }`);
      const { list } = await startSonde(kernel).inspect();
      const found = list.find(({ name }) => name === "fprobes");
      assert.equal(found?.available, fprobes);
      if (!fprobes) assert.match(found!.remedy!, /CONFIG_FPROBE_EVENTS/);
    }
  });

  it("says what every missing thing would take", async () => {
    const kernel = makeKernel();
    const { list } = await tracefsBackend(kernel.spawn({ pid: 10, comm: "sonde", uid: 1000 }))
      .inspect();
    for (const { name, available, detail, remedy } of list) {
      assert.notEqual(detail, "", name);
      assert.equal(remedy !== undefined, !available, name);
    }
  });

  it("tells a user without permission to be root", async () => {
    const kernel = makeKernel();
    const backend = tracefsBackend(kernel.spawn({ pid: 10, comm: "sonde", uid: 1000 }));
    const { usable, list } = await backend.inspect();
    const access = list.find(({ name }) => name === "access");
    assert.deepEqual([usable, access?.available], [false, false]);
    assert.match(access!.detail, /uid 1000.*EACCES/);
    assert.equal(access!.remedy, "Run sonde as root");
  });

  it("tells lockdown from a lack of permission", async () => {
    const kernel = makeKernel();
    const tracing = tracefsDirectory(kernel);
    const lockDown = (levels: string) => {
      const lockdown = memoryFile(new TextEncoder().encode(levels));
      const security = fixedDirectory({ lockdown });
      const sys = fixedDirectory({ kernel: fixedDirectory({ tracing, security }) });
      kernel.root.place!("sys", sys);
    };
    const inspect = () => startSonde(kernel).inspect();
    lockDown("none [integrity] confidentiality\n");
    assert.equal((await inspect()).usable, true);
    lockDown("none integrity [confidentiality]\n");
    kernel.faults.add({ call: "open", path: "set_event", nth: 1, times: 1, error: "EPERM" });
    const { usable, list } = await inspect();
    assert.equal(usable, false);
    const missing = list.filter(({ available }) => !available).map(({ name }) => name);
    assert.ok(missing.includes("access") && missing.includes("lockdown"));
    assert.match(list.find(({ name }) => name === "access")!.detail, /locked down/);
  });
});

describe("inventory", () => {
  it("lists probes of every tool, whatever they look like, and marks ours", async () => {
    const kernel = makeKernel();
    const tool = startOtherTool(kernel);
    const define = (file: string, line: string) => appendText(tool, `${TRACEFS}/${file}`, line);
    define("kprobe_events", "p 0x1000");
    define("kprobe_events", "r0x10:odd/hex vfs_read $retval:u8");
    define("kprobe_events", "p:odd/shift vfs_read");
    define("kprobe_events", 'p:odd/text vfs_write \\"hello" c=$comm');
    define("kprobe_events", "p:-dash-/x vfs_read a=+8(+16(%di)):b4@2/32 b=%si:x8");
    define("uprobe_events", "r:odd/up /usr/bin/shop:0x1000 $retval");
    define("uprobe_events", "p:odd/counter /usr/bin/shop:0x1010(0x20)");
    // Another place for the same event.
    define("kprobe_events", "p:odd/shift vfs_write");
    const backend = startSonde(kernel);
    await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
    const items = await backend.inventory();
    const definitions = items.filter(({ kind }) => kind === "definition");
    const state = hostState(kernel);
    assert.equal(definitions.length, state.kprobes.length + state.uprobes.length);
    const ours = items.filter(({ owner }) => owner !== undefined);
    assert.deepEqual(ours.map(({ kind, target }) => `${kind} ${target}`), [
      "definition sonde_edge/file_open",
      "definition sonde_edge/open_failed",
      "definition sonde_edge/total",
      "instance instances/sonde-edge",
      // As `set_event` lists them: what came after the instance first, the youngest at the top.
      "enable instances/sonde-edge/events/sonde_edge/total/enable",
      "enable instances/sonde-edge/events/sonde_edge/open_failed/enable",
      "enable instances/sonde-edge/events/sonde_edge/file_open/enable",
      "enable instances/sonde-edge/events/sched/sched_switch/enable",
    ]);
    assert.ok(ours.every(({ owner, undo }) => owner === "edge" && undo !== undefined));
    for (const { owner, undo } of items) assert.equal(undo !== undefined, owner !== undefined);

    const others = (lines: readonly string[]) => lines.filter((line) => !line.includes(":sonde_"));
    await removeTrace(backend, "edge");
    await collectGarbage(backend);
    const after = hostState(kernel);
    assert.deepEqual(after.kprobes, others(state.kprobes));
    assert.deepEqual(after.uprobes, others(state.uprobes));
  });

  it("fails rather than to see nothing where it cannot read", async () => {
    for (const path of ["kprobe_events", "uprobe_events", "instances", "sonde-edge/set_event"]) {
      for (const call of ["open", "read", "stat", "readdir"]) {
        const kernel = makeKernel();
        const backend = startSonde(kernel);
        await applyTrace(backend, await makeRequest(backend, FOUR_PROBES));
        const whole = await backend.inventory();
        kernel.faults.add({ call, path, nth: 1, times: 1, error: "ENOMEM" });
        const seen = await backend.inventory().catch(() => undefined);
        if (seen !== undefined) assert.deepEqual(seen, whole, `${call} ${path}`);
      }
    }
  });
});

describe("locate", () => {
  const SIMULATE = `
simulate:
  functions:
    vfs_read: {}
    vfs_readv: {}
    split.isra.0: {}
    nft_do_chain: { module: nf_tables }
    twice: {}
  symbols: { twice: { type: t, module: other }, jiffies: { type: D } }
  modules: [nf_tables, other]
  executables: { /usr/bin/shop: { functions: { buy: {} } } }
`;
  const backend = startSonde(makeKernel(SIMULATE));
  const at = { id: "x", group: "sonde_edge", event: "x", args: [] };
  const kprobe = (symbol: string, module?: string): Probe => ({
    ...at,
    kind: "kprobe",
    place: { symbol, offset: 0, ...(module !== undefined && { module }) },
  });
  const uprobe = (path: string): Probe => ({ ...at, kind: "uprobe", place: { path, offset: 16n } });
  const tracepoint = (group: string, event: string): Probe => ({
    id: "x",
    kind: "tracepoint",
    group,
    event,
  });

  it("has no objection to what is there", async () => {
    for (
      const probe of [
        kprobe("vfs_read"),
        kprobe("nft_do_chain"),
        kprobe("nft_do_chain", "nf_tables"),
        kprobe("twice", "other"),
        uprobe("/usr/bin/shop"),
        tracepoint("sched", "sched_switch"),
      ]
    ) {
      assert.equal(await backend.locate(probe), undefined, JSON.stringify(probe.id));
    }
  });

  it("says what is missing, and what is near", async () => {
    const cases: [Probe, RegExp, RegExp | undefined][] = [
      [kprobe("vfs_raed"), /has no function "vfs_raed"/, /vfs_read/],
      [kprobe("split"), /only "split.isra.0"/, /arguments may differ/],
      [kprobe("twice"), /2 functions are called "twice"/, /module: .*other/],
      [kprobe("vfs_read", "nf_tables"), /Module "nf_tables" has no function/, undefined],
      [kprobe("vfs_read", "no_module"), /odule "no_module" has no function/, undefined],
      [kprobe("jiffies"), /no function "jiffies"/, undefined],
      [uprobe("/usr/bin/nothing"), /There is no file "\/usr\/bin\/nothing"/, undefined],
      [uprobe("/usr/bin"), /"\/usr\/bin" is not a regular file/, undefined],
      [
        tracepoint("sched", "sched_swich"),
        /no tracepoint "sched\/sched_swich"/,
        /sched\/sched_switch/,
      ],
      [tracepoint("shed", "sched_switch"), /no tracepoint system "shed"/, /sched/],
      [tracepoint("sched", "enable"), /no tracepoint "sched\/enable"/, undefined],
    ];
    for (const [probe, reason, hint] of cases) {
      const found = await backend.locate(probe);
      assert.match(found?.reason ?? "", reason);
      if (hint !== undefined) assert.match(found?.hint ?? "", hint);
    }
  });

  it("tells a kernel without a kind of probe from one without the place", async () => {
    const kernel = makeKernel(SIMULATE);
    kernel.faults.add({ call: "stat", path: "kprobe_events", nth: 1, times: 1, error: "ENOENT" });
    const found = await startSonde(kernel).locate(kprobe("vfs_read"));
    assert.equal(found?.lacksFeature, true);
    assert.match(found!.hint!, /CONFIG_KPROBE_EVENTS/);
  });
});

describe("places", () => {
  it("lists functions and tracepoints that can be probed", async () => {
    const kernel = makeKernel(`
simulate:
  functions: { seen: {}, hidden: { probeable: false }, of_module: { module: m } }
  modules: [m]
`);
    const backend = startSonde(kernel);
    assert.deepEqual(await backend.places("functions"), ["seen", "of_module"]);
    assert.ok((await backend.places("tracepoints")).includes("sched/sched_switch"));
    kernel.faults.add({ path: "available_filter_functions", nth: 1, times: 1, error: "ENOENT" });
    assert.deepEqual(await backend.places("functions"), ["seen", "hidden", "of_module"]);
  });
});

describe("a thousand kprobes", () => {
  it("are defined in few writes, and taken out again", async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `function_number_${i}`);
    const functions = names.map((name) => `${name}: { args: [u64] }`).join(", ");
    const kernel = makeKernel(`simulate:\n  functions: { ${functions} }\n`);
    const before = hostState(kernel);
    const log: string[] = [];
    const backend = tracefsBackend(logChanges(kernel.spawn({ pid: 10, comm: "sonde" }), log));
    const probes = names.map((name) =>
      `  ${name}: { kprobe: { symbol: ${name} }, capture: { a: "$arg1:u64" } }\n`
    );
    const request = await makeRequest(backend, `probes:\n${probes.join("")}`);
    await applyTrace(backend, request);
    const state = hostState(kernel);
    assert.equal(state.kprobes.length, 1000);
    assert.equal(state.enabled["sonde-edge"].length, 1000);
    const batches = log.filter((line) => line.startsWith("kprobe_events"));
    const bytes = state.kprobes.join("\n").length;
    assert.ok(batches.length <= 2 * Math.ceil(bytes / 4095), `${batches.length} writes`);
    for (const batch of batches) assert.ok(batch.length - "kprobe_events = ".length <= 4095);
    const { additions, removals } = await makePlan(backend, request);
    assert.deepEqual([additions, removals], [[], []]);
    await removeTrace(backend, "edge");
    assert.deepEqual(hostState(kernel), before);
  });
});

describe("names beyond ASCII", () => {
  it("are known again when the kernel lists them", async () => {
    const kernel = makeKernel(`
simulate:
  executables: { "/opt/zoë/€/日本": { functions: { buy: { args: [u64] } } } }
  tracepoints: { shop/sold: { fields: { what: "char[16]" } } }
`);
    const backend = startSonde(kernel);
    const request = await makeRequest(
      backend,
      `
probes:
  buy: { uprobe: { path: "/opt/zoë/€/日本", symbol: buy }, capture: { a: "$arg1:u64" } }
  sold: { tracepoint: shop/sold, filter: 'what == "zoë€"' }
`,
    );
    await applyTrace(backend, request);
    const { additions, removals } = await makePlan(backend, request);
    assert.deepEqual([additions, removals], [[], []]);
  });
});

describe("capture", () => {
  it("counts the losses of each CPU", async () => {
    const kernel = makeKernel();
    const backend = startSonde(kernel);
    const request = await makeRequest(backend, FOUR_PROBES);
    await applyTrace(backend, request);
    const instance = kernel.tracing.instance("sonde-edge")!;
    instance.ring.overwrite = false;
    const capture = await backend.capture(request);
    assert.equal(capture.clock, "mono");
    assert.deepEqual(capture.counts(), [{ cpu: 0, lost: 0 }, { cpu: 1, lost: 0 }]);
    for (let i = 0; i < 3000; i++) instance.ring.write(1, new Uint8Array(40), BigInt(i));
    const { dropped } = instance.ring.cpu(1).counters;
    assert.ok(dropped > 0);
    assert.deepEqual(capture.counts(), [{ cpu: 0, lost: 0 }, { cpu: 1, lost: dropped }]);
    capture.close();
    assert.equal(hostState(kernel).users, 0);
  });

  it("lets go of all buffers if one cannot be opened", async () => {
    const kernel = makeKernel();
    const backend = startSonde(kernel);
    const request = await makeRequest(backend, FOUR_PROBES);
    await applyTrace(backend, request);
    kernel.faults.add({ path: "cpu1/trace_pipe_raw", nth: 1, times: 1, error: "EBUSY" });
    await assert.rejects(backend.capture(request), /EBUSY/);
    assert.equal(hostState(kernel).users, 0);
  });

  it("is not disturbed by a reader of the whole host", async () => {
    const kernel = makeKernel();
    const tool = startOtherTool(kernel);
    const backend = startSonde(kernel);
    const request = await makeRequest(backend, FOUR_PROBES);
    await applyTrace(backend, request);
    const instance = kernel.tracing.instance("sonde-edge")!;
    instance.ring.write(0, new Uint8Array(16), 5n);
    const capture = await backend.capture(request);
    writeText(tool, `${TRACEFS}/tracing_on`, "0");
    tool.open(`${TRACEFS}/trace`, { access: "write", truncate: true });
    assert.equal(capture.read(() => {}), 1);
    capture.close();
  });
});
