import { isSpace } from "./bytes.ts";

/**
 * The CPUs that a list such as `0-3,8` or `0-31:2/8` names, in order, or
 * `undefined` where the kernel refuses the list.
 *
 * `N` stands for the last CPU, `all` for every CPU, `first-last:used/group` for
 * the first `used` of each `group` (`bitmap_parselist()`, lib/bitmap-str.c).
 * `cpuCount` is the kernel's `nr_cpu_ids`; a CPU at or above it is refused.
 */
export function parseCpuList(text: string, cpuCount: number): number[] | undefined {
  const cpus = new Set<number>();
  let rest = skipSeparators(text);
  while (rest !== "") {
    const region = matchRegion(rest);
    if (region === undefined) return undefined;
    const range = toRange(region, cpuCount - 1);
    if (!isValid(range, cpuCount)) return undefined;
    for (let start = range.first; start <= range.last; start += range.group) {
      const end = Math.min(start + range.used - 1, range.last);
      for (let cpu = start; cpu <= end; cpu++) cpus.add(cpu);
    }
    rest = rest.slice(region.length);
    // Without a pattern the kernel stops at the end of the line.
    rest = region.used === undefined && rest.startsWith("\n") ? "" : skipSeparators(rest);
  }
  return [...cpus].sort((a, b) => a - b);
}

interface Region {
  readonly first: string;
  readonly last: string;
  readonly used: string | undefined;
  readonly group: string | undefined;
  readonly length: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly used: number;
  readonly group: number;
}

const WHOLE = /^(?:[aA][lL][lL]|(\d+|N)-(\d+|N))(?::(\d+|N)\/(\d+|N)|(?=[,\s\xa0]|$))/;
const SINGLE = /^(\d+|N)(?=[,\s\xa0]|$)/;

function matchRegion(text: string): Region | undefined {
  const single = SINGLE.exec(text)?.[1];
  if (single !== undefined) {
    return {
      first: single,
      last: single,
      used: undefined,
      group: undefined,
      length: single.length,
    };
  }
  const whole = WHOLE.exec(text);
  if (whole === null) return undefined;
  const [{ length }, first = "0", last = "N", used, group] = whole;
  return { first, last, used, group, length };
}

function toRange(region: Region, lastCpu: number): Range {
  const number = (text: string) => text === "N" ? lastCpu : Number(text);
  const last = number(region.last);
  return {
    first: number(region.first),
    last,
    used: region.used === undefined ? last + 1 : number(region.used),
    group: region.group === undefined ? last + 1 : number(region.group),
  };
}

function isValid(range: Range, cpuCount: number): boolean {
  return range.first <= range.last && range.last < cpuCount &&
    range.group > 0 && range.used <= range.group && range.group <= 0xffff_ffff;
}

function skipSeparators(text: string): string {
  let at = 0;
  while (text[at] === "," || isSpace(text[at])) at++;
  return text.slice(at);
}
