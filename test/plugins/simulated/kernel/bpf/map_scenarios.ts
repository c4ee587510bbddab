/**
 * What a process does with maps and with programs that are not attached, and what the kernel
 * answers; what real kernels answered is in `fixtures/`.
 * @module
 */
import type { Fd } from "../../../../../core/kernel/port.ts";
import { outcome } from "../perf/bench.ts";
import {
  assemble,
  call,
  exit,
  insn,
  jeq,
  jump,
  load,
  loadMap,
  mov,
  R0,
  R1,
  R10,
} from "./assembler.ts";
import { returning } from "./assembler.ts";
import { type BpfBench, type MapAttr, type ProgAttr, u32, u64, words } from "./bench.ts";

const BAD_ADDRESS = 8n;
const NO_FILE = 999;

const HASH = { type: 1, key: 8, value: 8, max: 4 } as const;
const ARRAY = { type: 2, key: 4, value: 8, max: 4 } as const;

/** Maps that are asked for. */
export const MAP_CASES: readonly (readonly [string, MapAttr])[] = [
  ["a hash table", HASH],
  ["an array", ARRAY],
  ["a map with a name", { ...ARRAY, name: "counts_1.a" }],
  ["a name that is too long", { ...ARRAY, name: "a".repeat(16) }],
  ["a name with a blank", { ...ARRAY, name: "a b" }],
  ["type 0", { ...ARRAY, type: 0 }],
  ["a type that is not", { ...ARRAY, type: 1000 }],
  ["a hash table of nothing", { ...HASH, max: 0 }],
  ["a hash table without keys", { ...HASH, key: 0 }],
  ["a hash table without values", { ...HASH, value: 0 }],
  ["keys that are too large", { ...HASH, key: 1 << 23 }],
  ["an array of nothing", { ...ARRAY, max: 0 }],
  ["an array with keys of 8 bytes", { ...ARRAY, key: 8 }],
  ["an array without values", { ...ARRAY, value: 0 }],
  ["an array with flags of a hash table", { ...ARRAY, flags: 1 }],
  ["an array to be mapped", { ...ARRAY, flags: 1024 }],
  ["a per-CPU array to be mapped", { ...ARRAY, type: 6, flags: 1024 }],
  ["per-CPU values that are too large", { ...ARRAY, type: 6, value: 40000 }],
  ["per-CPU values of a hash table that are too large", { ...HASH, type: 5, value: 40000 }],
  ["flags that are not", { ...HASH, flags: 1 << 30 }],
  ["reading only and writing only", { ...HASH, flags: 8 | 16 }],
  ["programs read only and write only", { ...HASH, flags: 128 | 256 }],
  ["a hash table without common LRU", { ...HASH, flags: 2 }],
  ["an LRU that is not preallocated", { ...HASH, type: 9, flags: 1 }],
  ["an LRU", { ...HASH, type: 9 }],
  ["a node that is not", { ...HASH, flags: 4, poke: [[24, 4, 99n]] }],
  ["a ring buffer", { type: 27, max: 4096 }],
  ["a ring buffer of half a page", { type: 27, max: 2048 }],
  ["a ring buffer of three pages", { type: 27, max: 12288 }],
  ["a ring buffer of nothing", { type: 27, max: 0 }],
  ["a ring buffer with keys", { type: 27, key: 4, max: 4096 }],
  ["a ring buffer with flags", { type: 27, max: 4096, flags: 1 }],
  ["programs", { ...ARRAY, type: 3, value: 4 }],
  ["programs with values of 8 bytes", { ...ARRAY, type: 3 }],
  ["events", { ...ARRAY, type: 4, value: 4 }],
  ["stack traces", { ...ARRAY, type: 7, value: 127 * 8 }],
  ["stack traces that are too deep", { ...ARRAY, type: 7, value: 128 * 8 }],
  ["stack traces of 12 bytes", { ...ARRAY, type: 7, value: 12 }],
  ["stack traces of nothing", { ...ARRAY, type: 7, max: 0 }],
  ["a value of vmlinux", { ...ARRAY, poke: [[60, 4, 1n]] }],
  ["a BTF key without a value", { ...ARRAY, poke: [[52, 4, 1n]] }],
  ["BTF that is not", { ...ARRAY, poke: [[48, 4, 999n], [52, 4, 1n], [56, 4, 1n]] }],
  ["something extra", { ...ARRAY, poke: [[64, 8, 1n]] }],
  ["something behind the end", { ...ARRAY, poke: [[120, 8, 1n]] }],
];

const GOOD = returning(0);

/** Programs that are asked for. */
export const PROGRAM_CASES: readonly (readonly [string, ProgAttr])[] = [
  ["a program", { code: GOOD }],
  ["a program with a name", { code: GOOD, name: "my_program" }],
  ["a name with a dash", { code: GOOD, name: "my-program" }],
  ["a name that is too long", { code: GOOD, name: "a".repeat(16) }],
  ["a type that is not", { code: GOOD, type: 1000 }],
  ["a tracepoint program", { code: GOOD, type: 5 }],
  ["a socket filter", { code: GOOD, type: 1 }],
  ["a program of a function by BTF", { code: GOOD, type: 2, poke: [[108, 4, 1n]] }],
  ["nothing", { code: GOOD, count: 0 }],
  ["too much", { code: GOOD, count: 1_000_001 }],
  ["code that cannot be read", { code: BAD_ADDRESS }],
  ["a licence that cannot be read", { code: GOOD, license: BAD_ADDRESS }],
  ["flags that are not", { code: GOOD, poke: [[44, 4, 1n << 20n]] }],
  ["a log without a level", { code: GOOD, poke: [[24, 4, 0n]] }],
  ["a log without a place", { code: GOOD, poke: [[32, 8, 0n]] }],
  ["a log level that is not", { code: GOOD, poke: [[24, 4, 64n]] }],
  ["a log that cannot be written", { code: GOOD, poke: [[32, 8, BAD_ADDRESS]] }],
  ["no exit", { code: assemble(mov(R0, 0), mov(R0, 1)) }],
  ["a jump behind the end", { code: assemble(mov(R0, 0), jump(5), exit()) }],
  ["a jump before the start", { code: assemble(mov(R0, 0), jump(-5), exit()) }],
  ["code that is not reached", { code: assemble(mov(R0, 0), exit(), mov(R0, 1), exit()) }],
  ["a loop at the end", { code: assemble(mov(R0, 0), jeq(R0, 1, 1), exit(), jump(-3)) }],
  ["an opcode that is not", { code: assemble([insn(0xff)], exit()) }],
  ["half of a 64-bit load", { code: assemble([insn(0x18)], exit()) }],
  ["a map that is not", { code: assemble(loadMap(R1, NO_FILE), mov(R0, 0), exit()) }],
  ["a source that is not", { code: assemble([insn(0x18, 1, 7), 0n], mov(R0, 0), exit()) }],
  ["a load with an immediate", { code: assemble([insn(0x79, 0, 1, 0, 1)], exit()) }],
  ["a register that is not", { code: assemble([insn(0xb7, 12)], exit()) }],
  ["a source register that is not", { code: assemble([insn(0xbf, 0, 13)], exit()) }],
  ["writing to the frame pointer", { code: assemble(mov(R10, 0), mov(R0, 0), exit()) }],
  ["a helper that is not", { code: assemble(call(100_000), exit()) }],
  ["helper 0", { code: assemble(call(0), exit()) }],
  ["a helper of other programs", { code: assemble(call(51), exit()) }],
  ["a helper under another licence", {
    code: assemble(call(5), exit()),
    license: "Proprietary",
  }],
  ["a helper under the GPL only", {
    code: assemble(mov(R1, 0), call(6), mov(R0, 0), exit()),
    license: "Proprietary",
  }],
  ["the time under the GPL", { code: assemble(call(5), exit()), license: "Dual BSD/GPL" }],
  ["a call to nowhere", { code: assemble([insn(0x85, 0, 1, 0, 100)], mov(R0, 0), exit()) }],
  ["a subprogram", {
    code: assemble([insn(0x85, 0, 1, 0, 1)], exit(), mov(R0, 7), exit()),
  }],
  ["a load of the context", { code: assemble(load(R0, R1, 0), mov(R0, 0), exit()) }],
];

/** Tries maps: what was answered, by name. */
export function tryMaps(bench: BpfBench): Record<string, string> {
  return Object.fromEntries(MAP_CASES.map(([name, attr]) => [
    name,
    outcome(() => {
      bench.kernel.close(bench.map(attr));
      return "ok";
    }),
  ]));
}

/** Tries programs: what was answered, by name. */
export function tryPrograms(bench: BpfBench): Record<string, string> {
  return Object.fromEntries(
    PROGRAM_CASES.map(([name, attr]) => [name, bench.tryProgram(attr)]),
  );
}

type Scenario = (bench: BpfBench, cpus: number) => string[];

/** The keys of a map in the order of their first bytes: hash tables have no order. */
function keys(bench: BpfBench, map: Fd, size: number): string {
  const found: string[] = [];
  let key = bench.nextKey(map, null, size);
  while (typeof key !== "string") {
    found.push(String(key[0]));
    key = bench.nextKey(map, key, size);
  }
  return `${found.sort().join(" ")} ${key}`;
}

const hashes: Scenario = (bench) => {
  const lines: string[] = [];
  const map = bench.map(HASH);
  const say = (line: string) => lines.push(line);
  say(words(bench.lookup(map, u64(1n), 8)));
  say(bench.update(map, u64(1n), u64(10n), 2n));
  say(bench.update(map, u64(1n), u64(10n)));
  say(bench.update(map, u64(1n), u64(11n), 1n));
  say(bench.update(map, u64(1n), u64(12n), 2n));
  say(words(bench.lookup(map, u64(1n), 8)));
  say(bench.update(map, u64(1n), u64(12n), 3n));
  say(bench.update(map, u64(1n), u64(12n), 4n));
  say(bench.update(map, u64(1n), u64(12n), 8n));
  for (let i = 2n; i < 7n; i++) say(bench.update(map, u64(i), u64(i)));
  say(bench.update(map, u64(2n), u64(22n)));
  say(keys(bench, map, 8));
  say(bench.delete(map, u64(2n)));
  say(bench.delete(map, u64(2n)));
  say(keys(bench, map, 8));
  const next = bench.nextKey(map, u64(99n), 8);
  say(typeof next === "string" ? next : "a key");
  say(bench.element(1, map, BAD_ADDRESS, new Uint8Array(8)).answer);
  say(bench.element(1, map, u64(1n), BAD_ADDRESS).answer);
  say(bench.element(1, map, u64(1n), new Uint8Array(8), 1n).answer);
  say(bench.element(1, map, u64(1n), new Uint8Array(8), 4n).answer);
  say(bench.element(2, map, BAD_ADDRESS, u64(1n)).answer);
  say(bench.element(2, map, u64(1n), BAD_ADDRESS).answer);
  say(bench.element(3, map, BAD_ADDRESS, 0n).answer);
  say(bench.element(3, map, u64(1n), 1n).answer);
  say(bench.element(4, map, BAD_ADDRESS, new Uint8Array(8)).answer);
  say(bench.element(4, map, null, BAD_ADDRESS).answer);
  say(words(bench.lookup(NO_FILE, u64(1n), 8)));
  const program = bench.program({ code: GOOD });
  say(words(bench.lookup(program, u64(1n), 8)));
  say(outcome(() => {
    bench.native.mmap({ fd: map, length: 4096, writable: false, shared: true });
    return "ok";
  }));
  bench.kernel.close(map);
  bench.kernel.close(program);
  return lines;
};

const arrays: Scenario = (bench) => {
  const lines: string[] = [];
  const map = bench.map({ ...ARRAY, value: 12, max: 3 });
  const value = new Uint8Array(12).fill(7);
  const say = (line: string) => lines.push(line);
  const show = (index: number) => {
    const found = bench.lookup(map, u32(index), 12);
    say(typeof found === "string" ? found : found.join(" "));
  };
  show(0);
  say(bench.update(map, u32(2), value));
  show(2);
  show(3);
  say(bench.update(map, u32(3), value));
  say(bench.update(map, u32(0), value, 1n));
  say(bench.update(map, u32(0), value, 2n));
  say(bench.update(map, u32(0), value, 3n));
  say(bench.update(map, u32(9), value, 3n));
  say(bench.delete(map, u32(0)));
  say(keys(bench, map, 4));
  const next = bench.nextKey(map, u32(77), 4);
  say(typeof next === "string" ? next : next.join(" "));
  bench.kernel.close(map);
  const shared = bench.map({ ...ARRAY, flags: 1024 });
  const memory = bench.native.mmap({ fd: shared, length: 4096, writable: true, shared: true });
  memory.bytes[8] = 5;
  say(words(bench.lookup(shared, u32(1), 8)));
  say(outcome(() => {
    bench.native.mmap({ fd: shared, length: 8192, writable: true, shared: true });
    return "ok";
  }));
  memory.free();
  bench.kernel.close(shared);
  return lines;
};

const perCpu: Scenario = (bench, cpus) => {
  const lines: string[] = [];
  for (const attr of [{ ...ARRAY, type: 6, value: 4 }, { ...HASH, type: 5, key: 4, value: 4 }]) {
    const map = bench.map(attr);
    const values = BigUint64Array.from({ length: cpus }, (_, cpu) => BigInt(cpu) + 100n);
    lines.push(bench.update(map, u32(1), new Uint8Array(values.buffer)));
    const found = words(bench.lookup(map, u32(1), 8 * cpus)).split(" ");
    lines.push(
      found.every((word, cpu) => word === String(cpu + 100)) ? "each CPU's" : found.join(),
    );
    lines.push(words(bench.lookup(map, u32(0), 8 * cpus)).split(" ")[0]!);
    lines.push(bench.delete(map, u32(1)), keys(bench, map, 4));
    bench.kernel.close(map);
  }
  return lines;
};

const others: Scenario = (bench) => {
  const lines: string[] = [];
  const ring = bench.map({ type: 27, max: 4096 });
  const empty = new Uint8Array();
  lines.push(
    bench.element(1, ring, null, empty).answer,
    bench.element(2, ring, null, empty).answer,
  );
  lines.push(bench.element(3, ring, null, 0n).answer, bench.element(4, ring, null, empty).answer);
  const mapped = (length: number, writable: boolean, offset: number) =>
    lines.push(outcome(() => {
      bench.native.mmap({ fd: ring, length, writable, shared: true, offset }).free();
      return "ok";
    }));
  mapped(4096, true, 0);
  mapped(4096, true, 4096);
  mapped(8192, true, 0);
  mapped(4096 + 8192, false, 4096);
  mapped(4096 + 8192 + 4096, false, 4096);
  mapped(4096, false, 0);
  const programs = bench.map({ ...ARRAY, type: 3, value: 4, max: 2 });
  const program = bench.program({ code: GOOD });
  lines.push(
    bench.update(programs, u32(0), u32(NO_FILE)),
    bench.update(programs, u32(0), u32(ring)),
  );
  lines.push(bench.update(programs, u32(0), u32(program)), bench.update(programs, u32(5), u32(0)));
  lines.push(bench.update(programs, u32(0), u32(program), 1n));
  const id = bench.lookup(programs, u32(0), 4);
  lines.push(typeof id === "string" ? id : "an id", String(bench.lookup(programs, u32(1), 4)));
  lines.push(bench.delete(programs, u32(0)), bench.delete(programs, u32(0)));
  lines.push(bench.delete(programs, u32(5)), keys(bench, programs, 4));
  const stacks = bench.map({ ...ARRAY, type: 7, value: 80 });
  lines.push(
    String(bench.lookup(stacks, u32(0), 80)),
    bench.update(stacks, u32(0), new Uint8Array(80)),
  );
  lines.push(bench.delete(stacks, u32(0)), bench.delete(stacks, u32(9)), keys(bench, stacks, 4));
  for (const fd of [ring, programs, program, stacks]) bench.kernel.close(fd);
  return lines;
};

/** More elements than an LRU has room for: how many it keeps differs, that it takes all does not. */
const forgetting: Scenario = (bench) => {
  const map = bench.map({ ...HASH, type: 9, max: 100 });
  const answers = new Set<string>();
  for (let i = 0n; i < 1000n; i++) answers.add(bench.update(map, u64(i), u64(i)));
  const newest = words(bench.lookup(map, u64(999n), 8));
  bench.kernel.close(map);
  return [[...answers].join(" "), newest];
};

const infos: Scenario = (bench) => {
  const lines: string[] = [];
  const map = bench.map({ ...HASH, flags: 1, name: "my_map" });
  const view = bench.info(map, 88);
  if (typeof view === "string") return [view];
  lines.push([0, 8, 12, 16, 20].map((at) => view.getUint32(at, true)).join(" "));
  const name = (from: DataView, at: number) =>
    new TextDecoder().decode(new Uint8Array(from.buffer, from.byteOffset + at, 16)).split("\0")[0]!;
  lines.push(name(view, 24), view.getUint32(4, true) > 0 ? "an id" : "none");
  const program = bench.program({
    code: assemble(loadMap(R1, map), mov(R0, 0), exit()),
    name: "my_prog",
    license: "Proprietary",
  });
  const ids = bench.memory(8);
  const told = bench.info(program, 232, [[52, 4, 2n], [56, 8, ids.address]]);
  if (typeof told === "string") return [told];
  lines.push(name(told, 64), `type ${told.getUint32(0, true)}`, `maps ${told.getUint32(52, true)}`);
  const [first] = new Uint32Array(ids.bytes.slice().buffer);
  lines.push(first === view.getUint32(4, true) ? "the map" : "another map");
  lines.push(`gpl ${told.getUint8(84) & 1}`, `uid ${told.getUint32(48, true)}`);
  lines.push([...new Uint8Array(told.buffer, told.byteOffset + 8, 8)].join(" "));
  lines.push(`verified ${told.getUint32(216, true)}`);
  const short = (fd: Fd, size: number) => {
    const answer = bench.info(fd, size);
    return typeof answer === "string" ? answer : "ok";
  };
  lines.push(short(map, 4), short(map, 200), short(map, 5000), short(NO_FILE, 88));
  const tail = bench.info(map, 200, [[192, 8, 1n]]);
  lines.push(typeof tail === "string" ? tail : "ok");
  bench.kernel.close(map);
  bench.kernel.close(program);
  return lines;
};

const attributes: Scenario = (bench) => {
  const array = (view: DataView) =>
    [2, 4, 8, 1].forEach((word, i) => view.setUint32(4 * i, word, true));
  const create = (size: number, poke: (view: DataView) => void = () => {}) =>
    outcome(() => {
      bench.kernel.close(bench.call(0, (view) => {
        array(view);
        poke(view);
      }, size));
      return "ok";
    });
  return [
    create(16),
    create(256),
    create(4096),
    create(4097),
    create(256, (view) => view.setUint8(255, 1)),
    outcome(() => String(bench.call(9999, () => {}))),
    outcome(() => String(bench.call(-1, () => {}))),
    outcome(() => String(bench.native.bpf(0, { ...bench.memory(64), address: BAD_ADDRESS }))),
  ];
};

/** All scenarios by name. */
export const MAP_SCENARIOS: Readonly<Record<string, Scenario>> = {
  hashes,
  arrays,
  perCpu,
  others,
  forgetting,
  infos,
  attributes,
};
