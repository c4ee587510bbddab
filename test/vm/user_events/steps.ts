/** Short forms of the operations that scenarios are made of. */
import { type Action, ARENA, FIRST_TASK, type Name, type Operation } from "./operations.ts";

/** Version of the interface. */
export type Version = 1 | 2;

/** A part of the vectors: a process of its own, which leaves nothing behind, does it. */
export interface Section {
  readonly name: string;
  readonly operations: readonly Operation[];
}

/** The operations of a section, with those that start its process and end it. */
export function wholeSection({ operations }: Section): Operation[] {
  return [
    ...by(FIRST_TASK, { op: "fork", child: 0 }),
    { op: "exec" },
    ...operations,
    { op: "exit" },
    ...by(FIRST_TASK, { op: "settle" }, truncate(DYNAMIC), read(STATUS), read(DYNAMIC)),
  ];
}

export const DATA = "user_events_data";
export const STATUS = "user_events_status";
export const DYNAMIC = "dynamic_events";
export const LIMIT = "../../../proc/sys/kernel/user_events_max";

export const REG_PERSIST = 1;
export const REG_MULTI_FORMAT = 2;

/** Operations done by another task, those that name none. */
export function by(task: number, ...operations: Operation[]): Operation[] {
  return operations.map((operation) => ({ task, ...operation }));
}

export const open = (slot: number, access: "r" | "w" | "rw" = "rw"): Action => ({
  op: "open",
  slot,
  path: DATA,
  access,
});

/** Closes a descriptor and waits for what follows. */
export const close = (slot: number): Action[] => [{ op: "close", slot }, { op: "settle" }];

export interface RegOptions {
  readonly size?: number;
  readonly bit?: number;
  readonly word?: number;
  readonly flags?: number;
  readonly address?: number;
  readonly tail?: string;
}

/** A registration, in version 1 of what of it there is in version 1. */
export function reg(version: Version, slot: number, name: Name, options: RegOptions = {}): Action {
  const { bit = 0, word = 4, flags = 0, address = ARENA.words, tail = "" } = options;
  if (version === 1) return { op: "reg1", slot, size: options.size ?? 20, name, tail };
  return { op: "reg", slot, size: options.size ?? 28, bit, word, flags, address, name, tail };
}

export interface UnregOptions {
  readonly size?: number;
  readonly bit?: number;
  readonly reserved?: number;
  readonly reserved2?: number;
  readonly address?: number;
  readonly tail?: string;
}

/** Takes an enable bit out and waits for what follows. */
export function unreg(slot: number, options: UnregOptions = {}): Action[] {
  const { size = 16, bit = 0, reserved = 0, reserved2 = 0, address = ARENA.words, tail = "" } =
    options;
  return [
    { op: "unreg", slot, size, bit, reserved, reserved2, address, tail },
    { op: "settle" },
  ];
}

export const del = (slot: number, name: Name): Action => ({ op: "del", slot, name });
export const read = (path: string): Action => ({ op: "read", path });
export const append = (path: string, bytes: string): Action => ({ op: "append", path, bytes });
export const truncate = (path: string, bytes = ""): Action => ({ op: "truncate", path, bytes });
export const poke = (bytes: string, address: number = ARENA.words): Action => ({
  op: "poke",
  address,
  bytes,
});
export const peek = (count = 8, address: number = ARENA.words): Action => ({
  op: "peek",
  address,
  count,
});

/** Turns an event on or off in ftrace, and waits for what follows. */
export const enable = (name: string, on: boolean, system = "user_events"): Action[] => [
  append(`events/${system}/${name}/enable`, on ? "1" : "0"),
  { op: "settle" },
];

/** A write of an index and a payload. */
export const write = (slot: number, index: number, payload: string): Action => ({
  op: "write",
  slot,
  bytes: u32(index) + payload,
});

/** An address of the page of words for each number up to 511. */
export const wordAt = (index: number) => ARENA.words + 8 * index;

/** An int of 32 bits, little endian. */
export function u32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString("latin1");
}
