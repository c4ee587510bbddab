/** The sections of vectors that are alike in both versions of the interface. */
import {
  DIAG_IOCSDEL,
  DIAG_IOCSREG,
  DIAG_IOCSUNREG,
} from "../../../plugins/simulated/kernel/user_events/abi.ts";
import { EVENT_NAMES, FIELD_LISTS } from "./fields.ts";
import { type Action, ARENA, type Operation } from "./operations.ts";
import {
  append,
  by,
  close,
  del,
  DYNAMIC,
  enable,
  open,
  peek,
  poke,
  read,
  reg,
  type Section,
  STATUS,
  truncate,
  type Version,
  wordAt,
  write,
} from "./steps.ts";
import { writeSections } from "./write_scenarios.ts";

function fieldLists(version: Version): Section {
  const operations = FIELD_LISTS.flatMap((list, i): Operation[] => [
    reg(version, 1, `f${i} ${list}`, { address: wordAt(i) }),
    read(`events/user_events/f${i}/format`),
    reg(version, 1, `f${i} ${list}`, { address: wordAt(i), bit: 1 }),
    append(DYNAMIC, `u:d${i} ${list}`),
    append(DYNAMIC, `-:d${i} ${list}`),
    append(DYNAMIC, `!u:user_events/d${i}`),
  ]);
  return {
    name: "field lists",
    operations: [open(1), ...operations, read(DYNAMIC), read(STATUS)],
  };
}

function eventNames(version: Version): Section {
  const operations = EVENT_NAMES.flatMap((name, i): Operation[] => [
    reg(version, 1, name, { address: wordAt(3 * i) }),
    reg(version, 1, `${name} u32 a`, { address: wordAt(3 * i + 1) }),
    append(DYNAMIC, `u:${name}2 u32 a`),
    del(2, name),
  ]);
  return {
    name: "event names",
    operations: [open(1), open(2), ...operations, read(STATUS), read(DYNAMIC)],
  };
}

function listingOrder(version: Version): Section {
  const greek = "alpha beta gamma delta eps zeta eta theta iota kappa __test_event".split(" ");
  const lengths = Array.from({ length: 40 }, (_, i) => "abcdefghijklmnop".repeat(3).slice(0, i));
  const numbered = Array.from({ length: 90 }, (_, i) => `event_with_number_${i * 37}`);
  const register = [...greek, ...lengths, ...numbered].map((name, i) =>
    reg(version, 1, name, { address: wordAt(i) })
  );
  return {
    name: "listing order",
    operations: [open(1), ...register, read(STATUS), read(DYNAMIC)],
  };
}

function ioctlRequests(): Section {
  const requests = [DIAG_IOCSREG, DIAG_IOCSDEL, DIAG_IOCSUNREG, 0xc0042a00, 0x40042a01, 0x5401, 0];
  const addresses = [0, ARENA.nothing, ARENA.structuresEnd, ARENA.structuresEnd - 8];
  const operations = requests.flatMap((request) =>
    addresses.map((address): Action => ({ op: "ioctl", slot: 1, request, address }))
  );
  const sizeAt = (address: number, size: string): Operation[] => [
    poke(size, address),
    { op: "ioctl", slot: 1, request: DIAG_IOCSREG, address },
    { op: "ioctl", slot: 1, request: DIAG_IOCSUNREG, address },
  ];
  const end = ARENA.structuresEnd;
  return {
    name: "ioctl requests",
    operations: [
      open(1, "r"),
      poke("\0".repeat(16), end - 16),
      ...operations,
      ...sizeAt(end - 16, "\x10\0\0\0"),
      ...sizeAt(end - 16, "\x14\0\0\0"),
      ...sizeAt(end - 16, "\x1c\0\0\0"),
      ...sizeAt(end - 64, "\0\x10\0\0"),
      ...sizeAt(end - 64, "\x01\x10\0\0"),
      ...sizeAt(end - 64, "\xff\xff\xff\xff"),
    ],
  };
}

function commandText(version: Version): Section {
  const end = ARENA.structuresEnd;
  const atEnd = (text: string): Operation[] => [
    poke(text, end - text.length),
    reg(version, 1, { at: end - text.length }),
    del(1, { at: end - text.length }),
  ];
  return {
    name: "command text",
    operations: [
      open(1),
      reg(version, 1, null),
      reg(version, 1, { at: ARENA.nothing }),
      reg(version, 1, { at: end }),
      del(1, null),
      del(1, { at: ARENA.nothing }),
      del(1, "absent"),
      del(1, "absent u32 a"),
      ...atEnd("unended"),
      ...atEnd("x".repeat(511)),
      ...atEnd("x".repeat(512)),
      ...atEnd("x".repeat(513)),
      ...atEnd("ended\0"),
    ],
  };
}

function references(version: Version): Section {
  const status = read(STATUS);
  return {
    name: "references",
    operations: [
      open(1),
      open(2),
      reg(version, 1, "one u32 a"),
      reg(version, 1, "two u32 a", { bit: 1 }),
      reg(version, 2, "two u32 a", { bit: 2 }),
      reg(version, 2, "one u32 a", { bit: 3 }),
      reg(version, 2, "three u32 a", { bit: 4 }),
      reg(version, 1, "one u32 a", { bit: 5 }),
      status,
      del(1, "one"),
      append(DYNAMIC, "-:one u32 a"),
      truncate(DYNAMIC),
      { op: "dup", slot: 1, to: 3 },
      ...close(1),
      del(2, "one"),
      write(3, 1, "1234"),
      reg(version, 3, "three u32 a", { bit: 6 }),
      ...close(3),
      ...enable("one", true),
      ...close(2),
      status,
      read(DYNAMIC),
      open(1),
      del(1, "one"),
      del(1, "two"),
      append(DYNAMIC, "-:one u32 a"),
      ...enable("one", false),
      status,
      del(1, "one"),
      del(1, "two"),
      del(1, "three"),
      status,
    ],
  };
}

function processes(version: Version): Section {
  return {
    name: "processes",
    operations: [
      open(1),
      reg(version, 1, "first u32 a"),
      { op: "fork", child: 1 },
      ...by(1, reg(version, 1, "second u32 a", { bit: 1 })),
      reg(version, 1, "third u32 a", { bit: 2 }),
      ...by(1, write(1, 0, "1234"), write(1, 1, "1234"), write(1, 2, "1234")),
      ...close(1),
      read(STATUS),
      open(2),
      del(2, "first"),
      ...by(1, { op: "exec" }),
      { op: "settle" },
      read(STATUS),
      ...by(1, write(1, 2, "1234"), { op: "exit" }),
      { op: "settle" },
      read(STATUS),
      del(2, "first"),
    ],
  };
}

function dynamicEvents(version: Version): Section {
  const lines = [
    "u:a u32 x",
    "u:  b u32 x; u64 y",
    "u:\t c",
    "u: \xa0d struct t f 8",
    "u:e char[4] s # comment",
    "u:f# u32 x",
    "u:g u32 x\nu:h u32 y",
    "u:i u32 x\nu:j bad y\nu:k u32 z",
    "u:l u32 x\n\nu:m",
    "u:n u32 x\n",
    "u:o\0u32 x",
    "u:p\0\n",
    "u:",
    "u",
    "U:q",
    " u:r",
    "",
    "#",
    "u:a u32 x",
    "u:a u64 x",
    "u:a",
    "u:b u32 x;u64 y",
    "u:s:flag u32 x",
    "x:t",
    "u:" + "long".repeat(150) + " u32 x",
    "u:v " + " ".repeat(5000),
  ];
  const deletes = [
    "-",
    "-x",
    "-:",
    "-:/",
    "-:absent",
    "-:nosystem/a",
    "-:user_events.ns/a",
    "-:a",
    "-:a u64 x",
    "-:a u32",
    "-:a u32 x y",
    "-:a u32 x;",
    "-:a u32  x",
    "!u:b u32 x;u64 y",
    "!u:b u32 x; u64 y",
    "!x:c",
    "!c",
    "-:user_events/d struct t f",
    "-:user_events/d struct t f 8",
    "-:user_events_multi/e char[4] s",
    "-:user_events/e char[4] s",
    "- :f",
    "-:f\n-:g u32 x\n-:absent\n-:h u32 y",
    "-:h  u32\ty # comment",
    "-:",
    "-:user_events/",
    "-:i",
  ];
  return {
    name: "dynamic_events",
    operations: [
      ...lines.flatMap((line) => [append(DYNAMIC, line), read(DYNAMIC)]),
      read(STATUS),
      ...deletes.flatMap((line) => [append(DYNAMIC, line), read(DYNAMIC)]),
      open(1),
      reg(version, 1, "busy u32 x"),
      truncate(DYNAMIC),
      append(DYNAMIC, "-:busy"),
      append(DYNAMIC, "-:busy u32 x"),
      append(DYNAMIC, "u:busy u32 x"),
      read(DYNAMIC),
      ...close(1),
      read(DYNAMIC),
      truncate(DYNAMIC, "u:after u32 x"),
      read(DYNAMIC),
      append(DYNAMIC, "u:u " + Array.from({ length: 400 }, (_, i) => `u32 f${i}`).join("; ")),
      read(DYNAMIC),
    ],
  };
}

function listeners(version: Version): Section {
  const perf = (slot: number): Action => ({
    op: "perf",
    slot,
    path: "events/user_events/heard/id",
  });
  const show = [read(STATUS), ...(version === 2 ? [peek()] : [])];
  return {
    name: "listeners",
    operations: [
      open(1),
      reg(version, 1, "heard u32 a"),
      perf(2),
      ...show,
      write(1, 0, "1234"),
      write(1, 0, "123"),
      ...enable("heard", true),
      ...show,
      ...close(2),
      ...show,
      ...enable("heard", false),
      ...show,
      write(1, 0, "1234"),
      ...enable("heard", true),
      ...close(1),
      read(STATUS),
      open(1),
      del(1, "heard"),
      ...enable("heard", false),
      read(STATUS),
      append(DYNAMIC, "-:heard u32 a"),
    ],
  };
}

/** The sections that both versions have. */
export function commonSections(version: Version): Section[] {
  return [
    fieldLists(version),
    eventNames(version),
    listingOrder(version),
    ioctlRequests(),
    commandText(version),
    ...writeSections(version),
    references(version),
    processes(version),
    dynamicEvents(version),
    listeners(version),
  ];
}
