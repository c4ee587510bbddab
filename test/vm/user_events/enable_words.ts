/** Sections on the words of version 2, and on the threads and processes whose they are. */
import { type Action, ARENA, type Operation } from "./operations.ts";
import {
  by,
  close,
  enable,
  open,
  peek,
  poke,
  read,
  reg,
  type Section,
  STATUS,
  unreg,
  write,
} from "./steps.ts";

const { words } = ARENA;

function enableWords(): Section {
  const on = enable("word", true);
  const off = enable("word", false);
  return {
    name: "enable words",
    operations: [
      open(1),
      poke("\0".repeat(32)),
      reg(2, 1, "word u32 a", { bit: 31 }),
      reg(2, 1, "word u32 a", { bit: 0, address: words + 4 }),
      reg(2, 1, "word u32 a", { bit: 9, address: words + 12 }),
      reg(2, 1, "word u32 a", { bit: 63, word: 8, address: words + 16 }),
      reg(2, 1, "word u32 a", { bit: 33, word: 8, address: words }),
      reg(2, 1, "word u32 a", { bit: 1, address: words + 4 }),
      reg(2, 1, "other u32 a", { bit: 1, address: words }),
      peek(32),
      ...on,
      peek(32),
      reg(2, 1, "word u32 a", { bit: 5, address: words + 24 }),
      peek(32),
      poke("\0".repeat(32)),
      ...enable("other", true),
      peek(32),
      ...off,
      peek(32),
      ...on,
      ...unreg(1, { bit: 31 }),
      peek(32),
      ...off,
      ...enable("other", false),
      peek(32),
      poke("\xff".repeat(32)),
      ...on,
      ...off,
      peek(32),
    ],
  };
}

function unmappedWords(): Section {
  const page = words + 0x8000;
  const mapPage: Action = { op: "map", address: page, count: 4096, access: "rw" };
  const at = { address: page + 8, bit: 5 };
  return {
    name: "unmapped words",
    operations: [
      open(1),
      mapPage,
      reg(2, 1, "lost u32 a", at),
      { op: "unmap", address: page, count: 4096 },
      ...enable("lost", true),
      { op: "faults" },
      mapPage,
      peek(16, page),
      ...enable("lost", false),
      ...enable("lost", true),
      peek(16, page),
      { op: "map", address: page, count: 4096, access: "r" },
      ...enable("lost", false),
      { op: "faults" },
      peek(16, page),
      ...unreg(1, at),
      ...unreg(1, at),
      mapPage,
      reg(2, 1, "lost u32 a", at),
      { op: "unmap", address: page, count: 4096 },
      ...unreg(1, at),
      ...unreg(1, at),
      ...close(1),
      read(STATUS),
    ],
  };
}

/** A process that has never registered anything. */
const fresh = (child: number): Operation[] => [
  { op: "fork", child },
  ...by(child, { op: "exec" }),
  { op: "settle" },
];

function threads(): Section {
  const show = [...by(6, peek(8)), ...by(7, peek(8))];
  return {
    name: "threads",
    operations: [
      ...fresh(6),
      ...by(6, { op: "thread", child: 7 }, open(1), reg(2, 1, "shared u32 a")),
      ...by(7, ...unreg(1), reg(2, 1, "shared u32 a")),
      ...by(6, { op: "thread", child: 8 }),
      ...by(8, reg(2, 1, "shared u32 a"), reg(2, 1, "shared u32 a", { bit: 1 })),
      ...by(6, reg(2, 1, "shared u32 a", { bit: 1 })),
      ...enable("shared", true),
      ...show,
      ...by(8, ...unreg(1, { bit: 1 })),
      ...show,
      ...by(8, { op: "exit" }),
      { op: "settle" },
      ...enable("shared", false),
      ...show,
      ...by(7, { op: "exit" }),
      { op: "settle" },
      ...enable("shared", true),
      ...by(6, peek(8), { op: "vfork" }, { op: "settle" }),
      ...enable("shared", false),
      ...by(6, peek(8), ...unreg(1), { op: "exit" }),
      { op: "settle" },
    ],
  };
}

/** The thread that registers first ends, and its bits with it, though the process lives. */
function firstThreadEnds(): Section {
  return {
    name: "first thread ends",
    operations: [
      ...fresh(3),
      ...by(3, { op: "thread", child: 4 }),
      ...by(4, open(1), reg(2, 1, "brief u32 a"), reg(2, 1, "brief u32 a", { bit: 1 })),
      ...by(4, { op: "exit" }),
      { op: "settle" },
      ...enable("brief", true),
      ...by(3, peek(8), ...unreg(1), write(1, 0, "1234"), reg(2, 1, "brief u32 a", { bit: 2 })),
      ...by(3, peek(8)),
      ...enable("brief", false),
      ...by(3, peek(8), { op: "exit" }),
      { op: "settle" },
      read(STATUS),
    ],
  };
}

function forks(): Section {
  const both = (child: number) => [peek(8), ...by(child, peek(8))];
  return {
    name: "forks",
    operations: [
      open(1),
      poke("\0".repeat(8)),
      reg(2, 1, "forked u32 a"),
      reg(2, 1, "forked u32 a", { bit: 1 }),
      { op: "fork", child: 5 },
      ...by(5, reg(2, 1, "forked u32 a")),
      ...enable("forked", true),
      ...both(5),
      ...by(5, ...unreg(1)),
      ...both(5),
      ...unreg(1, { bit: 1 }),
      ...enable("forked", false),
      ...both(5),
      ...unreg(1),
      ...close(1),
      read(STATUS),
      ...by(5, { op: "exec" }),
      { op: "settle" },
      read(STATUS),
      ...by(5, ...unreg(1, { bit: 1 }), reg(2, 1, "forked u32 a", { bit: 2 })),
      ...enable("forked", true),
      ...by(5, peek(8)),
      ...by(5, { op: "exit" }),
      { op: "settle" },
      read(STATUS),
      ...enable("forked", false),
      read(STATUS),
    ],
  };
}

/** All of them. */
export function enableWordSections(): Section[] {
  return [enableWords(), unmappedWords(), firstThreadEnds(), forks(), threads()];
}
