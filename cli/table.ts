/** Rows as lines with aligned columns, two spaces apart. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((text, column) => {
      widths[column] = Math.max(widths[column] ?? 0, text.length);
    });
  }
  return rows.map((row) =>
    row.map((text, column) => column === row.length - 1 ? text : text.padEnd(widths[column]))
      .join("  ").trimEnd() + "\n"
  ).join("");
}
