/** Sections on what is written to events, alike in both versions of the interface. */
import { type Action, ARENA, type Operation } from "./operations.ts";
import {
  enable,
  open,
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

function writes(version: Version): Section {
  const fields = "u8 a; u16 b; u32 c";
  return {
    name: "writes",
    operations: [
      open(1),
      open(2, "r"),
      open(3, "w"),
      { op: "write", slot: 1, bytes: "" },
      { op: "writev", slot: 1, bytes: "" },
      { op: "write", slot: 1, bytes: "\0\0\0" },
      { op: "writev", slot: 1, bytes: "\0\0\0" },
      write(1, 0, "1234567"),
      write(1, -1, ""),
      write(1, -2147483648, ""),
      write(1, 2147483647, ""),
      reg(version, 1, `w ${fields}`),
      reg(version, 1, "bare", { bit: 1 }),
      reg(version, 1, `w ${fields}`, { bit: 2 }),
      reg(version, 2, "bare", { bit: 3 }),
      reg(version, 3, `w ${fields}`, { bit: 4 }),
      write(1, 0, "1234567"),
      write(1, 0, "123456"),
      write(1, 0, ""),
      write(1, 1, ""),
      write(1, 2, ""),
      write(1, -1, "1234567"),
      ...enable("w", true),
      ...enable("bare", true),
      truncate("trace"),
      write(1, 0, "1234567"),
      write(1, 0, "123456"),
      write(1, 0, "1234567 and more"),
      write(1, 1, ""),
      write(1, 1, "x"),
      write(1, 2, ""),
      write(2, 0, "x"),
      write(3, 0, "1234567"),
      write(3, 1, "1234567"),
      { op: "writev", slot: 1, bytes: "\0\0\0\x001234567" },
      { op: "writev", slot: 1, bytes: "" },
      { op: "pwrite", slot: 1, position: 0, bytes: "\0\0\0\x001234567" },
      { op: "pwrite", slot: 1, position: 4, bytes: "\0\0\0\x001234567" },
      { op: "pwrite", slot: 1, position: 4, bytes: "" },
      { op: "entries" },
      poke("\0".repeat(32), ARENA.structuresEnd - 32),
      { op: "write-at", slot: 1, address: ARENA.structuresEnd - 32, count: 32 },
      { op: "write-at", slot: 1, address: ARENA.structuresEnd - 32, count: 33 },
      { op: "write-at", slot: 1, address: ARENA.structuresEnd - 4, count: 32 },
      { op: "write-at", slot: 1, address: ARENA.structuresEnd - 3, count: 32 },
      { op: "write-at", slot: 1, address: ARENA.nothing, count: 32 },
      { op: "entries" },
      ...enable("w", false),
      ...enable("bare", false),
      { op: "write-at", slot: 1, address: ARENA.structuresEnd - 4, count: 32 },
      write(1, 1, ""),
    ],
  };
}

function oversize(version: Version): Section {
  // Two pages of zeros: an index, and a payload.
  const zeros = ARENA.structuresEnd - 8192;
  const send = (size: number): Action => ({
    op: "write-at",
    slot: 1,
    address: zeros,
    count: 4 + size,
  });
  return {
    name: "oversize payloads",
    operations: [
      open(1),
      reg(version, 1, "big u8 a"),
      ...enable("big", true),
      truncate("trace"),
      ...[4063, 4064, 4065, 5000].flatMap((size): Operation[] => [send(size), { op: "entries" }]),
      ...enable("big", false),
      { op: "perf", slot: 2, path: "events/user_events/big/id" },
      read(STATUS),
      ...[8184, 8185, 8188].map(send),
    ],
  };
}

/** A location word. */
const location = (offset: number, size: number) =>
  String.fromCharCode(offset & 0xff, offset >> 8, size & 0xff, size >> 8);

function validators(version: Version): Section {
  const relative = [
    location(0, 5) + "text\0",
    location(0, 4) + "text\0",
    location(0, 5) + "text!",
    location(0, 6) + "text\0",
    location(1, 4) + "text\0",
    location(5, 0) + "text\0",
    location(0, 0) + "text",
    location(0, 0),
    location(0, 1),
    location(0xffff, 0xffff),
    location(0, 0) + "\0",
  ];
  // Not location(0, 0): then the byte before the entry counts, which is the time since the last.
  const absolute = [
    location(0, 8),
    location(8, 0),
    location(0, 1) + "\0",
    location(12, 5) + "text\0",
    location(4, 5) + "text\0",
    location(12, 5) + "text!",
    location(12, 6) + "text\0",
    location(17, 0) + "text\0",
    location(18, 0) + "text\0",
    location(0, 13) + "\0",
  ];
  const lists = {
    rel: "__rel_loc char[] a",
    relbytes: "__rel_loc u8[] a",
    data: "__data_loc char[] a",
    databytes: "__data_loc u8[] a",
  };
  const operations = Object.entries(lists).flatMap(([name, list], index): Operation[] => [
    reg(version, 1, `${name} ${list}`, { address: wordAt(index) }),
    ...enable(name, true),
    ...(name.startsWith("rel") ? relative : absolute).map((bytes) => write(1, index, bytes)),
    ...enable(name, false),
  ]);
  const two = location(4, 2) + location(2, 3) + "a\0bc\0";
  return {
    name: "validators",
    operations: [
      open(1),
      ...operations,
      reg(version, 1, "two __rel_loc char[] a; __rel_loc char[] b", { address: wordAt(8) }),
      ...enable("two", true),
      write(1, 4, two),
      write(1, 4, location(4, 2) + location(2, 4) + "a\0bc\0"),
      write(1, 4, location(4, 1) + location(2, 3) + "a\0bc\0"),
      { op: "perf", slot: 2, path: "events/user_events/two/id" },
      read(STATUS),
      write(1, 4, two),
      write(1, 4, location(4, 1) + location(2, 3) + "a\0bc\0"),
      ...enable("two", false),
      read(STATUS),
    ],
  };
}

function wrappedSizes(version: Version): Section {
  const list = "struct x a 2147483647; struct y b 2147483647; u32 c";
  return {
    name: "wrapped sizes",
    operations: [
      open(1),
      reg(version, 1, "huge struct x a 2147483647"),
      reg(version, 1, `wrapped ${list}`, { bit: 1 }),
      write(1, 0, "x"),
      write(1, 1, "x"),
      write(1, 1, "xy"),
      ...enable("wrapped", true),
      truncate("trace"),
      write(1, 1, "x"),
      write(1, 1, "xy"),
      { op: "entries" },
      ...enable("wrapped", false),
    ],
  };
}

/** All of them. */
export function writeSections(version: Version): Section[] {
  return [writes(version), oversize(version), validators(version), wrappedSizes(version)];
}
