/** Sections for version 2 of the interface: its structures, persistent events, several formats. */
import { enableWordSections } from "./enable_words.ts";
import { ARENA, type Operation } from "./operations.ts";
import {
  append,
  close,
  del,
  DYNAMIC,
  enable,
  LIMIT,
  open,
  peek,
  poke,
  read,
  reg,
  REG_MULTI_FORMAT,
  REG_PERSIST,
  type RegOptions,
  type Section,
  STATUS,
  truncate,
  unreg,
  type UnregOptions,
} from "./steps.ts";

const { words, readOnly, nothing } = ARENA;

function structure(): Section {
  const wrong: RegOptions[] = [
    ...[0, 4, 16, 20, 27, 29, 32, 100, 4096, 4097, 0xffffffff].map((size) => ({ size })),
    { size: 29, tail: "\x01" },
    { size: 32, tail: "\0\0\0\x01" },
    ...[1, 2, 3, 4, 5, 7, 8, 0x8000, 0xffff].map((flags) => ({ flags })),
    ...[0, 1, 2, 3, 5, 7, 16, 255].map((word) => ({ word })),
    ...[1, 2, 3, 4, 6, 8, 12].map((by) => ({ address: words + by })),
    ...[1, 2, 4, 6, 8, 12].map((by) => ({ address: words + by, word: 8 })),
    ...[31, 32, 33, 63, 64, 255].map((bit) => ({ bit })),
    ...[31, 32, 33, 63, 64, 255].map((bit) => ({ bit, word: 8 })),
    { address: 0 },
    { address: nothing },
    { address: readOnly },
    ...[0x7fffffffeff8, 0x7fffffffeffc, 0x7ffffffff000, 0x7ffffffffff8, 0x800000000000]
      .map((address) => ({ address })),
    { address: 0x7fffffffeff8, word: 8 },
    { address: 0x1000000000000 },
    { flags: 8, word: 3 },
    { word: 3, address: 0x7ffffffff000 },
    { bit: 32, address: 0x7ffffffff000 },
  ];
  const operations = wrong.flatMap((options, i) => [
    reg(2, 1, `s${i} u32 a`, options),
    reg(2, 1, `s${i}:flag u32 a`, options),
    reg(2, 1, null, options),
    read(STATUS),
  ]);
  return { name: "structure", operations: [open(1), ...operations] };
}

function checkOrder(): Section {
  return {
    name: "order of checks",
    operations: [
      open(1),
      reg(2, 1, "there u32 a", { flags: REG_PERSIST }),
      reg(2, 1, null),
      reg(2, 1, "there u32 a"),
      reg(2, 1, "there:flag u64 a"),
      reg(2, 1, "there:flag u64 a", { bit: 1 }),
      reg(2, 1, "there u64 a", { bit: 1 }),
      reg(2, 1, "there bad a", { bit: 1 }),
      reg(2, 1, "there", { bit: 1 }),
      reg(2, 1, "there u64 a", { bit: 1, address: nothing }),
      reg(2, 1, "new bad a", { bit: 1, address: nothing }),
      reg(2, 1, "new u32 a", { bit: 1, address: nothing }),
      { op: "euid", uid: 1000 },
      reg(2, 1, "kept:flag u32 a", { bit: 2, flags: REG_PERSIST }),
      reg(2, 1, "kept bad a", { bit: 2, flags: REG_PERSIST }),
      reg(2, 1, "there u32 a", { bit: 2, flags: REG_PERSIST }),
      reg(2, 1, "there u64 a", { bit: 2, flags: REG_PERSIST }),
      reg(2, 1, "there u32 a", { bit: 2 }),
      reg(2, 1, "mine u32 a", { bit: 3, flags: REG_MULTI_FORMAT }),
      del(1, "there"),
      ...unreg(1, { bit: 0 }),
      ...unreg(1, { bit: 2 }),
      del(1, "there"),
      { op: "euid", uid: 0 },
      read(STATUS),
      ...close(1),
      open(1),
      { op: "euid", uid: 1000 },
      del(1, "there"),
      del(1, "absent"),
      { op: "euid", uid: 0 },
      read(STATUS),
      del(1, "there"),
    ],
  };
}

function matching(): Section {
  const list = "u32 a; struct s b 8; char[4] c";
  const same = [
    list,
    "u32 a;struct s b 8;char[4] c",
    "u32 a;\tstruct s b 8;\n char[4] c;",
    "  u32  a;  struct   s  b  8;  char[4]  c  ",
    "u32 a; struct s b 8; char[4] c;",
    "u32 a; struct s b 8; char[4] c ;",
    "u32 a; struct s b 8; char[4] c;;",
    "u32 a ; struct s b 8; char[4] c",
    ";u32 a; struct s b 8; char[4] c",
    "u32 a; struct s b; char[4] c",
    "u32 a; struct s b 9; char[4] c",
    "u32 a; struct s b 08; char[4] c",
    "u32 a; struct t b 8; char[4] c",
    "u32 a; struct s b 8; char[5] c",
    "u32 b; struct s b 8; char[4] c",
    "u64 a; struct s b 8; char[4] c",
    "u32 a; struct s b 8",
    "u32 a; struct s b 8; char[4] c; u32 d",
    "struct s b 8; u32 a; char[4] c",
    "u32 a struct s b 8 char[4] c",
    "",
    ";",
  ];
  const odd = ["u32 a;;u32 b", ";u32 a", "u32 a;;", "u32 a;", "u32 ", ";", " ", ""];
  let bit = 0;
  const next = () => ({ word: 8, bit: bit++ });
  return {
    name: "matching",
    operations: [
      open(1),
      reg(2, 1, `match ${list}`, next()),
      ...same.map((fields) => reg(2, 1, `match ${fields}`, next())),
      reg(2, 1, "match", next()),
      reg(2, 1, "bare", next()),
      reg(2, 1, "bare ", { ...next(), address: words + 8 }),
      reg(2, 1, "bare ;", { ...next(), address: words + 8 }),
      reg(2, 1, "bare u32 a", { ...next(), address: words + 8 }),
      ...odd.flatMap((fields, i) => [
        reg(2, 1, `odd${i} ${fields}`, { address: words + 16, bit: 2 * i }),
        reg(2, 1, `odd${i} ${fields}`, { address: words + 16, bit: 2 * i + 1 }),
      ]),
      read(STATUS),
    ],
  };
}

function unregChecks(): Section {
  const wrong: UnregOptions[] = [
    ...[0, 4, 15, 17, 24, 4096, 4097, 0xffffffff].map((size) => ({ size })),
    { size: 24, tail: "\0\0\0\0\0\0\0\x01" },
    { reserved: 1 },
    { reserved2: 1 },
    { reserved2: 0x100 },
    { bit: 1 },
    { bit: 64 },
    { address: words + 4 },
    { address: 0 },
    { address: nothing },
  ];
  const before = wrong.flatMap((options) => unreg(1, options));
  const after = wrong.flatMap((options): Operation[] => [
    reg(2, 1, "un u32 a"),
    ...unreg(1, options),
  ]);
  return {
    name: "unregistering",
    operations: [
      open(1, "r"),
      ...before,
      ...after,
      reg(2, 1, "un u32 a"),
      reg(2, 1, "un u32 a", { word: 8 }),
      reg(2, 1, "un u32 a", { word: 8, bit: 1 }),
      ...unreg(1),
      ...unreg(1),
      ...unreg(1, { bit: 1 }),
      poke("\xff\xff\xff\xff"),
      reg(2, 1, "un u32 a", { bit: 7 }),
      peek(),
      poke("\xff\xff\xff\xff"),
      ...unreg(1, { bit: 7 }),
      peek(),
    ],
  };
}

function autoDelete(): Section {
  const show = [read(STATUS), read(DYNAMIC)];
  return {
    name: "automatic deletion",
    operations: [
      open(1),
      reg(2, 1, "brief u32 a"),
      ...close(1),
      ...show,
      open(1),
      ...unreg(1),
      ...show,
      reg(2, 1, "brief u32 a", { bit: 1 }),
      ...unreg(1, { bit: 1 }),
      ...show,
      ...close(1),
      ...show,
      open(1),
      reg(2, 1, "tried u32 a", { address: nothing }),
      ...show,
      reg(2, 1, "tried u64 a"),
      reg(2, 1, "tried u32 a"),
      ...unreg(1),
      ...close(1),
      ...show,
      open(1),
      reg(2, 1, "traced u32 a"),
      ...enable("traced", true),
      ...unreg(1),
      ...close(1),
      ...show,
      open(1),
      reg(2, 1, "traced u32 a", { bit: 3 }),
      peek(),
      reg(2, 1, "traced u64 a", { bit: 4 }),
      ...unreg(1, { bit: 3 }),
      ...close(1),
      ...enable("traced", false),
      ...show,
    ],
  };
}

function persistence(): Section {
  const show = [read(STATUS), read(DYNAMIC)];
  return {
    name: "persistence",
    operations: [
      open(1),
      reg(2, 1, "kept u32 a", { flags: REG_PERSIST }),
      reg(2, 1, "gone u32 a", { bit: 1 }),
      reg(2, 1, "gone u32 a", { bit: 2, flags: REG_PERSIST }),
      reg(2, 1, "kept u32 a", { bit: 3 }),
      del(1, "kept"),
      truncate(DYNAMIC),
      append(DYNAMIC, "-:kept u32 a"),
      ...unreg(1),
      ...unreg(1, { bit: 1 }),
      ...unreg(1, { bit: 2 }),
      ...unreg(1, { bit: 3 }),
      del(1, "kept"),
      del(1, "gone"),
      ...close(1),
      ...show,
      append(DYNAMIC, "u:kept u64 a"),
      append(DYNAMIC, "u:kept u32 a"),
      append(DYNAMIC, "u:line u32 a"),
      open(1),
      reg(2, 1, "line u32 a"),
      reg(2, 1, "line u64 a", { bit: 1 }),
      append(DYNAMIC, "-:line u32 a"),
      ...unreg(1),
      del(1, "line"),
      ...close(1),
      ...show,
      open(1),
      del(1, "line"),
      del(1, "kept"),
      del(1, "kept"),
      ...show,
    ],
  };
}

function multiFormat(): Section {
  const multi = REG_MULTI_FORMAT;
  const kept = REG_MULTI_FORMAT | REG_PERSIST;
  let bit = 0;
  const next = (flags: number): RegOptions => ({ flags, word: 8, bit: bit++ });
  const show = [read(STATUS), read(DYNAMIC)];
  return {
    name: "several formats",
    operations: [
      open(1),
      reg(2, 1, "m u32 a", next(multi)),
      reg(2, 1, "m u64 a", next(multi)),
      reg(2, 1, "m u32 a", next(multi)),
      reg(2, 1, "m u32 a", next(0)),
      reg(2, 1, "m u64 a", next(0)),
      reg(2, 1, "m", next(multi)),
      reg(2, 1, "m bad", next(multi)),
      reg(2, 1, "n u32 a", next(kept)),
      reg(2, 1, "m u64 a", next(kept)),
      reg(2, 1, "m s32 a", next(kept)),
      reg(2, 1, "m:flag s32 a", next(multi)),
      reg(2, 1, "m.1 u32 a", next(0)),
      { op: "list", path: "events/user_events_multi" },
      ...show,
      ...enable("m.1", true, "user_events_multi"),
      peek(),
      read(STATUS),
      ...enable("m.1", false, "user_events_multi"),
      ...enable("m", true),
      peek(),
      ...enable("m", false),
      del(1, "m"),
      del(1, "n"),
      append(DYNAMIC, "-:m u32 a"),
      append(DYNAMIC, "-:user_events/m s32 a"),
      ...close(1),
      ...show,
      ...Array.from({ length: bit }, (_, i) => unreg(1, { bit: i })).flat(),
      open(1),
      ...Array.from({ length: bit }, (_, i) => unreg(1, { bit: i })).flat(),
      ...show,
      append(DYNAMIC, "-:user_events/m s32 a"),
      append(DYNAMIC, "-:user_events_multi/n u32 a"),
      reg(2, 1, "p u32 a", { flags: kept }),
      reg(2, 1, "p u64 a", { flags: kept, bit: 1 }),
      reg(2, 1, "p s64 a", { flags: kept, bit: 2 }),
      ...unreg(1, { bit: 0 }),
      ...unreg(1, { bit: 2 }),
      ...close(1),
      open(1),
      del(1, "p"),
      ...show,
      ...unreg(1, { bit: 1 }),
      del(1, "p"),
      ...show,
      ...Array.from({ length: 17 }, (_, i) => reg(2, 1, `q u8 a${i}`, { flags: multi, bit: i })),
      ...show,
    ],
  };
}

function limits(): Section {
  return {
    name: "limit",
    operations: [
      read(LIMIT),
      open(1),
      reg(2, 1, "one u32 a"),
      reg(2, 1, "two u32 a", { bit: 1 }),
      append(LIMIT, "2"),
      read(LIMIT),
      reg(2, 1, "three u32 a", { bit: 2 }),
      reg(2, 1, "three bad a", { bit: 2 }),
      reg(2, 1, "one u32 a", { bit: 3 }),
      append(DYNAMIC, "u:four u32 a"),
      append(LIMIT, "0"),
      reg(2, 1, "two u32 a", { bit: 4 }),
      reg(2, 1, "five u32 a", { bit: 5, flags: REG_MULTI_FORMAT }),
      append(LIMIT, "3"),
      reg(2, 1, "five u32 a", { bit: 5, flags: REG_MULTI_FORMAT }),
      reg(2, 1, "six u32 a", { bit: 6, address: nothing }),
      read(STATUS),
      append(LIMIT, "32768"),
    ],
  };
}

function statusMapping(): Section {
  return {
    name: "status file",
    operations: [
      { op: "open", slot: 2, path: STATUS, access: "r" },
      { op: "map-status", slot: 2, count: 4096, access: "r", kind: "shared", offset: 0 },
      { op: "ioctl", slot: 2, request: 0xc0082a00, address: 0 },
    ],
  };
}

/** The sections that version 2 has alone. */
export function version2Sections(): Section[] {
  return [
    structure(),
    checkOrder(),
    matching(),
    unregChecks(),
    autoDelete(),
    persistence(),
    multiFormat(),
    limits(),
    statusMapping(),
    ...enableWordSections(),
  ];
}
