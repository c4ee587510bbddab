/** Sections for version 1 of the interface: the structure of 20 bytes and the status page. */
import type { Action, Operation } from "./operations.ts";
import {
  close,
  del,
  enable,
  open,
  read,
  reg,
  type Section,
  STATUS,
  truncate,
  write,
} from "./steps.ts";

function structure(): Section {
  const sizes = [0, 4, 12, 16, 19, 20, 21, 24, 28, 100, 4096, 4097, 65536, 0xffffffff];
  return {
    name: "structure",
    operations: [
      open(1),
      ...sizes.map((size) => reg(1, 1, "ok u32 a", { size })),
      reg(1, 1, "ok u32 a", { size: 21, tail: "\x01" }),
      reg(1, 1, "ok u32 a", { size: 24, tail: "\0\0\0\x01" }),
      reg(1, 1, "ok u32 a", { size: 20, tail: "\x01\x01" }),
      reg(1, 1, "other u32 a", { size: 24, tail: "\0\0\0\0\x01" }),
      reg(1, 1, "bad x", { size: 24, tail: "\x01" }),
      reg(1, 1, null, { size: 24, tail: "\x01" }),
    ],
  };
}

function statusBits(): Section {
  const show: Operation[] = [
    { op: "peek-status", slot: 3, offset: 0, count: 4 },
    { op: "peek-status", slot: 4, offset: 0, count: 4 },
    read(STATUS),
  ];
  const names = Array.from({ length: 18 }, (_, i) => `bit${i}`);
  return {
    name: "status bits",
    operations: [
      open(1),
      { op: "open", slot: 3, path: STATUS, access: "r" },
      { op: "open", slot: 4, path: STATUS, access: "rw" },
      map(3, "r", "shared"),
      map(4, "rw", "shared"),
      ...names.map((name) => reg(1, 1, `${name} u32 a`)),
      ...show,
      ...["bit0", "bit6", "bit7", "bit15", "bit17"].flatMap((name) => enable(name, true)),
      ...show,
      { op: "poke-status", slot: 4, offset: 2, byte: 255 },
      write(1, 16, "1234"),
      ...show,
      ...enable("bit15", false),
      ...enable("bit16", true),
      ...enable("bit16", false),
      ...show,
      ...["bit0", "bit6", "bit7", "bit17"].flatMap((name) => enable(name, false)),
      ...show,
      { op: "poke-status", slot: 4, offset: 2, byte: 0 },
      { op: "close", slot: 4 },
      ...enable("bit0", true),
      { op: "peek-status", slot: 4, offset: 0, count: 4 },
      ...enable("bit0", false),
      { op: "unmap-status", slot: 3 },
      { op: "unmap-status", slot: 4 },
    ],
  };
}

function map(
  slot: number,
  access: "r" | "rw",
  kind: "shared" | "private",
  count = 4096,
  offset = 0,
): Action {
  return { op: "map-status", slot, count, access, kind, offset };
}

function statusMappings(): Section {
  return {
    name: "status mappings",
    operations: [
      { op: "open", slot: 3, path: STATUS, access: "r" },
      { op: "open", slot: 4, path: STATUS, access: "rw" },
      open(1),
      ...[1, 4095, 4096, 4097, 8192].flatMap((count): Operation[] => [
        map(3, "r", "shared", count),
      ]),
      map(3, "r", "shared", 4096, 4096),
      map(3, "r", "shared", 4096, 4096 * 100),
      map(3, "rw", "shared"),
      map(3, "rw", "private"),
      map(3, "r", "private"),
      map(4, "r", "shared"),
      map(4, "rw", "shared"),
      map(1, "r", "shared"),
      { op: "ioctl", slot: 3, request: 0xc0082a00, address: 0 },
      { op: "write", slot: 4, bytes: "x" },
      { op: "close", slot: 3 },
      { op: "close", slot: 4 },
    ],
  };
}

function indexes(): Section {
  const names = ["a", "b", "c", "d"];
  return {
    name: "indexes",
    operations: [
      open(1),
      open(2),
      ...names.map((name) => reg(1, 1, `${name} u32 x`)),
      ...close(1),
      del(2, "b"),
      del(2, "b"),
      reg(1, 2, "e u32 x"),
      reg(1, 2, "f u32 x"),
      read(STATUS),
      del(2, "a"),
      del(2, "c"),
      del(2, "d"),
      reg(1, 2, "g bad"),
      reg(1, 2, "g u32 x"),
      reg(1, 2, "h u32 x"),
      reg(1, 2, "i u32 x"),
      reg(1, 2, "e anything: is; ignored"),
      reg(1, 2, "e:flag"),
      reg(1, 2, "e"),
      read(STATUS),
    ],
  };
}

function idlers(): Section {
  return {
    name: "idle events",
    operations: [
      open(1),
      reg(1, 1, "idle u32 a"),
      ...close(1),
      read(STATUS),
      open(1),
      reg(1, 1, "idle u64 b"),
      write(1, 0, "1234"),
      read("events/user_events/idle/format"),
      ...close(1),
      ...enable("idle", true),
      truncate("dynamic_events"),
      ...enable("idle", false),
    ],
  };
}

/** The sections that version 1 has alone. */
export function version1Sections(): Section[] {
  return [structure(), statusBits(), statusMappings(), indexes(), idlers()];
}
