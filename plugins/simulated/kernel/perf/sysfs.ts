import { type DirectoryNode, fixedDirectory, type Node, textFile } from "../vfs.ts";
import { PERF_TYPE } from "./abi.ts";
import { PROBE_PMU_TYPES } from "./pmu.ts";

/** `/sys/bus/event_source/devices`: the PMUs, their types, and what the bits of `config` mean. */
export function pmuDirectory(version: "6.1" | "6.12"): DirectoryNode {
  const { kprobe, uprobe } = PROBE_PMU_TYPES[version];
  const retprobe = readable("config:0");
  return fixedDirectory({
    breakpoint: pmu(PERF_TYPE.breakpoint),
    kprobe: pmu(kprobe, { retprobe }),
    software: pmu(PERF_TYPE.software),
    tracepoint: pmu(PERF_TYPE.tracepoint),
    uprobe: pmu(uprobe, { ref_ctr_offset: readable("config:32-63"), retprobe }),
  }, 0o755);
}

function pmu(type: number, format?: Readonly<Record<string, Node>>): DirectoryNode {
  return fixedDirectory({
    ...(format && { format: fixedDirectory(format, 0o755) }),
    type: readable(String(type)),
  }, 0o755);
}

function readable(text: string): Node {
  return textFile({ mode: 0o444, read: () => `${text}\n` });
}
