/**
 * Asks the kernel that this runs on, as root in a guest, and prints what it answers: a fixture.
 *
 *     taskset 1 bun real.js > fixtures/<kernel>.json
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { linuxKernel } from "../../../../../core/kernel/linux.ts";
import { Bench } from "../perf/bench.ts";
import { FILE } from "../perf/open_cases.ts";
import { OPENED } from "../perf/scenarios.ts";
import { BpfBench } from "./bench.ts";
import { LINK_SCENARIOS } from "./link_scenarios.ts";
import { MAP_SCENARIOS, tryMaps, tryPrograms } from "./map_scenarios.ts";

const NOBODY = 65534;

writeFileSync(FILE, new Uint8Array(8192));
const kernel = linuxKernel();
const bench = new Bench(kernel);
const bpf = new BpfBench(kernel);
const possible = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
const cpus = Number(possible.split("-").at(-1)) + 1;
const fire = (times: number) => {
  for (let i = 0; i < times; i++) kernel.close(kernel.open(OPENED, { access: "read" }));
};

const stage = { bench, bpf, cpus, fire };
fire(10);
// Files that are read later would hit probes.
for (const type of ["kprobe", "uprobe", "sched/sched_switch"]) bench.fill({ type });

const answers = {
  maps: tryMaps(bpf),
  programs: tryPrograms(bpf),
  mapScenarios: Object.fromEntries(
    Object.entries(MAP_SCENARIOS).map(([name, scenario]) => [name, scenario(bpf, cpus)]),
  ),
  linkScenarios: Object.fromEntries(
    Object.entries(LINK_SCENARIOS).map(([name, scenario]) => [name, scenario(stage)]),
  ),
};
process.setuid!(NOBODY);
const unprivileged = { maps: tryMaps(bpf), programs: tryPrograms(bpf) };
process.stdout.write(`${JSON.stringify({ ...answers, unprivileged }, null, 1)}\n`);
