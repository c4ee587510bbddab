import type { TraceInstance } from "./instance.ts";
import type { ProbeKind } from "../dynamic/event.ts";
import { COMMON_FIELDS, type EventField } from "../event_field.ts";

/** Which facility made a trace event; nothing for a tracepoint of the kernel. */
export type TraceEventKind = ProbeKind | "synthetic" | "user_event";

/** A trace event, whoever made it (`struct trace_event_call`). */
export interface TraceEvent {
  /** The directory under `events/`: `sched`, `kprobes`, `sonde_edge`. */
  readonly system: string;
  readonly name: string;
  /** `common_type` of its entries, 1 to 65535. */
  readonly id: number;
  /** The fields after the common ones. */
  readonly fields: readonly EventField[];
  /** The `print fmt:` text. */
  readonly printFmt: string;
  readonly kind?: TraceEventKind;
  /** Asked before the first in an instance wants its entries. @throws {KernelError} if it may not */
  readonly beforeEnable?: () => void;
  /** Told that perf starts or stops to listen; for facilities that have to know. */
  readonly onPerf?: (on: boolean) => void;
  /** Told that an instance starts or stops to want its entries; for facilities that have to know. */
  readonly onEnable?: (instance: TraceInstance, on: boolean) => void;
}

/** Whether an event is one of ftrace's own, which cannot be enabled (`TRACE_EVENT_FL_IGNORE_ENABLE`). */
export function isInternal({ system }: TraceEvent): boolean {
  return system === "ftrace";
}

/** The text of an event's `format` file (kernel/trace/trace_events.c, `f_show`). */
export function formatText(event: TraceEvent): string {
  return `name: ${event.name}\nID: ${event.id}\nformat:\n` +
    COMMON_FIELDS.map(fieldLine).join("") + "\n" +
    event.fields.map(fieldLine).join("") +
    `\nprint fmt: ${event.printFmt}\n`;
}

function fieldLine(field: EventField): string {
  const { offset, size, signed } = field;
  return `\tfield:${declaration(field)};\toffset:${offset};\tsize:${size};\tsigned:${
    Number(signed)
  };\n`;
}

/** `TYPE name`; a type `TYPE[LEN]` is shown as `TYPE name[LEN]`, unless it is dynamic. */
function declaration({ type, name, length }: EventField): string {
  const bracket = type.startsWith("__data_loc") ? -1 : type.indexOf("[");
  if (bracket === -1) return `${type} ${name}`;
  return `${type.slice(0, bracket)} ${name}[${length ?? ""}]`;
}

/** Bytes of `struct trace_entry`. */
export const ENTRY_HEADER = 8;

/** Writes the common fields at the start of an entry. */
export function putEntryHeader(entry: Uint8Array, event: TraceEvent, tid: number): void {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.length);
  view.setUint16(0, event.id, true);
  view.setUint8(2, 0);
  view.setUint8(3, 0);
  view.setInt32(4, tid, true);
}
