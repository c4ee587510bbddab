/**
 * The `events/header_page` file: the layout of a sub-buffer
 * (kernel/trace/ring_buffer.c, `ring_buffer_print_page_header`).
 *
 * It has to be read with one read(2): the kernel answers a second one with the end of the file
 * (kernel/trace/trace_events.c, `show_header_page_file`).
 * @module
 */

import { type FieldFormat, FormatError, parseField } from "./format.ts";

/** Where things are in a sub-buffer, in bytes from its start. */
export interface PageLayout {
  /** The time stamp, a u64. */
  readonly timeStamp: number;
  /** The commit word. */
  readonly commit: number;
  /** Bytes of `long` on the traced machine, as of the commit word. */
  readonly longSize: 4 | 8;
  /** The first entry. */
  readonly data: number;
  /** Bytes of the whole sub-buffer, what one read of `trace_pipe_raw` gives. */
  readonly size: number;
}

/** A 64-bit machine with sub-buffers of 4 KiB, as most are. */
export const DEFAULT_PAGE_LAYOUT: PageLayout = {
  timeStamp: 0,
  commit: 8,
  longSize: 8,
  data: 16,
  size: 4096,
};

/**
 * Parses the text of a `header_page` file.
 * @throws {FormatError} naming the line that is wrong.
 */
export function parseHeaderPage(text: string): PageLayout {
  const fields = new Map<string, FieldFormat>();
  for (const [index, line] of text.slice(0, 1 << 16).split("\n").entries()) {
    if (line.trim() === "") continue;
    const field = parseField(line, index + 1);
    fields.set(field.name, field);
  }
  const timeStamp = fieldOf(fields, "timestamp");
  const commit = fieldOf(fields, "commit");
  const data = fieldOf(fields, "data");
  if (timeStamp.size !== 8) throw new FormatError(1, "the time stamp does not have 8 bytes");
  if (commit.size !== 4 && commit.size !== 8) {
    throw new FormatError(2, `a commit word of ${commit.size} bytes`);
  }
  if (data.offset < Math.max(timeStamp.offset + 8, commit.offset + commit.size)) {
    throw new FormatError(1, "the data overlaps the header");
  }
  return {
    timeStamp: timeStamp.offset,
    commit: commit.offset,
    longSize: commit.size,
    data: data.offset,
    size: data.offset + data.size,
  };
}

function fieldOf(fields: ReadonlyMap<string, FieldFormat>, name: string): FieldFormat {
  const field = fields.get(name);
  if (field === undefined) throw new FormatError(1, `no field "${name}"`);
  return field;
}
