/** Text of a `format` file as the kernel prints it, for tests. */

const COMMON = [
  "unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;",
  "unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;",
  "unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;",
  "int common_pid;\toffset:4;\tsize:4;\tsigned:1;",
];

/** A field: what stands before the `;`, its offset, its size, and whether it is signed. */
export type FieldLine = readonly [
  declaration: string,
  offset: number,
  size: number,
  signed?: boolean,
];

/** The format of event `name` with `id` and `fields`. */
export function formatText(
  name: string,
  id: number,
  fields: readonly FieldLine[],
  printFmt = '""',
): string {
  const own = fields.map(([declaration, offset, size, signed]) =>
    `${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed ? 1 : 0};`
  );
  const lines = (list: readonly string[]) => list.map((line) => `\tfield:${line}\n`).join("");
  return `name: ${name}\nID: ${id}\nformat:\n${lines(COMMON)}\n${
    lines(own)
  }\nprint fmt: ${printFmt}\n`;
}
