import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { performCall } from "../../../../../plugins/simulated/kernel/calls.ts";
import { passTracepoint } from "../../../../../plugins/simulated/kernel/tracepoints.ts";
import { type Attr, Bench, outcome } from "./bench.ts";
import { describeRecord, drain, recordsBetween, setTail } from "./records.ts";
import { FUNCTION, OPENED } from "./scenarios.ts";
import { simulatedStage } from "./simulated.ts";

const PROGRAM = "/usr/bin/program";
const TRACEFS = "/sys/kernel/tracing";
const REGS_INTR = 1 << 18;
const IDENTIFIER = 1 << 16;
const RAW = 1 << 10;

const probe: Attr = { type: "kprobe", config1: FUNCTION, period: 1n, sample: RAW };

type Stage = ReturnType<typeof simulatedStage>;

/** Calls a function of the kernel or of {@link PROGRAM}. */
function call(
  { kernel }: Stage,
  task: { pid: number; tid?: number; cpu?: number },
  options: { executable?: string; returns?: number } = {},
): void {
  const { executable, returns = 3 } = options;
  performCall(kernel, {
    function: executable === undefined ? FUNCTION : "work",
    ...(executable !== undefined && { executable }),
    args: executable === undefined ? [-100, OPENED] : [7],
    returns,
    latency: 1000n,
    calls: [],
  }, { tid: task.pid, comm: "other", cpu: 0, ...task });
}

function write(stage: Stage, file: string, text: string): string {
  return outcome(() => {
    const { process } = stage;
    const fd = process.open(`${TRACEFS}/${file}`, { access: "write", append: true });
    try {
      process.write(fd, new TextEncoder().encode(text));
      return "ok";
    } finally {
      process.close(fd);
    }
  });
}

describe("an event of a CPU", () => {
  it("counts what happens there, whoever does it", () => {
    const stage = simulatedStage("6.12");
    const [first, second] = [0, 1].map((cpu) => stage.bench.open(probe, { cpu }));
    call(stage, { pid: 5, cpu: 0 });
    call(stage, { pid: 6, cpu: 1 });
    call(stage, { pid: 7, cpu: 1 });
    assert.deepEqual([first, second].map((fd) => stage.bench.read(fd)), [[1n], [2n]]);
  });
});

describe("an event of a thread", () => {
  it("counts what this thread does, on any CPU or on one", () => {
    const stage = simulatedStage("6.12");
    stage.kernel.spawn({ pid: 5, comm: "five" });
    const anywhere = stage.bench.open(probe, { pid: 5, cpu: -1 });
    const onOne = stage.bench.open(probe, { pid: 5, cpu: 1 });
    call(stage, { pid: 5, cpu: 0 });
    call(stage, { pid: 5, cpu: 1 });
    call(stage, { pid: 5, tid: 55, cpu: 1 });
    call(stage, { pid: 6, cpu: 1 });
    assert.deepEqual([anywhere, onOne].map((fd) => stage.bench.read(fd)), [[2n], [1n]]);
  });

  it("counts no more when the thread has ended, and leads no group", () => {
    const stage = simulatedStage("6.12");
    const other = stage.kernel.spawn({ pid: 5, comm: "five" });
    const fd = stage.bench.open(probe, { pid: 5, cpu: -1 });
    call(stage, { pid: 5 });
    other.kill();
    call(stage, { pid: 5 });
    assert.deepEqual(stage.bench.read(fd), [1n]);
    assert.equal(stage.bench.try(probe, { pid: 5, cpu: -1 }), "ESRCH");
    assert.equal(stage.bench.try(probe, { pid: 0, cpu: -1, group: fd }), "ENODEV");
    assert.equal(stage.bench.ioctl(fd, 0x2400), "0");
  });
});

describe("a sample", () => {
  it("has the registers that arguments travel in, on x86-64", () => {
    const stage = simulatedStage("6.12");
    const fd = stage.bench.open({ ...probe, sample: REGS_INTR | 1, regsIntr: 0x110n });
    const ring = stage.bench.mmap(fd, 1);
    call(stage, { pid: 5 });
    const [{ body, misc }] = drain(ring);
    const [ip, abi, si, ip2] = [0, 8, 16, 24].map((at) => body.getBigUint64(at, true));
    const [{ address }] = stage.kernel.profile.functionsNamed(FUNCTION);
    assert.deepEqual({ ip, abi, ip2, misc }, {
      ip: address + 1n,
      abi: 2n,
      ip2: address + 1n,
      misc: 1,
    });
    assert.equal(si, 0x7ffc_0000_0000n);
  });

  it("has them on arm64, where a probe does not move the instruction pointer", () => {
    const stage = simulatedStage("6.12", { arch: "aarch64" });
    const regsIntr = 3n | (1n << 32n);
    const fd = stage.bench.open({ ...probe, sample: REGS_INTR | 1, regsIntr });
    const ring = stage.bench.mmap(fd, 1);
    call(stage, { pid: 5 });
    const [{ body }] = drain(ring);
    const [{ address }] = stage.kernel.profile.functionsNamed(FUNCTION);
    assert.deepEqual([0, 8, 16, 32].map((at) => body.getBigUint64(at, true)), [
      address,
      2n,
      BigInt.asUintN(64, -100n),
      address,
    ]);
    assert.equal(stage.bench.try({ ...probe, sample: REGS_INTR, regsIntr: 1n << 33n }), "EINVAL");
  });

  it("has what a function returns", () => {
    const stage = simulatedStage("6.12");
    const fd = stage.bench.open({ ...probe, config: 1n, sample: REGS_INTR, regsIntr: 1n });
    const ring = stage.bench.mmap(fd, 1);
    call(stage, { pid: 5 }, { returns: -2 });
    const [{ body }] = drain(ring);
    assert.equal(body.getBigInt64(8, true), -2n);
  });

  it("of a program tells so, and where it is in memory", () => {
    const stage = simulatedStage("6.12");
    const fd = stage.bench.open({
      type: "uprobe",
      config1: PROGRAM,
      config2: 0x1000n,
      period: 1n,
      sample: RAW | 1,
    });
    const ring = stage.bench.mmap(fd, 1);
    call(stage, { pid: 5 }, { executable: PROGRAM });
    const [{ body, misc }] = drain(ring);
    assert.equal(misc, 2);
    assert.equal(body.getBigUint64(0, true), body.getBigUint64(8 + 4 + 8, true));
  });

  it("tells events in one ring apart", () => {
    const stage = simulatedStage("6.12");
    const [first, second] = [0, 1].map(() =>
      stage.bench.open({ ...probe, sample: IDENTIFIER, format: 4 })
    );
    const ring = stage.bench.mmap(first, 1);
    stage.bench.ioctl(second, 0x2405, first);
    call(stage, { pid: 5 });
    const ids = drain(ring).map(({ body }) => body.getBigUint64(0, true));
    const read = [second, first].map((fd) => (stage.bench.read(fd) as bigint[])[1]);
    assert.deepEqual(ids, read);
  });

  it("has the entry of a tracepoint, padded so that what follows is aligned", () => {
    const stage = simulatedStage("6.12");
    const fd = stage.bench.open({ type: "oom/mark_victim", period: 1n, sample: RAW });
    const ring = stage.bench.mmap(fd, 1);
    passTracepoint(stage.kernel, "oom/mark_victim", { pid: 0x1234 }, {
      pid: 5,
      tid: 6,
      comm: "x",
      cpu: 0,
    });
    const [record] = drain(ring);
    assert.equal(record.body.getUint32(0, true), 12);
    assert.equal(record.body.getInt32(4 + 4, true), 6);
    assert.equal(record.body.getInt32(4 + 8, true), 0x1234);
  });

  it("is left out for the kernel where only the program counts", () => {
    const stage = simulatedStage("6.12");
    const kernelOnly = stage.bench.open({ ...probe, flags: 1n << 5n });
    const program = stage.bench.open({
      type: "uprobe",
      config1: PROGRAM,
      config2: 0x1000n,
      flags: 1n << 5n,
    });
    call(stage, { pid: 5 });
    call(stage, { pid: 5 }, { executable: PROGRAM });
    assert.deepEqual([kernelOnly, program].map((fd) => stage.bench.read(fd)), [[0n], [1n]]);
  });

  it("comes with the frequency's first guess: each time", () => {
    const stage = simulatedStage("6.12");
    const fd = stage.bench.open({ ...probe, period: 1000n, flags: 1n << 10n, sample: 1 << 8 });
    const ring = stage.bench.mmap(fd, 1);
    call(stage, { pid: 5 });
    call(stage, { pid: 5 });
    assert.deepEqual(
      drain(ring).map((record) => describeRecord(record, { sample: 1 << 8 })),
      ["SAMPLE misc=1 period=1", "SAMPLE misc=1 period=1"],
    );
  });
});

describe("an open event", () => {
  it("keeps a definition from being deleted, until its last mapping is gone", () => {
    const stage = simulatedStage("6.12");
    assert.equal(write(stage, "kprobe_events", `p:g/e ${FUNCTION}`), "ok");
    const fd = stage.bench.open({ ...probe, type: "g/e" });
    const ring = stage.bench.mmap(fd, 1);
    assert.equal(write(stage, "kprobe_events", "-:g/e"), "EBUSY");
    stage.bench.close(fd);
    call(stage, { pid: 5 });
    assert.equal(drain(ring).length, 1);
    assert.equal(write(stage, "kprobe_events", "-:g/e"), "EBUSY");
    ring.free();
    assert.equal(write(stage, "kprobe_events", "-:g/e"), "ok");
  });

  it("goes with its process", () => {
    const stage = simulatedStage("6.12");
    assert.equal(write(stage, "kprobe_events", `p:g/e ${FUNCTION}`), "ok");
    const other = stage.kernel.spawn({ pid: 5, comm: "tracer" });
    const bench = new Bench(other);
    bench.mmap(bench.open({ ...probe, type: "g/e" }), 1);
    bench.open(probe);
    assert.equal(write(stage, "kprobe_events", "-:g/e"), "EBUSY");
    other.kill();
    assert.equal(write(stage, "kprobe_events", "-:g/e"), "ok");
    assert.deepEqual([...stage.kernel.perf.localProbes], []);
  });

  it("counts hits of a definition in kprobe_profile", () => {
    const stage = simulatedStage("6.12");
    write(stage, "kprobe_events", `p:g/e ${FUNCTION}`);
    stage.bench.open({ ...probe, type: "g/e", flags: 1n });
    call(stage, { pid: 5 });
    assert.match(stage.bench.text(`${TRACEFS}/kprobe_profile`), /^ {2}e +1 +0$/);
  });

  it("has a uprobe event to itself", () => {
    const stage = simulatedStage("6.12");
    write(stage, "uprobe_events", `p:g/e ${PROGRAM}:0x1000`);
    assert.equal(write(stage, "events/g/e/enable", "1"), "ok");
    assert.equal(stage.bench.try({ ...probe, type: "g/e" }), "EINTR");
    assert.equal(write(stage, "events/g/e/enable", "0"), "ok");
    const fd = stage.bench.open({ ...probe, type: "g/e" });
    assert.equal(write(stage, "events/g/e/enable", "1"), "EINTR");
    stage.bench.close(fd);
    assert.equal(write(stage, "events/g/e/enable", "1"), "ok");
  });

  it("cannot be on a synthetic event", () => {
    const stage = simulatedStage("6.12");
    assert.equal(write(stage, "synthetic_events", "s u64 x"), "ok");
    assert.equal(stage.bench.try({ ...probe, type: "synthetic/s" }), "ENODEV");
  });

  it("needs a free descriptor", () => {
    const { kernel } = simulatedStage("6.12");
    const bench = new Bench(kernel.spawn({ pid: 5, comm: "tracer", maxFiles: 3 }));
    for (let i = 0; i < 3; i++) bench.open(probe);
    assert.equal(bench.try(probe), "EMFILE");
  });
});

describe("two uprobes at one place", () => {
  it("have the same counter", () => {
    const stage = simulatedStage("6.12");
    const uprobe: Attr = { type: "uprobe", config1: PROGRAM, config2: 0x1000n };
    stage.bench.open(uprobe);
    assert.equal(stage.bench.try({ ...uprobe, config: 1n << 33n }), "EINVAL");
    assert.equal(stage.bench.try(uprobe), "ok");
  });
});

describe("lockdown for confidentiality", () => {
  it("refuses kprobes and registers, and not much else", () => {
    const stage = simulatedStage("6.12");
    stage.kernel.lockdown = "confidentiality";
    assert.equal(stage.bench.try(probe), "EPERM");
    assert.equal(stage.bench.try({ ...probe, config1: "no_such_function" }), "ENOENT");
    const tracepoint: Attr = { type: "sched/sched_switch" };
    assert.equal(stage.bench.try(tracepoint), "ok");
    assert.equal(stage.bench.try({ ...tracepoint, sample: REGS_INTR, regsIntr: 1n }), "EPERM");
  });

  it("can be raised by root, not lowered", () => {
    const { process, bench } = simulatedStage("6.12");
    const path = "/sys/kernel/security/lockdown";
    const set = (text: string) =>
      outcome(() => {
        const fd = process.open(path, { access: "write" });
        process.write(fd, new TextEncoder().encode(text));
        process.close(fd);
        return bench.text(path);
      });
    assert.equal(bench.text(path), "[none] integrity confidentiality");
    assert.equal(set("integrity"), "none [integrity] confidentiality");
    assert.equal(set("none"), "EPERM");
    assert.equal(set("all"), "EINVAL");
  });
});

describe("the PMUs in sysfs", () => {
  for (const [version, kprobe, uprobe] of [["6.1", "6", "7"], ["6.12", "8", "9"]] as const) {
    it(`have the types and formats of ${version}`, () => {
      const { bench } = simulatedStage(version);
      const file = (name: string) => bench.text(`/sys/bus/event_source/devices/${name}`);
      assert.equal(file("kprobe/type"), kprobe);
      assert.equal(file("uprobe/type"), uprobe);
      assert.equal(file("kprobe/format/retprobe"), "config:0");
      assert.equal(file("uprobe/format/retprobe"), "config:0");
      assert.equal(file("uprobe/format/ref_ctr_offset"), "config:32-63");
      assert.equal(file("tracepoint/type"), "2");
    });
  }
});

describe("a full ring", () => {
  it("takes no record over what has not been read, wherever the reader is", () => {
    const stage = simulatedStage("6.12");
    const fd = stage.bench.open({ ...probe, sample: RAW | IDENTIFIER, format: 16 });
    const ring = stage.bench.mmap(fd, 1);
    let samples = 0n;
    let lost = 0n;
    let fired = 0n;
    let tail = 0n;
    for (const times of [100, 1, 90, 7, 250, 3, 128, 64, 1]) {
      for (let i = 0; i < times; i++) call(stage, { pid: 5 });
      fired += BigInt(times);
      const head = new DataView(ring.bytes.buffer).getBigUint64(1024, true);
      for (const { type, body } of recordsBetween(ring, tail, head)) {
        if (type === 9) samples++;
        else lost += body.getBigUint64(8, true);
      }
      tail = head;
      setTail(ring, tail);
    }
    const [count, told] = stage.bench.read(fd) as bigint[];
    assert.deepEqual([count, samples + told], [fired, fired]);
    assert.ok(lost > 0n && lost <= told);
  });
});

describe("a user_event", () => {
  it("is enabled by perf, and told of what is written", () => {
    const stage = simulatedStage("6.12");
    const { process, bench } = stage;
    const data = process.open(`${TRACEFS}/user_events_data`, { access: "read-write" });
    const word = bench.memory(new Uint8Array(4));
    const name = bench.memory("checkout u32 order");
    const reg = bench.memory(new Uint8Array(28));
    const view = new DataView(reg.bytes.buffer);
    view.setUint32(0, 28, true);
    view.setUint8(4, 0);
    view.setUint8(5, 4);
    view.setBigUint64(8, word.address, true);
    view.setBigUint64(16, name.address, true);
    bench.native.ioctl(data, 0xc0082a00, reg);
    const payload = Uint8Array.from([0, 0, 0, 0, 7, 0, 0, 0]);
    assert.equal(outcome(() => String(process.write(data, payload))), "EBADF");
    const attr: Attr = { type: "user_events/checkout", period: 1n, sample: RAW };
    const fd = bench.open(attr, { pid: 0, cpu: -1 });
    const elsewhere = bench.open(attr, { cpu: 1 });
    assert.equal(word.bytes[0], 1);
    const ring = bench.mmap(fd, 1);
    assert.equal(process.write(data, payload), 8);
    const [{ body }] = drain(ring);
    assert.deepEqual([body.getUint32(0, true), body.getUint32(12, true)], [12, 7]);
    assert.deepEqual(bench.read(elsewhere), [0n]);
    ring.free();
    bench.close(fd, elsewhere);
    assert.equal(word.bytes[0], 0);
  });
});
