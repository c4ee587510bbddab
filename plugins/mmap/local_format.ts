/**
 * What tracefs would tell of a probe that only a PMU knows: the text of its `format` file, so that
 * its entries are decoded as all others are (kernel/trace/trace_probe.c, `traceprobe_set_print_fmt`).
 * @module
 */

import type { DefinedProbe } from "../../core/probe/probe.ts";
import type { RegisterCapture } from "./route.ts";

const COMMON = [
  field("unsigned short common_type", 0, 2, false),
  field("unsigned char common_flags", 2, 1, false),
  field("unsigned char common_preempt_count", 3, 1, false),
  field("int common_pid", 4, 4, true),
];
const COMMON_SIZE = 8;

/** Bytes in front of the captures: the common fields, and where the probe is. */
export function headSize({ kind }: DefinedProbe): number {
  return COMMON_SIZE + (isReturn(kind) ? 16 : 8);
}

/** The `format` of a probe's entries, which bear `id`. */
export function localFormat(
  probe: DefinedProbe,
  captures: readonly RegisterCapture[],
  id: number,
): string {
  const places = isReturn(probe.kind) ? ["__probe_func", "__probe_ret_ip"] : ["__probe_ip"];
  let offset = headSize(probe);
  const fields = captures.map(({ name, size, signed }) => {
    const line = field(`${signed ? "s" : "u"}${size * 8} ${name}`, offset, size, signed);
    offset += size;
    return line;
  });
  const shown = [
    isReturn(probe.kind) ? "(%lx <- %lx)" : "(%lx)",
    ...captures.map((capture) => `${capture.name}=${conversion(capture)}`),
  ].join(" ");
  const values = [...places.toReversed(), ...captures.map(({ name }) => name)];
  return [
    `name: ${probe.event}`,
    `ID: ${id}`,
    "format:",
    ...COMMON,
    "",
    ...places.map((name, index) =>
      field(`unsigned long ${name}`, COMMON_SIZE + 8 * index, 8, false)
    ),
    ...fields,
    "",
    `print fmt: "${shown}", ${values.map((name) => `REC->${name}`).join(", ")}`,
    "",
  ].join("\n");
}

function isReturn(kind: DefinedProbe["kind"]): boolean {
  return kind === "kretprobe" || kind === "uretprobe";
}

function field(declaration: string, offset: number, size: number, signed: boolean): string {
  return `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed ? 1 : 0};`;
}

function conversion({ size, signed, hex }: RegisterCapture): string {
  if (hex) return size === 8 ? "0x%Lx" : "0x%x";
  return (size === 8 ? "%L" : "%") + (signed ? "d" : "u");
}
