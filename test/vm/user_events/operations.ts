/**
 * Operations on user_events, as the driver in the guest and the simulated kernel carry them out.
 *
 * Texts are byte strings: one character, 0 to 255, stands for one byte.
 * @module
 */
import { errnoName } from "../../../core/kernel/errno.ts";

/** A text in memory, an address that should hold one, or NULL. */
export type Name = string | { readonly at: number } | null;

/** What is done. Slots are descriptors, shared as descriptors are. */
export type Action =
  | { op: "open"; slot: number; path: string; access: "r" | "w" | "rw" }
  | { op: "close"; slot: number }
  | { op: "dup"; slot: number; to: number }
  /** Version 1. Answers with write index and status bit, from 0xffffffff if they were not set. */
  | { op: "reg1"; slot: number; size: number; name: Name; tail: string }
  /** Version 2. Answers with the write index. `tail` is what follows the structure. */
  | {
    op: "reg";
    slot: number;
    size: number;
    bit: number;
    word: number;
    flags: number;
    address: number;
    name: Name;
    tail: string;
  }
  | {
    op: "unreg";
    slot: number;
    size: number;
    bit: number;
    reserved: number;
    reserved2: number;
    address: number;
    tail: string;
  }
  | { op: "del"; slot: number; name: Name }
  | { op: "ioctl"; slot: number; request: number; address: number }
  | { op: "write" | "writev"; slot: number; bytes: string }
  | { op: "pwrite"; slot: number; position: number; bytes: string }
  | { op: "write-at"; slot: number; address: number; count: number }
  | { op: "poke"; address: number; bytes: string }
  | { op: "peek"; address: number; count: number }
  | { op: "map"; address: number; count: number; access: "r" | "rw" }
  | { op: "unmap"; address: number; count: number }
  | {
    op: "map-status";
    slot: number;
    count: number;
    access: "r" | "rw";
    kind: "shared" | "private";
    offset: number;
  }
  | { op: "peek-status"; slot: number; offset: number; count: number }
  | { op: "poke-status"; slot: number; offset: number; byte: number }
  | { op: "unmap-status"; slot: number }
  /** Files below tracefs. */
  | { op: "read" | "list"; path: string }
  | { op: "append" | "truncate"; path: string; bytes: string }
  /** perf_event_open of the tracepoint with the id in a file. */
  | { op: "perf"; slot: number; path: string }
  /** Events in the rings; complaints about enable words since the start. */
  | { op: "entries" | "faults" }
  | { op: "euid"; uid: number }
  | { op: "fork" | "thread"; child: number }
  | { op: "vfork" | "exec" | "exit" | "settle" };

/** The task that the driver starts with. */
export const FIRST_TASK = 15;

/** An action of a task; 0 unless told, which each section starts anew. */
export type Operation = Action & { readonly task?: number };

/** What the kernel answered. */
export interface Answer {
  readonly ret: number;
  /** `"0"` or the name of the error. */
  readonly errno: string;
  readonly data?: string;
}

/** An operation, and what a kernel answered to it. */
export type Vector = Operation & { readonly answer: Answer };

/** Memory of each task, as the driver maps it. */
export const ARENA = {
  /** A page to write. */
  words: 0x10000000,
  /** A page to read only. */
  readOnly: 0x10001000,
  /** No page. */
  nothing: 0x10002000,
  /** Four pages to write, and nothing behind; structures are put at their start. */
  structures: 0x10010000,
  /** Names are put here. */
  names: 0x10011000,
  structuresEnd: 0x10014000,
} as const;

/** One line for the driver. */
export function driverLine(operation: Operation): string {
  const { op, task, ...values } = operation;
  const words = Object.entries(values).map(([key, value]) => driverWord(key, value));
  return [task ?? 0, op, ...words].join(" ");
}

const TEXTS = new Set(["path", "tail", "bytes", "name"]);

function driverWord(key: string, value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") return `@${(value as { at: number }).at}`;
  if (!TEXTS.has(key)) return String(value);
  // An empty text would be no word; the driver takes anything that is no hex for empty.
  return Buffer.from(String(value), "latin1").toString("hex") || "-";
}

/**
 * An answer out of the driver's line. What differs from run to run is left out of `format` files:
 * the id, and the lengths of arrays, which the kernel does not initialise.
 */
export function parseAnswer(line: string, operation: Operation): Answer {
  const [ret, errno, hex] = line.split(" ");
  const answer = { ret: Number(ret), errno: errno === "0" ? "0" : errnoName(Number(errno)) };
  if (hex === undefined) return answer;
  const data = Buffer.from(hex.slice(1), "hex").toString("latin1");
  const isFormat = operation.op === "read" && operation.path.endsWith("/format");
  return { ...answer, data: isFormat ? steadyFormat(data) : data };
}

/** The text of a `format` file without what differs from run to run. */
export function steadyFormat(text: string): string {
  return text.replace(/^ID: \d+$/m, "ID: ").replace(/\[-?\d*\];\toffset:/g, "[];\toffset:");
}
