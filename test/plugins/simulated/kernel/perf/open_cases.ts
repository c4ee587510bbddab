/**
 * What perf_event_open(2) is asked for, each with a name; what real kernels answered is in
 * `fixtures/`.
 * @module
 */
import type { Memory } from "../../../../../core/kernel/port.ts";
import { type Attr, type Bench, outcome, type Where } from "./bench.ts";

/** A function that every kernel has once, and one that it has several times. */
const FUNCTION = "vfs_read";
const SEVERAL = "name_show";

const SAMPLE_RAW = 0x400;
const SWITCH = "sched/sched_switch";
/** Pids that nobody has: above `kernel.pid_max`. */
const NOBODY = 0x7fff_fff0;
const BAD_ADDRESS = 8n;

type Case = readonly [name: string, attr: Attr, where?: Where];

const kprobe = (config1: string | bigint, more: Partial<Attr> = {}): Attr => ({
  type: "kprobe",
  config1,
  ...more,
});

/** Probes of kernel functions, by the kprobe PMU. */
export const KPROBE_CASES: readonly Case[] = [
  ["a function", kprobe(FUNCTION)],
  ["the return of a function", kprobe(FUNCTION, { config: 1n })],
  ["bits of config that mean nothing", kprobe(FUNCTION, { config: 0xff00_0000_0000_00f0n })],
  ["a missing function", kprobe("no_such_function")],
  ["the return of a missing function", kprobe("no_such_function", { config: 1n })],
  ["a missing function with a dot", kprobe("no_such.function")],
  ["an ambiguous function", kprobe(SEVERAL)],
  ["the return of an ambiguous function", kprobe(SEVERAL, { config: 1n })],
  ["an offset inside an instruction", kprobe(FUNCTION, { config2: 1n })],
  ["a return at an offset", kprobe(FUNCTION, { config: 1n, config2: 64n })],
  ["an offset behind everything", kprobe(FUNCTION, { config2: 0x7fff_ffffn })],
  ["an offset above 32 bits", kprobe(FUNCTION, { config2: 0x1_0000_0000n })],
  ["data", kprobe("jiffies")],
  ["a notrace function", kprobe("perf_trace_initcall_level")],
  ["a blacklisted function", kprobe("exc_int3")],
  ["a module that is not there", kprobe("no_such_module:f")],
  ["a function of a module that is not there", kprobe(`no_such_module:${FUNCTION}`)],
  ["no name and no address", kprobe(0n)],
  ["an empty name and no address", kprobe("")],
  ["an address in nothing", kprobe(0n, { config2: 0x1000n })],
  ["an empty name and an address in nothing", kprobe("", { config2: 0x1000n })],
  ["a return at an address in nothing", kprobe(0n, { config: 1n, config2: 0x1000n })],
  ["a name that cannot be read", kprobe(BAD_ADDRESS)],
  ["a name of 511 bytes", kprobe("a".repeat(511))],
  ["a name of 512 bytes", kprobe("a".repeat(512))],
  ["branches", kprobe(FUNCTION, { sample: 0x800, branch: 1n << 3n })],
  ["branches of a missing function", kprobe("no_such_function", { sample: 0x800, branch: 8n })],
  [
    "samples of all kinds",
    kprobe(FUNCTION, {
      period: 1n,
      sample: 0x50447,
      regsIntr: 0x13fn,
    }),
  ],
];

/** Probes of files, by the uprobe PMU. `FILE` is made by who runs the cases. */
export const FILE = "/tmp/uprobe-target";
const uprobe = (config1: string | bigint, more: Partial<Attr> = {}): Attr => ({
  type: "uprobe",
  config1,
  ...more,
});

export const UPROBE_CASES: readonly Case[] = [
  ["a place in a file", uprobe(FILE, { config2: 0x1000n })],
  ["the return of one", uprobe(FILE, { config: 1n, config2: 0x1000n })],
  ["the end of the file", uprobe(FILE, { config2: 8192n })],
  ["behind the end of the file", uprobe(FILE, { config2: 8193n })],
  ["an offset that is negative", uprobe(FILE, { config2: 0xffff_ffff_ffff_f000n })],
  ["a counter", uprobe(FILE, { config: 0x2000n << 32n, config2: 0x1000n })],
  ["a counter at an odd place", uprobe(FILE, { config: 0x2001n << 32n, config2: 0x1000n })],
  ["a missing file", uprobe("/no/such/file")],
  ["a file below a file", uprobe(`${FILE}/x`)],
  ["a directory", uprobe("/tmp")],
  ["an empty path", uprobe("")],
  ["no path", uprobe(0n)],
  ["a path that cannot be read", uprobe(BAD_ADDRESS)],
  ["a path of 4096 bytes", uprobe(`/${"a/".repeat(2047)}b`)],
  ["a file of tracefs", uprobe("/sys/kernel/tracing/README")],
  ["a file of procfs", uprobe("/proc/kallsyms")],
  ["branches", uprobe(FILE, { config2: 0x1000n, sample: 0x800, branch: 1n << 3n })],
];

/** Events by id, software, and what is not there. */
export const EVENT_CASES: readonly Case[] = [
  ["a tracepoint", { type: SWITCH }],
  ["a tracepoint with its entries", { type: SWITCH, sample: SAMPLE_RAW, period: 1n }],
  ["branches of a tracepoint", { type: SWITCH, sample: 0x800, branch: 8n }],
  ["an id that nobody has", { type: 2, config: 65535n }],
  ["an id above 16 bits", { type: 2, config: 0x1_0000_0001n }],
  ["id 0", { type: 2, config: 0n }],
  ["the dummy event", { type: 1, config: 9n }],
  ["the CPU clock", { type: 1, config: 0n }],
  ["a software event that is not", { type: 1, config: 12n }],
  ["branches of a software event", { type: 1, config: 9n, sample: 0x800, branch: 8n }],
  ["a type that is not", { type: 1000 }],
];

/** Numbers of the attribute itself. */
export const ATTR_CASES: readonly Case[] = [
  ...[0, 64, 72, 80, 96, 104, 112, 120, 128, 136, 63, 65, 1, 144, 4096, 4097, 0xffff_ffff].map(
    (size): Case => [`size ${size}`, { type: 1, config: 9n, size }],
  ),
  ["a tail that is not zero", { type: 1, config: 9n, size: 256, poke: [[248, 8, 1n]] }],
  ["reserved flags", { type: 1, config: 9n, flags: 1n << 63n }],
  ["the reserved half-word", { type: 1, config: 9n, poke: [[110, 2, 1n]] }],
  ["the reserved word", { type: 1, config: 9n, poke: [[116, 4, 1n << 31n]] }],
  ["a sample type that is not", { type: 1, config: 9n, poke: [[24, 8, 1n << 40n]] }],
  ["the first sample type that is not", { type: 1, config: 9n, sample: 1 << 25 }],
  ["a read format that is not", { type: 1, config: 9n, format: 32 }],
  ["a period of 64 bits", { type: 1, config: 9n, period: 1n << 63n }],
  ["a frequency that is too high", { type: 1, config: 9n, period: 10_000_000n, flags: 1n << 10n }],
  ["no registers of the program", { type: 1, config: 9n, sample: 1 << 12 }],
  ["registers of the program", { type: 1, config: 9n, sample: 1 << 12, regsUser: 0xff0fffn }],
  ["data segments", { type: 1, config: 9n, sample: 1 << 18, regsIntr: 1n << 12n }],
  ["reserved registers", { type: 1, config: 9n, sample: 1 << 18, regsIntr: 1n << 24n }],
  ["extended registers", { type: 1, config: 9n, sample: 1 << 18, regsIntr: 3n << 32n }],
  ["extended registers of a missing event", {
    type: 2,
    config: 65535n,
    sample: 1 << 18,
    regsIntr: 3n << 32n,
  }],
  ["an odd user stack", { type: 1, config: 9n, sample: 1 << 13, stackUser: 9 }],
  ["a user stack that is too large", { type: 1, config: 9n, sample: 1 << 13, stackUser: 65535 }],
  ["no branches", { type: 1, config: 9n, sample: 0x800, branch: 0n }],
  ["branches that are not", { type: 1, config: 9n, sample: 0x800, branch: 1n << 30n }],
  ["two weights", { type: 1, config: 9n, sample: (1 << 14) | (1 << 24) }],
  ["threads inherit alone", { type: 1, config: 9n, flags: 1n << 35n }],
  ["exec enables and removes", { type: 1, config: 9n, flags: (1n << 36n) | (1n << 12n) }],
  ["a signal for all", { type: 1, config: 9n, flags: (1n << 36n) | (1n << 37n) }],
  ["a signal without removal", { type: 1, config: 9n, flags: 1n << 37n }],
  ["inherited values", { type: 1, config: 9n, flags: 2n, sample: 1 << 4 }],
  ["inherited values of threads", { type: 1, config: 9n, flags: 2n, sample: (1 << 4) | 2 }],
  ["AUX output", { type: 1, config: 9n, flags: 1n << 31n }],
  ["AUX samples", { type: 1, config: 9n, sample: 1 << 20, poke: [[112, 4, 4096n]] }],
  ["a callchain that is too deep", { type: 1, config: 9n, sample: 1 << 5, maxStack: 1000 }],
  ["a monotonic clock", { type: SWITCH, flags: 1n << 25n, clock: 1 }],
  ["a raw clock", { type: SWITCH, flags: 1n << 25n, clock: 4 }],
  ["the clock since boot", { type: SWITCH, flags: 1n << 25n, clock: 7 }],
  ["the clock since boot, of software", { type: 1, config: 9n, flags: 1n << 25n, clock: 7 }],
  ["a clock that is not", { type: 1, config: 9n, flags: 1n << 25n, clock: 99 }],
];

/** Whom and where. */
export const WHERE_CASES: readonly Case[] = [
  ["itself on any CPU", { type: SWITCH }, { pid: 0, cpu: -1 }],
  ["itself on one CPU", { type: SWITCH }, { pid: 0, cpu: 0 }],
  ["all on any CPU", { type: SWITCH }, { pid: -1, cpu: -1 }],
  ["a CPU that is not", { type: SWITCH }, { cpu: 9999 }],
  ["a CPU below -1", { type: SWITCH }, { pid: 0, cpu: -2 }],
  ["a thread that is not", { type: SWITCH }, { pid: NOBODY, cpu: -1 }],
  ["a thread below -1", { type: SWITCH }, { pid: -2, cpu: -1 }],
  ["a thread that is not, of a missing function", kprobe("no_such_function"), {
    pid: NOBODY,
    cpu: -1,
  }],
  ["a CPU that is not, of a missing function", kprobe("no_such_function"), { cpu: 9999 }],
  ["flags that are not", { type: SWITCH }, { flags: 16 }],
  ["flags that are not, of a bad attribute", { type: SWITCH, size: 1 }, { flags: 16 }],
  ["a group that is not", { type: SWITCH }, { group: 999 }],
  ["a group that is not, of a missing thread", { type: SWITCH }, {
    group: 999,
    pid: NOBODY,
    cpu: -1,
  }],
  ["a cgroup for all", { type: SWITCH }, { flags: 4, pid: -1 }],
  ["a cgroup on any CPU", { type: SWITCH }, { flags: 4, pid: 0, cpu: -1 }],
  ["a cgroup that is not", { type: SWITCH }, { flags: 4, pid: 999 }],
];

const EXCLUDE_KERNEL = 1n << 5n;
const OWN = { pid: 0, cpu: -1 } as const;

/** What one who is not root may have depends on `kernel.perf_event_paranoid`. */
export const UNPRIVILEGED_CASES: readonly Case[] = [
  ["a kprobe", kprobe(FUNCTION)],
  ["a kprobe, of the program only", kprobe(FUNCTION, { flags: EXCLUDE_KERNEL }), OWN],
  ["a missing kprobe", kprobe("no_such_function", { flags: EXCLUDE_KERNEL }), OWN],
  ["a uprobe", uprobe(FILE, { config2: 0x1000n, flags: EXCLUDE_KERNEL }), OWN],
  ["a tracepoint of all", { type: SWITCH, flags: EXCLUDE_KERNEL }],
  ["an own tracepoint", { type: SWITCH }, OWN],
  ["an own tracepoint, of the program only", { type: SWITCH, flags: EXCLUDE_KERNEL }, OWN],
  ["entries of an own tracepoint", {
    type: SWITCH,
    flags: EXCLUDE_KERNEL,
    sample: SAMPLE_RAW,
    period: 1n,
  }, OWN],
  ["entries of own system calls", {
    type: "raw_syscalls/sys_enter",
    flags: EXCLUDE_KERNEL,
    sample: SAMPLE_RAW,
    period: 1n,
  }, OWN],
  ["entries of system calls of all", {
    type: "raw_syscalls/sys_enter",
    flags: EXCLUDE_KERNEL,
    sample: SAMPLE_RAW,
    period: 1n,
  }],
  ["another's tracepoint", { type: SWITCH, flags: EXCLUDE_KERNEL }, { pid: 1, cpu: -1 }],
  ["another's tracepoint in a bad group", { type: SWITCH, flags: EXCLUDE_KERNEL | 8n }, {
    pid: 1,
    cpu: -1,
    group: 999,
  }],
  ["a callchain", { type: 1, config: 9n, sample: 1 << 5, flags: EXCLUDE_KERNEL }, OWN],
  ["a callchain of the program", {
    type: 1,
    config: 9n,
    sample: 1 << 5,
    flags: EXCLUDE_KERNEL | (1n << 21n),
  }, OWN],
  ["physical addresses", {
    type: 1,
    config: 9n,
    sample: 1 << 19,
    flags: EXCLUDE_KERNEL,
  }, OWN],
  ["namespaces", { type: 1, config: 9n, flags: EXCLUDE_KERNEL | (1n << 28n) }, OWN],
  ["branches of the kernel", {
    type: 1,
    config: 9n,
    sample: 0x800,
    branch: 10n,
    flags: EXCLUDE_KERNEL,
  }, OWN],
  ["branches of the program", {
    type: 1,
    config: 9n,
    sample: 0x800,
    branch: 9n,
    flags: EXCLUDE_KERNEL,
  }, OWN],
];

/** Levels of `kernel.perf_event_paranoid` that make a difference. */
export const LEVELS = [3, 2, 1, 0, -1] as const;

/** Sizes of rings in pages, mapped one after the other and kept. */
const RINGS = [128, 64, 32, 16, 512, 1024, 4096] as const;

/** Tries what one who is not root may have at the present level. */
export function tryUnprivileged(bench: Bench): Record<string, string> {
  const fds: number[] = [];
  const rings: Memory[] = [];
  const mapped = RINGS.map((pages) =>
    outcome(() => {
      const fd = bench.open({ type: 1, config: 9n, flags: EXCLUDE_KERNEL }, OWN);
      fds.push(fd);
      rings.push(bench.mmap(fd, pages));
      return "ok";
    })
  );
  for (const ring of rings) ring.free();
  bench.close(...fds);
  return { ...tryCases(bench, UNPRIVILEGED_CASES), "rings in pages": mapped.join(" ") };
}

/** Tries cases: what was answered, and the size in the attribute afterwards, by name. */
export function tryCases(bench: Bench, cases: readonly Case[]): Record<string, string> {
  return Object.fromEntries(cases.map(([name, attr, where]) => {
    const answer = bench.try(attr, where);
    const { bytes } = bench.attr;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    return [name, size === (attr.size ?? 128) ? answer : `${answer}, size ${size}`];
  }));
}
