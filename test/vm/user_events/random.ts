/** Sections of operations that are drawn, by seed. */
import fc from "fast-check";
import { ARENA, type Operation } from "./operations.ts";
import {
  append,
  by,
  close,
  del,
  DYNAMIC,
  enable,
  open,
  peek,
  read,
  reg,
  type Section,
  STATUS,
  truncate,
  unreg,
  type Version,
  write,
} from "./steps.ts";
import { MULTI_SYSTEM } from "../../../plugins/simulated/kernel/user_events/group.ts";

const token = fc.constantFrom(
  ..."u32 s8 int char struct unsigned short long u64 __data_loc __rel_loc x name a b1".split(" "),
  ..."char[4] char[] char[0x8] u8[] [ ] 4 16 0 -1 4294967290 + ; , : #".split(" "),
);
const separator = fc.constantFrom(" ", " ", " ", " ", "; ", ";", "", "  ", "\t", "\xa0");
const type = fc.constantFrom(
  ..."u8 s16 u32 int u64 char char[12] __rel_loc/char[] __data_loc/u8[] unsigned/short".split(" "),
);

/** Field lists that are nearly right. */
const list = fc.array(fc.tuple(token, separator), { maxLength: 10 })
  .map((parts) => parts.flat().join(""));

/** Field lists that are right. */
const goodList = fc.array(type, { minLength: 1, maxLength: 5 }).map((types) =>
  types.map((name, i) => `${name.replace("/", " ")} f${i}`).join("; ")
);

const bytes = fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));

function draw<T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed });
}

/** Registrations of arbitrary text: each with a word of its own. */
export function randomCommands(version: Version, count: number, seed: number): Section {
  const arbitrary = fc.oneof(
    list.map((text) => (i: number) => `r${i} ${text}`),
    goodList.map((text) => (i: number) => `r${i} ${text}`),
    bytes.map((text) => (i: number) => `r${i}${text}`),
  );
  const operations = draw(arbitrary, count, seed).flatMap((command, i): Operation[] => [
    reg(version, 1, command(i), { address: ARENA.words + 8 * (i % 500), bit: Math.floor(i / 500) }),
    append(DYNAMIC, `u:${command(i)}d`),
  ]);
  return {
    name: `random commands ${seed}`,
    operations: [open(1), ...operations, read(STATUS), read(DYNAMIC)],
  };
}

const near = (value: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(value) },
    { weight: 1, arbitrary: fc.integer({ min: value - 2, max: value + 2 }) },
  );
const somewhere = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }).map((half) => ARENA.words + 4 * half) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 24 }).map((at) => ARENA.words + at) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, ARENA.readOnly, ARENA.nothing, ARENA.readOnly - 4, 2 ** 47),
  },
);
const oddText = fc.constantFrom("s u32 a", "s u64 a", "s", "t:x", "t bad", "t u8 a");
const tail = fc.constantFrom("", "", "", "\0", "\x01", "\0\0\x01");

/** Registrations and their ends with structures that are nearly right. */
export function randomStructures(version: Version, count: number, seed: number): Section {
  const registration = fc.record({
    size: near(version === 1 ? 20 : 28),
    bit: fc.constantFrom(0, 1, 2, 31, 32, 63, 64),
    word: fc.constantFrom(4, 4, 4, 8, 8, 2, 0),
    flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
    address: somewhere,
    tail,
  });
  const end = fc.record({
    size: near(16),
    bit: fc.constantFrom(0, 1, 2, 31, 32, 63, 64),
    reserved: fc.constantFrom(0, 0, 0, 0, 1),
    reserved2: fc.constantFrom(0, 0, 0, 0, 256),
    address: somewhere,
    tail,
  });
  const arbitrary = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(oddText, registration).map(([text, options]) => [
        reg(version, 1, text, options),
      ]),
    },
    { weight: version - 1, arbitrary: end.map((options) => unreg(1, options)) },
    { weight: 1, arbitrary: fc.boolean().map((on) => enable("s", on)) },
    { weight: 1, arbitrary: fc.constant([peek(32), read(STATUS)]) },
  );
  const operations: Operation[] = draw(arbitrary, count, seed).flat();
  return {
    name: `random structures ${seed}`,
    operations: [open(1), ...operations, ...enable("s", false)],
  };
}

const NAMES = ["a", "b", "c"];
const name = fc.constantFrom("a", "a", "b", "c");
const fields = fc.constantFrom(" u32 x", " u32 x", " u64 x", " u32 x;s8 y", "");
const slot = fc.integer({ min: 1, max: 3 });
const task = fc.constantFrom(0, 0, 1);
const place = fc.record({
  address: fc.integer({ min: 0, max: 2 }).map((word) => ARENA.words + 4 * word),
  bit: fc.integer({ min: 0, max: 2 }),
});
const flags = fc.constantFrom(0, 0, 0, 1, 2, 3);
const line = fc.tuple(fc.constantFrom("u:", "u:", "-:", "!u:user_events/"), name, fields);
const index = fc.constantFrom(0, 0, 0, 1, 1, 2, 3, -1);
const payload = fc.constantFrom("", "1234", "12345", "12345678", "123456789");

/** Steps of version 1 and 2, and how often each comes. */
function step(version: Version): fc.Arbitrary<Operation[]> {
  const choices: [number, fc.Arbitrary<Operation[]>][] = [
    [
      6,
      fc.tuple(slot, name, fields, flags, place).map(([slot, name, fields, flags, at]) => [
        reg(version, slot, name + fields, { ...at, flags }),
      ]),
    ],
    [2, fc.tuple(slot, name).map(([slot, name]) => [del(slot, name)])],
    [2, slot.map((slot) => [...close(slot), open(slot)])],
    [1, slot.map(close)],
    [1, slot.map((slot) => [open(slot)])],
    [4, fc.tuple(slot, index, payload).map(([slot, index, text]) => [write(slot, index, text)])],
    [5, fc.tuple(name, fc.boolean()).map(([name, on]) => enable(name, on))],
    [1, name.map((name) => [{ op: "perf", slot: 5, path: `events/user_events/${name}/id` }])],
    [1, fc.constant(close(5))],
    [3, line.map((parts) => [append(DYNAMIC, parts.join(""))])],
    [1, fc.constant([truncate(DYNAMIC)])],
    [3, fc.constant([read(STATUS), read(DYNAMIC), peek(12)])],
  ];
  if (version === 2) {
    choices.push([4, fc.tuple(slot, place).map(([slot, at]) => unreg(slot, at))]);
    choices.push([
      2,
      fc.tuple(name, fc.boolean()).map(([name, on]) => enableFirstFormat(name, on)),
    ]);
  }
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

const enableFirstFormat = (name: string, on: boolean) => enable(`${name}.0`, on, MULTI_SYSTEM);

/** Two processes that do all sorts of things to a few events. */
export function randomSteps(version: Version, count: number, seed: number): Section {
  const steps = draw(fc.tuple(task, step(version)), count, seed);
  return {
    name: `random steps ${seed}`,
    operations: [
      open(1),
      open(2),
      open(3),
      reg(version, 1, "a u32 x"),
      { op: "fork", child: 1 },
      ...steps.flatMap(([task, operations]) => by(task, ...operations)),
      ...by(1, peek(12), { op: "exit" }),
      { op: "settle" },
      ...close(5),
      ...NAMES.flatMap((name) => [
        ...enable(name, false),
        ...(version === 2 ? enableFirstFormat(name, false) : []),
      ]),
    ],
  };
}
