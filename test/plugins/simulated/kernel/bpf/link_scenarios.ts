/**
 * What a process does with programs on functions, and what the kernel answers; what real kernels
 * answered is in `fixtures/`.
 * @module
 */
import type { Fd } from "../../../../../core/kernel/port.ts";
import { type Attr, outcome } from "../perf/bench.ts";
import { drain } from "../perf/records.ts";
import { FUNCTION, OPENED, type Stage as PerfStage } from "../perf/scenarios.ts";
import {
  add,
  assemble,
  call,
  copyName,
  countByCookie,
  countLatency,
  exit,
  load64,
  loadMap,
  mov,
  movReg,
  noteEntry,
  putArguments,
  R0,
  R10,
  R2,
  R3,
  R4,
  R5,
  returning,
  store,
} from "./assembler.ts";
import { type BpfBench, type Poke, u32, u64, words } from "./bench.ts";

/** A stage whose process can load programs, too. */
export interface Stage extends PerfStage {
  readonly bpf: BpfBench;
  /** CPUs that can ever be there. */
  readonly cpus: number;
}

const PERF_EVENT = 41;
const KPROBE_MULTI = 42;
const KPROBE_SESSION = 56;
const SET_BPF = 0x40042408;
const QUERY_BPF = 0xc008240a;
const DISABLED = 1n;

/** Another function that every kernel has. */
const OTHER = "vfs_read";

const probe: Attr = { type: "kprobe", config1: FUNCTION, period: 1n, sample: 0x400 };
const where = { pid: 0, cpu: 0 };

type Scenario = (stage: Stage) => string[];

/** Sum of the values of all CPUs in an array. */
function total({ bpf, cpus }: Stage, array: Fd, index: number): bigint {
  const value = bpf.lookup(array, u32(index), 8 * cpus);
  if (typeof value === "string") throw new TypeError(value);
  return [...new BigUint64Array(value.buffer)].reduce((sum, count) => sum + count, 0n);
}

const linking: Scenario = ({ bench, bpf, fire }) => {
  const lines: string[] = [];
  const silent = bpf.program({ code: returning(0), name: "silent" });
  const loud = bpf.program({ code: returning(1), name: "loud" });
  const tracepoint = bpf.program({ code: returning(0), type: 5 });
  const fd = bench.open(probe, where);
  const ring = bench.mmap(fd, 1);
  const link = (program: Fd, target: Fd, type = PERF_EVENT, poke: Poke = []) =>
    outcome(() => {
      bpf.kernel.close(bpf.link(program, target, type, poke));
      return "ok";
    });
  lines.push(`the feature probe: ${link(silent, 0)}`);
  lines.push(link(silent, 999), link(999, fd), link(silent, silent), link(fd, fd));
  lines.push(link(silent, fd, 0), link(silent, fd, 1000), link(tracepoint, fd));
  lines.push(
    link(silent, fd, PERF_EVENT, [[12, 4, 1n]]),
    link(silent, fd, PERF_EVENT, [[56, 8, 1n]]),
  );
  lines.push(link(tracepoint, fd, KPROBE_MULTI));
  const kept = bpf.link(silent, fd, PERF_EVENT);
  lines.push(link(loud, fd), `another: ${bench.ioctl(fd, SET_BPF, loud)}`);
  fire(2);
  lines.push(`${drain(ring).length} records, ${(bench.read(fd) as bigint[])[0]} counted`);
  lines.push(outcome(() => String(bpf.call(34, (view) => view.setInt32(0, kept, true)))));
  lines.push(outcome(() => String(bpf.call(34, (view) => view.setInt32(0, silent, true)))));
  lines.push(outcome(() => String(bpf.call(34, (view) => view.setInt32(0, 999, true)))));
  bpf.kernel.close(kept);
  fire(2);
  lines.push(`${drain(ring).length} records without the link`);
  lines.push(bench.ioctl(fd, SET_BPF, loud), bench.ioctl(fd, SET_BPF, loud));
  fire(2);
  lines.push(`${drain(ring).length} records with the other`);
  lines.push(bench.ioctl(fd, SET_BPF, tracepoint));
  ring.free();
  const event = bench.open({ type: "sched/sched_switch" }, { pid: 0, cpu: -1 });
  lines.push(`on a tracepoint: ${bench.ioctl(event, SET_BPF, silent)}`);
  lines.push(bench.ioctl(event, SET_BPF, tracepoint));
  const query = bench.memory(u64(4n));
  const answer = bench.ioctl(event, QUERY_BPF, query);
  lines.push(
    `${answer}: ${new DataView(query.bytes.buffer, query.bytes.byteOffset).getUint32(4, true)}`,
  );
  const software = bench.open({ type: 1, config: 9n }, { pid: 0, cpu: -1 });
  lines.push(`on software: ${bench.ioctl(software, SET_BPF, silent)}`);
  bench.close(fd, event, software, silent, loud, tracepoint);
  return lines;
};

const counting: Scenario = (stage) => {
  const { bench, bpf, cpus, fire } = stage;
  const lines: string[] = [];
  const array = bpf.map({ type: 6, key: 4, value: 8, max: 4 });
  const program = bpf.program({ code: countByCookie(array), license: "Proprietary" });
  // Programs run whether the event is enabled or not, and whomever it counts.
  const fds = [
    bench.open({ ...probe, flags: DISABLED }, where),
    bench.open({ ...probe, config: 1n }, { pid: -1, cpu: cpus - 1 }),
  ];
  const links = fds.map((fd, i) => bpf.link(program, fd, PERF_EVENT, [[16, 8, BigInt(i + 1)]]));
  fire(5);
  lines.push([0, 1, 2].map((index) => total(stage, array, index)).join(" "));
  bench.close(...fds);
  fire(1);
  lines.push(
    `${[0, 1, 2].map((index) => total(stage, array, index)).join(" ")} without the events`,
  );
  bench.close(links[0]);
  fire(1);
  lines.push(`${[0, 1, 2].map((index) => total(stage, array, index)).join(" ")} with one link`);
  bench.close(links[1], program, array);
  return lines;
};

const latencies: Scenario = (stage) => {
  const { bench, bpf, fire } = stage;
  const starts = bpf.map({ type: 1, key: 8, value: 8, max: 64 });
  const histogram = bpf.map({ type: 6, key: 4, value: 8, max: 64 });
  const entry = bpf.program({ code: noteEntry(starts) });
  const back = bpf.program({ code: countLatency(starts, histogram) });
  const fds = [
    bench.open({ ...probe, flags: DISABLED }, where),
    bench.open({ ...probe, flags: DISABLED, config: 1n }, where),
  ];
  const links = [entry, back].map((program, i) => bpf.link(program, fds[i], PERF_EVENT));
  fire(20);
  const counts = Array.from({ length: 64 }, (_, index) => total(stage, histogram, index));
  const sum = counts.reduce((left, right) => left + right, 0n);
  const shortest = counts.findIndex((count) => count > 0n);
  const left = bpf.nextKey(starts, null, 8);
  bench.close(...links, ...fds, entry, back, starts, histogram);
  return [
    `${sum} measured`,
    shortest >= 8 && shortest < 32 ? "a time that can be" : `2^${shortest}`,
    typeof left === "string" ? `starts: ${left}` : "a start is left",
  ];
};

const ringBuffers: Scenario = ({ bench, bpf, fire }) => {
  const lines: string[] = [];
  const map = bpf.map({ type: 27, max: 4096 });
  const program = bpf.program({ code: putArguments(map) });
  const fd = bench.open({ ...probe, flags: DISABLED }, where);
  const link = bpf.link(program, fd, PERF_EVENT);
  const consumer = bpf.native.mmap({ fd: map, length: 4096, writable: true, shared: true });
  const producer = bpf.native.mmap({
    fd: map,
    length: 4096 + 8192,
    writable: false,
    shared: true,
    offset: 4096,
  });
  const view = (memory: { bytes: Uint8Array }) =>
    new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.length);
  const produced = () => view(producer).getBigUint64(0, true);
  let consumed = 0n;
  const take = () => {
    let count = 0;
    const data = view(producer);
    for (; consumed < produced(); count++) {
      const at = 4096 + Number(consumed % 4096n);
      const length = data.getUint32(at, true);
      if (count === 0) {
        const page = data.getUint32(at + 4, true) - Math.floor((at - 4096) / 4096);
        lines.push(`record of ${length}, page ${page}`);
        const [thread, dfd, name] = [8, 16, 24].map((off) => data.getBigUint64(at + off, true));
        lines.push(`${thread > 0n ? "a thread" : "none"} ${Number(BigInt.asIntN(32, dfd))}`);
        lines.push(name > 0n ? "a name" : "no name");
        const copy = data.getBigUint64(at + 4096 + 8, true);
        lines.push(copy === thread ? "the data are there twice" : "they are not");
      }
      consumed += BigInt(Math.ceil((length + 8) / 8) * 8);
    }
    view(consumer).setBigUint64(0, consumed, true);
    return count;
  };
  fire(3);
  lines.push(`${take()} records`);
  fire(200);
  lines.push(`${take()} records of a full ring`, String(produced()));
  fire(2);
  lines.push(`${take()} records`);
  consumer.free();
  producer.free();
  bench.close(link, fd, program, map);
  return lines;
};

const names: Scenario = ({ bench, bpf, fire }) => {
  const array = bpf.map({ type: 2, key: 4, value: 48, max: 1 });
  const program = bpf.program({ code: copyName(array) });
  const fd = bench.open(probe, where);
  const link = bpf.link(program, fd, PERF_EVENT);
  fire(1);
  const value = bpf.lookup(array, u32(0), 48);
  bench.close(link, fd, program, array);
  if (typeof value === "string") return [value];
  const text = new TextDecoder().decode(value.subarray(8)).split("\0")[0];
  return [words(value.subarray(0, 8)), text === OPENED ? "the file's name" : `"${text}"`];
};

const tails: Scenario = ({ bench, bpf, fire }) => {
  const lines: string[] = [];
  const programs = bpf.map({ type: 3, key: 4, value: 4, max: 2 });
  const loud = bpf.program({ code: returning(1) });
  // `tail_call(ctx, programs, 1); return 0;`
  const first = bpf.program({
    code: assemble(loadMap(R2, programs), mov(R3, 1), call(12), mov(R0, 0), exit()),
  });
  const fd = bench.open(probe, where);
  const ring = bench.mmap(fd, 1);
  const link = bpf.link(first, fd, PERF_EVENT);
  fire(1);
  lines.push(`${drain(ring).length} records`);
  lines.push(bpf.update(programs, u32(1), u32(loud)));
  fire(1);
  lines.push(`${drain(ring).length} records of the second program`);
  ring.free();
  bench.close(link, fd, first, loud, programs);
  return lines;
};

const outputs: Scenario = ({ bench, bpf, fire }) => {
  const lines: string[] = [];
  const events = bpf.map({ type: 4, key: 4, value: 4, max: 2 });
  // `perf_event_output(ctx, events, BPF_F_CURRENT_CPU, stack, 12)`; its answer is returned.
  const code = assemble(
    mov(R0, 0x41424344),
    store(R10, -8, R0),
    store(R10, -16, R0),
    loadMap(R2, events),
    load64(R3, 0xffff_ffffn),
    movReg(R4, R10),
    add(R4, -16),
    mov(R5, 12),
    call(25),
    exit(),
  );
  const program = bpf.program({ code });
  const fd = bench.open(probe, where);
  const ring = bench.mmap(fd, 1);
  const link = bpf.link(program, fd, PERF_EVENT);
  const output = bench.open({ type: 1, config: 10n, period: 1n, sample: 0x400 }, { cpu: 0 });
  const outputRing = bench.mmap(output, 1);
  const step = (name: string) => {
    fire(1);
    const records = drain(outputRing).map(({ body }) =>
      `${body.getUint32(0, true)}:${body.getUint32(4, true).toString(16)}`
    );
    lines.push(`${name}: [${records.join(" ")}], error ${drain(ring).length > 0}`);
  };
  step("no event");
  lines.push(bpf.update(events, u32(0), u32(999)), bpf.update(events, u32(0), u32(fd)));
  step("another event");
  lines.push(bpf.update(events, u32(0), u32(output)));
  step("an event");
  lines.push(words(bpf.lookup(events, u32(0), 4)), bpf.delete(events, u32(0)));
  step("none again");
  outputRing.free();
  ring.free();
  bench.close(link, fd, program, output, events);
  return lines;
};

const told: Scenario = ({ bench, bpf }) => {
  const lines: string[] = [];
  const program = bpf.program({ code: returning(0) });
  const tracepoint = bpf.program({ code: returning(0), type: 5 });
  const describe = (fd: Fd, prog: Fd, given: Poke = []) => {
    const link = bpf.link(prog, fd, PERF_EVENT, [[16, 8, 77n]]);
    const info = bpf.info(link, 64, given);
    bench.close(link);
    if (typeof info === "string") return info;
    const name = info.getBigUint64(24, true);
    return [0, 16, 32, 36].map((at) => info.getUint32(at, true)).join(" ") +
      ` ${name > 0n ? "name" : "-"} ${info.getBigUint64(40, true) > 0n ? "some" : "0"}` +
      ` ${info.getBigUint64(56, true)}`;
  };
  const name = bench.memory(new Uint8Array(64));
  const text = () => new TextDecoder().decode(name.bytes).split("\0")[0];
  const kprobe = bench.open(probe, where);
  const kretprobe = bench.open({ ...probe, config: 1n }, where);
  const event = bench.open({ type: "sched/sched_switch" }, { pid: 0, cpu: -1 });
  const uprobe = bench.open({ type: "uprobe", config1: OPENED_FILE, config2: 0x1000n }, {
    pid: 0,
    cpu: -1,
  });
  lines.push(describe(kprobe, program), describe(kretprobe, program), describe(event, tracepoint));
  lines.push(describe(uprobe, program));
  lines.push(describe(kprobe, program, [[24, 8, name.address], [32, 4, 64n]]), text());
  lines.push(describe(event, tracepoint, [[24, 8, name.address], [32, 4, 64n]]), text());
  lines.push(describe(kprobe, program, [[24, 8, name.address], [32, 4, 5n]]), text());
  lines.push(describe(kprobe, program, [[24, 8, name.address]]));
  bench.close(kprobe, kretprobe, event, uprobe, program, tracepoint);
  return lines;
};

/** A file for uprobes that the cases of perf have made. */
const OPENED_FILE = "/tmp/uprobe-target";

const many: Scenario = (stage) => {
  const { bench, bpf, fire } = stage;
  const lines: string[] = [];
  const array = bpf.map({ type: 6, key: 4, value: 8, max: 8 });
  const code = countByCookie(array);
  const program = bpf.program({ code, attachType: KPROBE_MULTI });
  const plain = bpf.program({ code });
  const pointers = (list: readonly string[]) =>
    bench.memory(
      new Uint8Array(BigUint64Array.from(list, (name) => bench.memory(name).address).buffer),
    ).address;
  const numbers = (list: readonly bigint[]) =>
    bench.memory(new Uint8Array(BigUint64Array.from(list).buffer)).address;
  const attach = (options: {
    readonly program?: Fd;
    readonly type?: number;
    readonly linkFlags?: bigint;
    readonly flags?: bigint;
    readonly count?: bigint;
    readonly symbols?: bigint;
    readonly addresses?: bigint;
    readonly cookies?: bigint;
  }) =>
    bpf.link(options.program ?? program, 0, options.type ?? KPROBE_MULTI, [
      [12, 4, options.linkFlags ?? 0n],
      [16, 4, options.flags ?? 0n],
      [20, 4, options.count ?? 1n],
      [24, 8, options.symbols ?? 0n],
      [32, 8, options.addresses ?? 0n],
      [40, 8, options.cookies ?? 0n],
    ]);
  const attempt = (options: Parameters<typeof attach>[0]) =>
    lines.push(outcome(() => {
      bench.close(attach(options));
      return "ok";
    }));
  const one = pointers([FUNCTION]);
  attempt({ symbols: one });
  attempt({ symbols: one, program: plain });
  attempt({ symbols: one, program, type: PERF_EVENT });
  attempt({ symbols: one, linkFlags: 1n });
  attempt({ symbols: one, flags: 2n });
  attempt({ symbols: one, count: 0n });
  attempt({ symbols: one, count: (1n << 20n) + 1n });
  attempt({ symbols: one, addresses: numbers([1n]) });
  attempt({});
  attempt({ symbols: 8n });
  attempt({ symbols: numbers([8n]) });
  attempt({ symbols: one, cookies: 8n });
  attempt({ addresses: 8n });
  attempt({ addresses: numbers([0x1000n]) });
  attempt({ symbols: pointers([FUNCTION, "no_such_function"]), count: 2n });
  attempt({ symbols: pointers([FUNCTION, FUNCTION]), count: 2n });
  attempt({ symbols: pointers([FUNCTION, "perf_trace_initcall_level"]), count: 2n });
  attempt({ symbols: pointers(["a".repeat(512)]) });
  attempt({ symbols: pointers(["name_show"]) });
  const both = outcome(() => {
    const options = {
      symbols: pointers([OTHER, FUNCTION]),
      cookies: numbers([3n, 5n]),
      count: 2n,
    };
    const links = [attach(options), attach({ ...options, flags: 1n })];
    fire(4);
    const counts = [total(stage, array, 5), total(stage, array, 0)].join(" ");
    const [addresses, cookies] = [new Uint8Array(16), new Uint8Array(16)].map((room) =>
      bench.memory(room)
    );
    const info = bpf.info(links[1], 64, [
      [16, 8, addresses.address],
      [24, 4, 2n],
      [40, 8, cookies.address],
    ]);
    const found = [...new BigUint64Array(cookies.bytes.slice().buffer)].sort().join(" ");
    bench.close(...links);
    if (typeof info === "string") return `${counts} ${info}`;
    return `${counts}, ${info.getUint32(24, true)} functions, flags ${info.getUint32(28, true)}, ` +
      `cookies ${found}`;
  });
  lines.push(both);
  const sessions = outcome(() => {
    const session = bpf.program({ code, attachType: KPROBE_SESSION });
    const link = attach({
      program: session,
      type: KPROBE_SESSION,
      symbols: one,
      cookies: numbers([7n]),
    });
    fire(3);
    const count = total(stage, array, 7);
    bench.close(link, session);
    return `a session: ${count}`;
  });
  lines.push(sessions);
  bench.close(program, plain, array);
  return lines;
};

/** All scenarios by name. */
export const LINK_SCENARIOS: Readonly<Record<string, Scenario>> = {
  linking,
  counting,
  latencies,
  ringBuffers,
  names,
  tails,
  outputs,
  told,
  many,
};
