/**
 * What a process does with perf events, and what the kernel answers, in words that are the same on
 * every kernel; what real kernels answered is in `fixtures/`.
 * @module
 */
import type { Fd } from "../../../../../core/kernel/port.ts";
import { type Attr, type Bench, outcome, type Where } from "./bench.ts";
import { describeRecord, drain, head, recordsBetween, setTail } from "./records.ts";

/** A bench whose process can hit a probe. */
export interface Stage {
  readonly bench: Bench;
  /** Opens a file so many times, which calls {@link FUNCTION} on CPU 0. */
  fire(times: number): void;
}

/** The kernel function that opening a file calls: `(int dfd, const char *filename, ...)`. */
export const FUNCTION = "do_sys_openat2";
/** The file that is opened. */
export const OPENED = "/proc/filesystems";

const TRACEFS = "/sys/kernel/tracing";
const OWN: Where = { pid: 0, cpu: -1 };
const BAD_ADDRESS = 8n;

const DISABLED = 1n;
const INHERIT = 2n;
const SAMPLE_ID_ALL = 1n << 18n;
const USE_CLOCK = 1n << 25n;
const BACKWARD = 1n << 27n;

const IOC = {
  enable: 0x2400,
  disable: 0x2401,
  refresh: 0x2402,
  reset: 0x2403,
  period: 0x40082404,
  setOutput: 0x2405,
  setFilter: 0x40082406,
  id: 0x80082407,
  setBpf: 0x40042408,
  pauseOutput: 0x40042409,
  queryBpf: 0xc008240a,
  modify: 0x4008240b,
} as const;

const probe: Attr = { type: "kprobe", config1: FUNCTION };
const sampling: Attr = { ...probe, period: 1n, sample: 0x400 };
const dummy: Attr = { type: 1, config: 9n };

type Scenario = (stage: Stage) => string[];

/** Numbers, with those that differ from run to run told as such. */
function values(answer: bigint[] | string, varying: readonly number[] = []): string {
  if (typeof answer === "string") return answer;
  return answer.map((value, i) => varying.includes(i) ? (value > 0n ? "some" : "0") : String(value))
    .join(" ");
}

const counting: Scenario = ({ bench, fire }) => {
  const fd = bench.open({ ...probe, format: 23 }, OWN);
  fire(3);
  const lines = [values(bench.read(fd), [1, 2, 3]), values(bench.read(fd, 39))];
  const id = bench.memory(new Uint8Array(8));
  lines.push(bench.ioctl(fd, IOC.id, id), bench.ioctl(fd, IOC.id, BAD_ADDRESS));
  const told = new DataView(id.bytes.buffer, id.bytes.byteOffset).getBigUint64(0, true);
  const [, , , read] = bench.read(fd) as bigint[];
  lines.push(told === read ? "the same id" : "another id");
  bench.close(fd);
  return lines;
};

const switching: Scenario = ({ bench, fire }) => {
  const fd = bench.open({ ...probe, flags: DISABLED }, OWN);
  const lines: string[] = [];
  const step = (request?: number) => {
    if (request !== undefined) lines.push(bench.ioctl(fd, request));
    fire(2);
    lines.push(values(bench.read(fd)));
  };
  step();
  step(IOC.enable);
  step(IOC.enable);
  step(IOC.disable);
  step(IOC.reset);
  lines.push(bench.ioctl(fd, 0x2450), bench.ioctl(fd, 0x5401));
  bench.close(fd);
  return lines;
};

const refreshing: Scenario = ({ bench, fire }) => {
  const lines = [];
  const fd = bench.open({ ...sampling, flags: DISABLED }, OWN);
  const ring = bench.mmap(fd, 1);
  lines.push(bench.ioctl(fd, IOC.refresh, 2));
  fire(5);
  lines.push(`${drain(ring).length} samples`, bench.ioctl(fd, IOC.refresh, 1));
  fire(5);
  lines.push(`${drain(ring).length} samples`);
  const counter = bench.open(probe, OWN);
  lines.push(bench.ioctl(counter, IOC.refresh, 1));
  const inherited = bench.open({ ...sampling, flags: INHERIT }, { pid: 0, cpu: 0 });
  lines.push(bench.ioctl(inherited, IOC.refresh, 1));
  ring.free();
  bench.close(fd, counter, inherited);
  return lines;
};

const periods: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const fd = bench.open({ ...sampling, period: 3n }, OWN);
  const ring = bench.mmap(fd, 2);
  const period = (value: bigint) => {
    const word = bench.memory(new Uint8Array(BigUint64Array.of(value).buffer));
    lines.push(bench.ioctl(fd, IOC.period, word));
    word.free();
  };
  const step = (times: number) => {
    fire(times);
    lines.push(`${drain(ring).length} samples of ${times}`);
  };
  step(2);
  step(1);
  step(7);
  period(2n);
  step(1);
  step(4);
  period(1n);
  step(3);
  period(0n);
  period(1n << 63n);
  lines.push(bench.ioctl(fd, IOC.period, BAD_ADDRESS));
  const told = bench.open({ ...sampling, period: 3n, sample: 0x100 }, OWN);
  const tellingRing = bench.mmap(told, 1);
  fire(2);
  for (const record of drain(tellingRing)) lines.push(describeRecord(record, { sample: 0x100 }));
  const counter = bench.open(probe, OWN);
  const word = bench.memory(new Uint8Array(BigUint64Array.of(5n).buffer));
  lines.push(bench.ioctl(counter, IOC.period, word));
  ring.free();
  tellingRing.free();
  bench.close(fd, told, counter);
  return lines;
};

const groups: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const leader = bench.open({ ...probe, format: 28, flags: DISABLED }, OWN);
  const sibling = bench.open({ ...probe, format: 28 }, { ...OWN, group: leader });
  fire(1);
  lines.push(values(bench.read(leader), [2, 5]));
  lines.push(bench.ioctl(leader, IOC.enable));
  fire(2);
  lines.push(values(bench.read(leader), [2, 5]), values(bench.read(sibling), [2, 5]));
  lines.push(bench.ioctl(sibling, IOC.reset, 1), values(bench.read(leader), [2, 5]));
  lines.push(bench.ioctl(sibling, IOC.disable, 1));
  fire(1);
  lines.push(values(bench.read(leader), [2, 5]));
  lines.push(bench.ioctl(leader, IOC.enable, 1));
  const open = (attr: Attr, where: Where) => lines.push(bench.try(attr, where));
  open(probe, { ...OWN, group: sibling });
  open(probe, { pid: 0, cpu: 0, group: leader });
  open({ ...probe, flags: USE_CLOCK, clock: 1 }, { ...OWN, group: leader });
  open({ ...probe, flags: 4n }, { ...OWN, group: leader });
  open({ ...probe, flags: 8n }, { ...OWN, group: leader });
  open({ ...probe, flags: INHERIT }, { ...OWN, group: leader });
  open({ ...probe, config1: "no_such_function" }, { pid: 0, cpu: 0, group: leader });
  open(dummy, { ...OWN, group: leader });
  bench.close(leader);
  fire(1);
  lines.push(values(bench.read(sibling), [2]));
  bench.close(sibling);
  return lines;
};

const filters: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const filter = (fd: Fd, text: string) => {
    const string = bench.memory(text);
    lines.push(`${text.slice(0, 20)}: ${bench.ioctl(fd, IOC.setFilter, string)}`);
    string.free();
  };
  const fd = bench.open(probe, OWN);
  filter(fd, "common_pid ==");
  filter(fd, "no_such_field == 1");
  filter(fd, "__probe_ip != 0");
  filter(fd, "x".repeat(4096));
  lines.push(bench.ioctl(fd, IOC.setFilter, BAD_ADDRESS));
  filter(fd, "common_pid == 1");
  fire(2);
  lines.push(values(bench.read(fd)));
  filter(fd, "common_pid != 1");
  const event = bench.open({ type: "sched/sched_switch" }, OWN);
  filter(event, "prev_pid == bad");
  filter(event, "prev_pid >= 0");
  const software = bench.open(dummy, OWN);
  filter(software, "common_pid != 1");
  bench.close(fd, event, software);
  return lines;
};

const outputs: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const first = bench.open(sampling);
  const second = bench.open(sampling);
  const set = (fd: Fd, output: number | bigint) =>
    lines.push(bench.ioctl(fd, IOC.setOutput, output));
  set(second, first);
  const ring = bench.mmap(first, 1);
  set(second, first);
  set(first, first);
  set(first, second);
  set(second, 999);
  const fds = [
    bench.open(sampling, OWN),
    bench.open({ ...sampling, flags: USE_CLOCK, clock: 1 }),
    bench.open({ ...sampling, flags: BACKWARD }),
    bench.open({ ...dummy, period: 1n }),
  ];
  for (const fd of fds) set(fd, first);
  fire(2);
  lines.push(`${drain(ring).length} samples`);
  set(second, -1);
  fire(2);
  lines.push(`${drain(ring).length} samples`);
  const third = bench.open(sampling, { group: first, flags: 8 | 2 | 1 });
  fire(1);
  lines.push(`${drain(ring).length} samples`);
  lines.push(bench.try(sampling, { pid: 0, cpu: -1, group: first, flags: 8 | 2 | 1 }));
  lines.push(bench.try(sampling, { group: second, flags: 8 | 2 | 1 }));
  bench.close(first);
  fire(1);
  lines.push(`${drain(ring).length} samples after close`);
  ring.free();
  fire(1);
  lines.push(values(bench.read(third)));
  bench.close(second, third, ...fds);
  return lines;
};

const mappings: Scenario = ({ bench }) => {
  const lines: string[] = [];
  const fd = bench.open(sampling);
  const map = (
    length: number,
    more: { writable?: boolean; shared?: boolean; offset?: number } = {},
  ) =>
    lines.push(outcome(() => {
      const { writable = true, shared = true, offset } = more;
      bench.native.mmap({ fd, length, writable, shared, offset }).free();
      return "ok";
    }));
  map(4096);
  map(4096 * 2);
  map(4096 * 3);
  map(4096 * 4);
  map(4096 * 5);
  map(4095);
  map(4097);
  map(8192, { shared: false });
  map(8192, { writable: false });
  map(8192, { offset: 4096 });
  const ring = bench.mmap(fd, 2);
  map(4096 * 3);
  map(4096 * 2);
  map(4096 * 3, { writable: false });
  map(4096 * 4, { offset: 4096 * 3 });
  const view = new DataView(ring.bytes.buffer, ring.bytes.byteOffset);
  lines.push(`offset ${view.getBigUint64(1040, true)} size ${view.getBigUint64(1048, true)}`);
  lines.push(`control ${view.getUint32(72, true)} capability ${view.getUint8(40) & 3}`);
  ring.free();
  const inherited = bench.open({ ...sampling, flags: INHERIT }, OWN);
  lines.push(outcome(() => {
    bench.mmap(inherited, 1);
    return "ok";
  }));
  bench.close(fd, inherited);
  return lines;
};

const losing: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const layout = { sample: 0x103c7 | 0x400, sampleIdAll: true };
  const fd = bench.open(
    { ...sampling, sample: layout.sample, flags: SAMPLE_ID_ALL, format: 16 },
    { pid: 0, cpu: 0 },
  );
  const ring = bench.mmap(fd, 1);
  fire(200);
  lines.push(`head ${head(ring)}`, values(bench.read(fd)));
  lines.push(`${drain(ring).length} records`);
  fire(2);
  for (const record of drain(ring)) lines.push(describeRecord(record, layout));
  fire(200);
  lines.push(`${drain(ring).length} records`);
  lines.push(bench.ioctl(fd, IOC.pauseOutput, 1));
  fire(3);
  lines.push(`${drain(ring).length} records`, values(bench.read(fd)));
  lines.push(bench.ioctl(fd, IOC.pauseOutput, 0));
  fire(1);
  for (const record of drain(ring)) lines.push(describeRecord(record, layout));
  setTail(ring, head(ring) + 1000n);
  fire(1);
  lines.push(`${(head(ring) + 4096n) % 4096n} with a tail that is ahead`);
  ring.free();
  lines.push(bench.ioctl(fd, IOC.pauseOutput, 1));
  bench.close(fd);
  return lines;
};

const overwriting: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const fd = bench.open({ ...sampling, format: 16 });
  const ring = bench.mmap(fd, 1, { writable: false });
  fire(200);
  lines.push(`head ${head(ring)}`, values(bench.read(fd)));
  const end = head(ring);
  for (const record of recordsBetween(ring, end - 64n, end)) {
    lines.push(describeRecord(record, { sample: 0x400 }));
  }
  ring.free();
  const back = bench.open({ ...sampling, flags: BACKWARD, format: 16 });
  const backRing = bench.mmap(back, 1, { writable: false });
  fire(200);
  const start = head(backRing);
  lines.push(`head ${BigInt.asIntN(64, start)}`, values(bench.read(back)));
  for (const record of recordsBetween(backRing, start, start + 64n)) {
    lines.push(describeRecord(record, { sample: 0x400 }));
  }
  backRing.free();
  bench.close(fd, back);
  return lines;
};

const samples: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const show = (
    name: string,
    attr: Attr,
    layout: Partial<Parameters<typeof describeRecord>[1]>,
  ) => {
    const fd = bench.open(attr, { pid: 0, cpu: 0 });
    const ring = bench.mmap(fd, 8);
    fire(1);
    // The process may have opened another file by itself.
    for (const record of drain(ring).slice(0, 1)) {
      lines.push(`${name}: ${describeRecord(record, { sample: attr.sample!, ...layout })}`);
    }
    ring.free();
    bench.close(fd);
  };
  for (let bit = 0; bit < 25; bit++) {
    // Branches are refused; the two weights are the same here.
    if (bit === 11 || bit === 24) continue;
    const isRegisters = bit === 12 || bit === 18;
    show(`bit ${bit}`, {
      ...sampling,
      sample: 1 << bit,
      format: 23,
      ...(isRegisters && { regsUser: 0xff0fffn, regsIntr: 0xff0fffn }),
    }, { readValues: 5, registers: { user: 20, interrupted: 20 } });
  }
  show("return", { ...sampling, config: 1n, sample: 0x10447 }, { addresses: 2 });
  show("user stack", { ...sampling, sample: 1 << 13, stackUser: 256 }, {});
  show("registers", { ...sampling, sample: 0x40001, regsIntr: 0x13fn }, {
    registers: { user: 0, interrupted: 7 },
  });
  show("without kernel callchain", { ...sampling, sample: 32, flags: 3n << 21n }, {});
  return lines;
};

const orders: Scenario = ({ bench, fire }) => {
  const lines: string[] = [];
  const where = { pid: 0, cpu: 0 };
  const order = (name: string, attrs: readonly Attr[]) => {
    const fds = attrs.map((attr) => bench.open({ ...attr, sample: 1 << 6, format: 4 }, where));
    const ids = fds.map((fd) => (bench.read(fd) as bigint[])[1]);
    const ring = bench.mmap(fds[0], 1);
    for (const fd of fds.slice(1)) bench.ioctl(fd, IOC.setOutput, fds[0]);
    fire(1);
    const seen = drain(ring).slice(0, fds.length).map(({ body }) => body.getBigUint64(0, true));
    lines.push(`${name}: ${seen.map((id) => ids.indexOf(id)).join(" ")}`);
    // Disabled and enabled again, it is where it was.
    bench.ioctl(fds[0], IOC.disable);
    bench.ioctl(fds[0], IOC.enable);
    fire(1);
    const again = drain(ring).slice(0, fds.length).map(({ body }) => body.getBigUint64(0, true));
    lines.push(`again: ${again.map((id) => ids.indexOf(id)).join(" ")}`);
    ring.free();
    bench.close(...fds);
  };
  const returning = { ...sampling, config: 1n };
  order("probes", [sampling, sampling, sampling]);
  order("returns", [returning, returning, returning]);
  order("both", [sampling, returning, sampling, returning]);
  const write = (text: string) => {
    const { kernel } = bench;
    const fd = kernel.open(`${TRACEFS}/kprobe_events`, { access: "write", append: true });
    kernel.write(fd, new TextEncoder().encode(text));
    kernel.close(fd);
  };
  write(`p:perf_test/a ${FUNCTION}\np:perf_test/b ${FUNCTION}\n`);
  const a: Attr = { ...sampling, type: "perf_test/a" };
  const b: Attr = { ...sampling, type: "perf_test/b" };
  order("definitions", [b, a, sampling, a]);
  write("-:perf_test/a\n-:perf_test/b\n");
  return lines;
};

const definitions: Scenario = ({ bench, fire }) => {
  const { kernel } = bench;
  const write = (text: string) =>
    outcome(() => {
      const fd = kernel.open(`${TRACEFS}/kprobe_events`, { access: "write", append: true });
      try {
        kernel.write(fd, new TextEncoder().encode(text));
        return "ok";
      } finally {
        kernel.close(fd);
      }
    });
  const arch = kernel.machine.arch === "x86_64" ? ["di", "si"] : ["x0", "x1"];
  const definition = `p:perf_test/opened ${FUNCTION} dfd=%${arch[0]}:s32 name=+0(%${
    arch[1]
  }):ustring`;
  const lines = [write(definition)];
  const attr: Attr = { type: "perf_test/opened", period: 1n, sample: 0x400 };
  const fd = bench.open(attr, OWN);
  const ring = bench.mmap(fd, 1);
  fire(1);
  for (const record of drain(ring)) lines.push(describeRecord(record, { sample: 0x400 }));
  const filter = bench.memory("dfd == 5");
  lines.push(bench.ioctl(fd, IOC.setFilter, filter));
  fire(2);
  lines.push(`${drain(ring).length} records`, values(bench.read(fd)));
  lines.push(write("-:perf_test/opened"));
  bench.close(fd);
  lines.push(`${write("-:perf_test/opened")} while it is mapped`);
  ring.free();
  lines.push(write("-:perf_test/opened"), write("-:perf_test/opened"));
  return lines;
};

const requests: Scenario = ({ bench }) => {
  const lines: string[] = [];
  const fd = bench.open({ type: "sched/sched_switch" }, OWN);
  const local = bench.open(probe, OWN);
  const file = bench.kernel.open(OPENED, { access: "read" });
  lines.push(
    `no program: ${bench.ioctl(fd, IOC.setBpf, 999)} ${bench.ioctl(fd, IOC.setBpf, file)}`,
  );
  const query = bench.memory(new Uint8Array(16));
  lines.push(bench.ioctl(fd, IOC.queryBpf, query), bench.ioctl(local, IOC.queryBpf, query));
  query.bytes[0] = 65;
  lines.push(bench.ioctl(fd, IOC.queryBpf, query), bench.ioctl(fd, IOC.queryBpf, BAD_ADDRESS));
  lines.push(bench.ioctl(fd, IOC.modify, bench.fill({ type: "sched/sched_switch" })));
  lines.push(bench.ioctl(fd, IOC.modify, bench.fill(dummy)));
  lines.push(bench.ioctl(fd, IOC.modify, bench.fill({ ...dummy, size: 1 })));
  lines.push(bench.ioctl(fd, IOC.modify, BAD_ADDRESS));
  lines.push(bench.ioctl(fd, IOC.pauseOutput, 1));
  lines.push(outcome(() => String(bench.kernel.write(fd, new Uint8Array(8)))));
  bench.close(fd, local, file);
  return lines;
};

/** All scenarios by name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  counting,
  switching,
  refreshing,
  periods,
  groups,
  filters,
  outputs,
  mappings,
  losing,
  overwriting,
  samples,
  orders,
  definitions,
  requests,
};

/** Plays scenarios: what was answered, by name. */
export function playScenarios(stage: Stage): Record<string, string[]> {
  // Files that are read later would hit probes.
  for (const type of ["kprobe", "sched/sched_switch"]) stage.bench.fill({ type });
  return Object.fromEntries(
    Object.entries(SCENARIOS).map(([name, scenario]) => [name, scenario(stage)]),
  );
}
