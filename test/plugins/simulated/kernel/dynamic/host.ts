/**
 * A small kernel for tests: a handful of functions with plausible facts.
 * @module
 */
import type { ErrnoCode } from "../../../../../core/kernel/errno.ts";
import type {
  BtfPrototype,
  BtfStruct,
  BtfType,
} from "../../../../../plugins/simulated/kernel/dynamic/btf.ts";
import type { DynamicEvent } from "../../../../../plugins/simulated/kernel/dynamic/event.ts";
import { EventIds } from "../../../../../plugins/simulated/kernel/dynamic/event_ids.ts";
import type {
  DynamicHost,
  EventUsage,
  KernelEvent,
  KernelSymbol,
  ProbedFile,
  Tracepoint,
} from "../../../../../plugins/simulated/kernel/dynamic/host.ts";
import type { EventField } from "../../../../../plugins/simulated/kernel/event_field.ts";

const VOID: BtfType = { kind: "void" };
const CHAR: BtfType = { kind: "int", size: 1, bits: 8, signed: false };
const U32: BtfType = { kind: "int", size: 4, bits: 32, signed: false };
const U64: BtfType = { kind: "int", size: 8, bits: 64, signed: false };
const S64: BtfType = { kind: "int", size: 8, bits: 64, signed: true };

function pointer(target: BtfType): BtfType {
  return { kind: "pointer", target };
}

function struct(
  size: number,
  members: readonly (readonly [name: string | undefined, byte: number, type: BtfType])[],
): BtfStruct {
  return {
    kind: "struct",
    size,
    members: members.map(([name, byte, type]) => ({ name, type, bitOffset: byte * 8 })),
  };
}

const OPAQUE = struct(0, []);
const SUPER_BLOCK = struct(1408, [["s_magic", 96, U64]]);
const INODE = struct(600, [["i_sb", 40, pointer(SUPER_BLOCK)], ["i_ino", 64, U64]]);
const QSTR = struct(16, [
  [undefined, 0, struct(8, [["hash", 0, U32], ["len", 4, U32]])],
  ["name", 8, pointer(CHAR)],
]);
const DENTRY = struct(192, [
  ["d_name", 32, QSTR],
  ["d_inode", 48, pointer(INODE)],
  ["d_iname", 56, { kind: "array", element: CHAR }],
]);
const FLAGS: BtfStruct = {
  kind: "struct",
  size: 4,
  members: [
    { name: "low", type: U32, bitOffset: 0, bitSize: 3 },
    { name: "high", type: U32, bitOffset: 3, bitSize: 5 },
  ],
};
const FILE = struct(232, [
  ["f_mode", 4, U32],
  ["f_inode", 24, pointer(INODE)],
  ["f_flags", 32, U32],
  ["bits", 36, FLAGS],
  ["f_path", 64, struct(16, [["mnt", 0, pointer(OPAQUE)], ["dentry", 8, pointer(DENTRY)]])],
  ["f_pos", 96, S64],
  ["f_owner", 104, pointer(struct(40, [["pid", 24, pointer(OPAQUE)]]))],
]);

function prototype(returns: BtfType, params: Record<string, BtfType>): BtfPrototype {
  return { returns, params: Object.entries(params).map(([name, type]) => ({ name, type })) };
}

const READ = { file: pointer(FILE), buf: pointer(CHAR), count: U64, pos: pointer(S64) };

const PROTOTYPES: Readonly<Record<string, BtfPrototype>> = {
  vfs_read: prototype(S64, READ),
  vfs_write: prototype(S64, READ),
  vfs_open: prototype(
    { kind: "int", size: 4, bits: 32, signed: true },
    { path: pointer(OPAQUE), file: pointer(FILE) },
  ),
  kfree: prototype(VOID, { object: pointer(VOID) }),
  kernel_clone: prototype({ kind: "int", size: 4, bits: 32, signed: true }, {
    args: pointer(OPAQUE),
  }),
  do_sys_openat2: prototype(S64, {
    dfd: { kind: "int", size: 4, bits: 32, signed: true },
    filename: pointer(CHAR),
    how: pointer(OPAQUE),
  }),
  iget_locked: prototype(pointer(INODE), { sb: pointer(SUPER_BLOCK), ino: U64 }),
};

const TEXT = 0xffffffff81000000n;
const FUNCTION_SIZE = 0x100n;

function functions(): KernelSymbol[] {
  const plain = ["vfs_read", "vfs_write", "vfs_open", "kfree", "kernel_clone", "iget_locked"];
  const all: Omit<KernelSymbol, "address">[] = [
    ...plain.map((name) => ({ name, traceable: true })),
    { name: "notrace_function", traceable: false },
    { name: "nokprobe_function", traceable: true, blacklisted: true },
    { name: "twice", traceable: true },
    { name: "twice", traceable: true },
    { name: "endbr_function", traceable: true, endbr: true },
    { name: "vfs_read.cold", traceable: false },
    { name: "tcp_connect", traceable: true },
    { name: "tcp_close", traceable: true },
    { name: "nft_lookup", traceable: true, module: "nf_tables" },
    { name: "linux_banner", traceable: false, data: true },
    { name: "do_sys_openat2", traceable: true, endbr: true },
  ];
  return all.map((symbol, i) => ({ ...symbol, address: TEXT + BigInt(i) * FUNCTION_SIZE }));
}

const EVENTS: readonly KernelEvent[] = [
  {
    system: "sched",
    name: "sched_switch",
    fields: [
      field("prev_comm", "char[16]", 8, 16, "static_string"),
      field("prev_pid", "pid_t", 24, 4, "other"),
      field("next_pid", "pid_t", 28, 4, "other"),
    ],
  },
  {
    system: "syscalls",
    name: "sys_enter_openat",
    fields: [
      field("__syscall_nr", "int", 8, 4, "other"),
      field("dfd", "int", 16, 8, "other"),
      field("filename", "const char *", 24, 8, "ptr_string"),
      field("flags", "int", 32, 8, "other"),
      field("mode", "umode_t", 40, 8, "other"),
    ],
  },
  {
    system: "syscalls",
    name: "sys_exit_openat",
    fields: [field("ret", "long", 16, 8, "other")],
  },
  { system: "ftrace", name: "function", fields: [], internal: true },
];

function field(
  name: string,
  type: string,
  offset: number,
  size: number,
  filterType: EventField["filterType"],
): EventField {
  return { name, type, offset, size, signed: /^(pid_t|long)$/.test(type), filterType };
}

const TRACEPOINTS: Readonly<Record<string, Tracepoint>> = {
  sched_switch: {
    name: "sched_switch",
    traceable: true,
    prototype: prototype(VOID, { preempt: U32, prev: pointer(OPAQUE), next: pointer(OPAQUE) }),
  },
  suspend_resume: { name: "suspend_resume", traceable: false },
};

const FILES: Readonly<Record<string, ProbedFile | ErrnoCode>> = {
  "/bin/sh": { regular: true, inode: "1:10" },
  "/bin/dash": { regular: true, inode: "1:10" },
  "/usr/lib/libc-2.36.so": { regular: true, inode: "1:11" },
  "/tmp": { regular: false, inode: "1:2" },
};

/** {@link DynamicHost} with everything that tests ask about written down. */
export class TestHost implements DynamicHost {
  readonly arch = "x86_64";
  readonly possibleCpus = 2;
  /** On the Debian kernels type 8 happens to stand for a character. */
  readonly characterTypeIds: ReadonlySet<number> = new Set([8]);
  readonly dentryNameOffset = 0x28;
  readonly fileDentryOffset = 0x48;
  readonly version: DynamicHost["version"];
  /** What happened, in words. */
  readonly journal: string[] = [];
  readonly enabled = new Set<DynamicEvent>();
  readonly referenced = new Set<DynamicEvent>();
  readonly #symbols = functions();
  readonly #ids: EventIds;
  #time = 12_345_678_901n;

  constructor(version: DynamicHost["version"], firstId = 1554) {
    this.version = version;
    this.#ids = new EventIds(version, firstId);
  }

  now(): bigint {
    return this.#time += 1_000n;
  }

  symbols(name: string): readonly KernelSymbol[] {
    return this.#symbols.filter((symbol) => symbol.name === name);
  }

  symbolAt(address: bigint): KernelSymbol | undefined {
    const index = Number((address - TEXT) / FUNCTION_SIZE);
    return address < TEXT ? undefined : this.#symbols[index];
  }

  traceableFunctions(): Iterable<KernelSymbol> {
    return this.#symbols.filter((symbol) => symbol.traceable);
  }

  prototype(name: string): BtfPrototype | undefined {
    return Object.hasOwn(PROTOTYPES, name) ? PROTOTYPES[name] : undefined;
  }

  hasModule(name: string): boolean {
    return name === "nf_tables";
  }

  tracepoint(name: string): Tracepoint | undefined {
    return Object.hasOwn(TRACEPOINTS, name) ? TRACEPOINTS[name] : undefined;
  }

  lookupPath(path: string): ProbedFile | ErrnoCode {
    return (Object.hasOwn(FILES, path) ? FILES[path] : undefined) ?? "ENOENT";
  }

  event(system: string, name: string): KernelEvent | undefined {
    return EVENTS.find((event) => event.system === system && event.name === name);
  }

  checkFilter(fields: readonly EventField[], filter: string): ErrnoCode | undefined {
    return fields.some((field) => filter.startsWith(field.name)) ? undefined : "EINVAL";
  }

  hashPointer(address: bigint): bigint {
    return BigInt.asUintN(32, address * 0x9e3779b97f4a7c15n >> 16n);
  }

  allocateEventId(): number | undefined {
    return this.#ids.allocate();
  }

  releaseEventId(id: number): void {
    this.#ids.release(id);
  }

  usage(event: DynamicEvent): EventUsage {
    return { enabled: this.enabled.has(event), referenced: this.referenced.has(event) };
  }

  onAdd(event: DynamicEvent): void {
    this.journal.push(`add ${event.group}/${event.name}`);
  }

  onRemove(event: DynamicEvent): void {
    this.journal.push(`remove ${event.group}/${event.name}`);
  }

  onReset(wipe: boolean): void {
    this.journal.push(wipe ? "wipe" : "keep");
  }
}
