/**
 * JSON Lines straight from page bytes: no string and no object for an event.
 *
 * The text of a line that does not change is kept ready: for the thread (CPU, id and name) and for
 * each event (its names and those of its fields). Fields are written by a loop over a table: closures
 * measured no faster, and generated code, which the shipped binary does not allow, by a tenth.
 * @module
 */

import {
  ByteWriter,
  putInt32,
  putInt64,
  putNineDigits,
  putTemplate,
  putUint32,
  putUint64,
  type Template,
  template,
} from "./bytes.ts";
import { TID_OFFSET } from "./decoder.ts";
import { dynamicStart, type Field, inlineEnd } from "./field.ts";
import { MAX_ESCAPED, putJsonString } from "./json_string.ts";
import type { LostRecord, RecordBatch, TraceEvent } from "./record.ts";

/** The most digits and sign of a 64-bit integer, and a comma. */
const MAX_INTEGER = 21;
/** Threads whose text is kept; beyond that it is made anew. */
const MAX_THREADS = 65536;

const START = `{"type":"event","time_ns":`;
const END = template("}}\n");
const NULL = template("null");
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** What a line has of its thread: `,"cpu":0,"tid":42,"comm":"cat"`. */
interface ThreadText {
  readonly cpu: number;
  readonly tid: number;
  readonly comm: string;
  readonly text: Template;
}

/** What a line has of its event, and how its fields are written. */
interface EventText {
  readonly event: TraceEvent;
  /** `,"probe":"…","event":"…","args":{`, up to the first value. */
  readonly start: Template;
  readonly fields: readonly FieldText[];
  /** The most bytes of a line without what depends on the data. */
  readonly fixedSize: number;
}

interface FieldText {
  readonly field: Field;
  /** `,"name":`, without the comma for the first. */
  readonly name: Template;
}

/** Writes records as JSON Lines. */
export class JsonLines {
  readonly #out: ByteWriter;
  readonly #events = new Map<TraceEvent, EventText>();
  readonly #threads = new Map<number, ThreadText>();
  #thread: ThreadText = threadText(-1, -1, "");
  #event: EventText | undefined;
  #seconds = -1;
  /** The line up to the nanoseconds. */
  #start = template("");

  /** @param out where the lines go; one writer may be shared. */
  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** Writes what was lost in front of a batch, if anything, and all of its records. */
  addBatch(batch: RecordBatch): void {
    if (batch.lost !== 0) this.addLost({ type: "lost", cpu: batch.cpu, count: batch.lost });
    const { count } = batch;
    for (let i = 0; i < count; i++) this.addRecord(batch, i);
  }

  /** Writes record `i` of a batch. */
  addRecord(batch: RecordBatch, i: number): void {
    const out = this.#out;
    const { starts, lengths, seconds, nanos } = batch.columns;
    const start = starts[i]!;
    const text = this.#eventText(batch.event(i));
    const thread = this.#threadText(batch, start);
    out.reserve(text.fixedSize + thread.text.length);
    this.#putTime(seconds[i]!, nanos[i]!);
    putTemplate(out, thread.text);
    putTemplate(out, text.start);
    const { fields } = text;
    for (let f = 0; f < fields.length; f++) {
      const { field, name } = fields[f]!;
      if (f > 0) putTemplate(out, name);
      if (field.kind === "int") putInteger(out, batch.view, start + field.offset, field);
      else putOther(out, batch, field, start, lengths[i]!, text.fixedSize);
    }
    putTemplate(out, END);
  }

  /** Writes a loss. */
  addLost({ cpu, count }: LostRecord): void {
    const text = template(`${JSON.stringify({ type: "lost", cpu, count })}\n`);
    this.#out.reserve(text.length);
    putTemplate(this.#out, text);
  }

  #putTime(seconds: number, nanos: number): void {
    if (seconds !== this.#seconds) {
      this.#seconds = seconds;
      this.#start = template(`${START}${seconds === 0 ? "" : seconds}`);
    }
    putTemplate(this.#out, this.#start);
    if (seconds === 0) putUint32(this.#out, nanos);
    else putNineDigits(this.#out, nanos);
  }

  #eventText(event: TraceEvent): EventText {
    if (this.#event?.event === event) return this.#event;
    let text = this.#events.get(event);
    if (text === undefined) {
      text = eventText(event);
      this.#events.set(event, text);
    }
    this.#event = text;
    return text;
  }

  #threadText(batch: RecordBatch, start: number): ThreadText {
    const tid = batch.view.getInt32(start + TID_OFFSET, true);
    const comm = batch.commOf(tid);
    const last = this.#thread;
    if (last.tid === tid && last.cpu === batch.cpu && last.comm === comm) return last;
    let text = this.#threads.get(tid);
    if (text === undefined || text.cpu !== batch.cpu || text.comm !== comm) {
      text = threadText(batch.cpu, tid, comm);
      if (this.#threads.size >= MAX_THREADS) this.#threads.clear();
      this.#threads.set(tid, text);
    }
    this.#thread = text;
    return text;
  }
}

function threadText(cpu: number, tid: number, comm: string): ThreadText {
  const text = template(`,"cpu":${cpu},"tid":${tid},"comm":${JSON.stringify(comm)}`);
  return { cpu, tid, comm, text };
}

function eventText(event: TraceEvent): EventText {
  const fields = event.decoder.args.map(({ field }, i) => ({
    field,
    name: template(`${i === 0 ? "" : ","}${JSON.stringify(field.name)}:`),
  }));
  const names = `,"probe":${JSON.stringify(event.probe)},"event":${JSON.stringify(event.event)}`;
  const first = fields[0] === undefined ? "" : `${JSON.stringify(fields[0].field.name)}:`;
  const start = template(`${names},"args":{${first}`);
  const fieldSize = fields.reduce((sum, { name }) => sum + name.length + MAX_INTEGER, 0);
  const fixedSize = START.length + MAX_INTEGER * 2 + start.length + fieldSize + END.length;
  return { event, start, fields, fixedSize };
}

function putInteger(out: ByteWriter, view: DataView, at: number, field: Field): void {
  switch (field.elementSize) {
    case 8: {
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      if (high === 0) putUint32(out, low);
      else if (field.signed) putInt64(out, high, low);
      else putUint64(out, high, low);
      return;
    }
    case 4:
      if (field.signed) putInt32(out, view.getInt32(at, true));
      else putUint32(out, view.getUint32(at, true));
      return;
    case 2:
      putInt32(out, field.signed ? view.getInt16(at, true) : view.getUint16(at, true));
      return;
    default:
      putInt32(out, field.signed ? view.getInt8(at) : view.getUint8(at));
  }
}

/** Writes a field whose length is in the data, then makes room for `rest` bytes again. */
function putOther(
  out: ByteWriter,
  batch: RecordBatch,
  field: Field,
  start: number,
  length: number,
  rest: number,
): void {
  const { view } = batch;
  const at = start + field.offset;
  const inline = field.place === "inline";
  if (field.kind === "strings") {
    putStrings(out, batch, field, start);
  } else if (field.kind === "string") {
    if (inline) putJsonString(out, batch, at, inlineEnd(field, start, length));
    else putStringAt(out, batch, field, at, start);
  } else {
    const from = inline ? at : dynamicStart(view, field, at, start);
    const end = inline ? inlineEnd(field, start, length) : from + view.getUint16(at + 2, true);
    putArray(out, view, field, from, end);
  }
  out.reserve(rest);
}

function putStrings(out: ByteWriter, batch: RecordBatch, field: Field, start: number): void {
  const first = start + field.offset;
  out.reserve(field.size);
  out.bytes[out.at++] = OPEN;
  for (let at = first; at + 4 <= first + field.size; at += 4) {
    if (at > first) out.bytes[out.at++] = COMMA;
    putStringAt(out, batch, field, at, start);
    out.reserve(field.size);
  }
  out.bytes[out.at++] = CLOSE;
}

function putStringAt(
  out: ByteWriter,
  batch: RecordBatch,
  field: Field,
  at: number,
  start: number,
): void {
  const size = batch.view.getUint16(at + 2, true);
  if (size === 0) {
    putTemplate(out, NULL);
    return;
  }
  const from = dynamicStart(batch.view, field, at, start);
  putJsonString(out, batch, from, from + size);
}

function putArray(
  out: ByteWriter,
  view: DataView,
  field: Field,
  from: number,
  end: number,
): void {
  out.reserve(Math.max(0, end - from) * MAX_ESCAPED + 2);
  out.bytes[out.at++] = OPEN;
  for (let at = from; at + field.elementSize <= end; at += field.elementSize) {
    if (at > from) out.bytes[out.at++] = COMMA;
    putInteger(out, view, at, field);
  }
  out.bytes[out.at++] = CLOSE;
}
