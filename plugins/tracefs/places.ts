import { readText, tryReadText } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";
import { Kallsyms } from "../../core/symbols/kallsyms.ts";

/**
 * What can be probed: the functions that ftrace has hooks in, else all that kallsyms has; the
 * tracepoints as `system/event`.
 */
export function listPlaces(
  kernel: FileCalls,
  root: string,
  kind: "functions" | "tracepoints",
): string[] {
  if (kind === "tracepoints") {
    return lines(readText(kernel, `${root}/available_events`)).map((line) =>
      line.replace(":", "/")
    );
  }
  const hooked = tryReadText(kernel, `${root}/available_filter_functions`);
  if (hooked !== undefined && hooked !== "") {
    return [...new Set(lines(hooked).map((line) => line.split(" ")[0]))];
  }
  return [...new Kallsyms(readText(kernel, "/proc/kallsyms")).names()];
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
