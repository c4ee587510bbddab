/**
 * Tracepoints of the simulated kernel: a few that every kernel has, those that a config declares,
 * and the entries that passing one of them writes.
 * @module
 */

import { type CallValue, recordEntry, type Task } from "./calls.ts";
import { filterTypeOf } from "./dynamic/format.ts";
import type { EventField } from "./event_field.ts";
import type { Tracepoint } from "./profile.ts";
import type { SimulatedKernel } from "./simulated_kernel.ts";
import { ENTRY_HEADER } from "./trace/event.ts";

/** Bytes and signs of the C types that tracepoints use on 64-bit machines. */
const C_TYPES: Readonly<Record<string, readonly [size: number, signed: boolean]>> = {
  char: [1, true],
  "unsigned char": [1, false],
  short: [2, true],
  "unsigned short": [2, false],
  int: [4, true],
  "unsigned int": [4, false],
  long: [8, true],
  "unsigned long": [8, false],
  pid_t: [4, true],
  bool: [1, false],
  size_t: [8, false],
  u8: [1, false],
  u16: [2, false],
  u32: [4, false],
  u64: [8, false],
  s8: [1, true],
  s16: [2, true],
  s32: [4, true],
  s64: [8, true],
};

/** Fields of well-known tracepoints (include/trace/events/sched.h of Linux 6.12). */
export const BUILTIN_TRACEPOINTS: readonly Tracepoint[] = [
  makeTracepoint("sched/sched_switch", {
    prev_comm: "char[16]",
    prev_pid: "pid_t",
    prev_prio: "int",
    prev_state: "long",
    next_comm: "char[16]",
    next_pid: "pid_t",
    next_prio: "int",
  }),
  makeTracepoint("sched/sched_wakeup", {
    comm: "char[16]",
    pid: "pid_t",
    prio: "int",
    target_cpu: "int",
  }),
  makeTracepoint("sched/sched_process_exec", {
    filename: "__data_loc char[]",
    pid: "pid_t",
    old_pid: "pid_t",
  }),
  makeTracepoint("sched/sched_process_exit", { comm: "char[16]", pid: "pid_t", prio: "int" }),
  makeTracepoint("sched/sched_process_fork", {
    parent_comm: "char[16]",
    parent_pid: "pid_t",
    child_comm: "char[16]",
    child_pid: "pid_t",
  }),
  makeTracepoint("raw_syscalls/sys_enter", { id: "long", args: "unsigned long[6]" }),
  makeTracepoint("raw_syscalls/sys_exit", { id: "long", ret: "long" }),
  makeTracepoint("oom/mark_victim", { pid: "int" }),
];

/** A tracepoint from its `system/event` and its fields as C types, laid out as a compiler does. */
export function makeTracepoint(name: string, types: Readonly<Record<string, string>>): Tracepoint {
  const [system, event] = name.split("/");
  const fields: EventField[] = [];
  let offset = ENTRY_HEADER;
  for (const [field, type] of Object.entries(types)) {
    const { size, align, signed, length } = layoutOf(type);
    offset = Math.ceil(offset / align) * align;
    fields.push({
      name: field,
      type,
      offset,
      size,
      signed,
      filterType: filterTypeOf(type),
      ...(length !== undefined && { length }),
    });
    offset += size;
  }
  return { system, name: event, fields, printFmt: printFmtOf(fields) };
}

interface TypeLayout {
  readonly size: number;
  readonly align: number;
  readonly signed: boolean;
  readonly length?: number;
}

function layoutOf(type: string): TypeLayout {
  if (/^(const )?char ?\*$|^string$|^__data_loc char\[\]$/.test(type)) {
    return { size: 4, align: 4, signed: true };
  }
  const array = /^(.*?)\[(\d+)\]$/.exec(type);
  const [size, signed] = C_TYPES[array?.[1] ?? type] ?? [8, false];
  if (array === null) return { size, align: size, signed };
  const length = Number(array[2]);
  return { size: size * length, align: size, signed, length };
}

function printFmtOf(fields: readonly EventField[]): string {
  const formats = fields.map(({ name, signed, size, filterType }) => {
    const isText = filterType === "static_string" || filterType === "dyn_string";
    return `${name}=${
      isText ? "%s" : size === 8 ? (signed ? "%ld" : "%lu") : signed ? "%d" : "%u"
    }`;
  });
  const values = fields.map(({ name, filterType }) =>
    filterType === "dyn_string" ? `__get_str(${name})` : `REC->${name}`
  );
  return [`"${formats.join(" ")}"`, ...values].join(", ");
}

const encoder = new TextEncoder();

/** A thread passes a tracepoint: its event is recorded where it is wanted. */
export function passTracepoint(
  kernel: SimulatedKernel,
  name: string,
  values: Readonly<Record<string, CallValue>>,
  task: Task,
): void {
  const [system, eventName] = name.split("/");
  const event = kernel.tracing.registry.find(system, eventName);
  if (event === undefined || !kernel.tracing.isWanted(event)) return;
  recordEntry(kernel, event, encodeFields(event.fields, values), task);
}

function encodeFields(
  fields: readonly EventField[],
  values: Readonly<Record<string, CallValue>>,
): Uint8Array {
  const fixed = Math.max(ENTRY_HEADER, ...fields.map(({ offset, size }) => offset + size));
  const texts = fields.filter(({ filterType }) => filterType === "dyn_string")
    .map(({ name }) => encoder.encode(`${values[name] ?? ""}\0`));
  const entry = new Uint8Array(fixed + texts.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(entry.buffer);
  let end = fixed;
  for (const field of fields) {
    if (field.filterType === "dyn_string") {
      const text = texts.shift()!;
      view.setUint32(field.offset, (text.length << 16) | end, true);
      entry.set(text, end);
      end += text.length;
    } else {
      putValue(entry, view, field, values[field.name] ?? 0);
    }
  }
  return entry;
}

function putValue(entry: Uint8Array, view: DataView, field: EventField, value: CallValue): void {
  if (typeof value === "string") {
    entry.set(encoder.encode(value).subarray(0, field.size - 1), field.offset);
    return;
  }
  const word = BigInt(value ?? 0);
  for (let i = 0; i < Math.min(field.size, 8); i++) {
    view.setUint8(field.offset + i, Number((word >> BigInt(8 * i)) & 0xffn));
  }
}
