/**
 * Asks the kernel that this runs on, as root in a guest, and prints what it answers: a fixture.
 *
 *     taskset 1 bun real.js > fixtures/<kernel>.json
 * @module
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { linuxKernel } from "../../../../../core/kernel/linux.ts";
import { Bench } from "./bench.ts";
import * as cases from "./open_cases.ts";
import { OPENED, playScenarios } from "./scenarios.ts";

const NOBODY = 65534;

const kernel = linuxKernel();
const bench = new Bench(kernel);

function answersOfRoot() {
  writeFileSync(cases.FILE, new Uint8Array(8192));
  const fire = (times: number) => {
    for (let i = 0; i < times; i++) kernel.close(kernel.open(OPENED, { access: "read" }));
  };
  fire(10);
  return {
    kprobe: cases.tryCases(bench, cases.KPROBE_CASES),
    uprobe: cases.tryCases(bench, cases.UPROBE_CASES),
    event: cases.tryCases(bench, cases.EVENT_CASES),
    attr: cases.tryCases(bench, cases.ATTR_CASES),
    where: cases.tryCases(bench, cases.WHERE_CASES),
    scenarios: playScenarios({ bench, fire }),
    unprivileged: Object.fromEntries(cases.LEVELS.map((level) => {
      writeFileSync("/proc/sys/kernel/perf_event_paranoid", String(level));
      const { stdout, stderr } = spawnSync(process.execPath, [process.argv[1]!, "unprivileged"], {
        encoding: "utf8",
      });
      process.stderr.write(stderr);
      return [level, JSON.parse(stdout)];
    })),
  };
}

function answersOfNobody() {
  for (const [, attr] of cases.UNPRIVILEGED_CASES) bench.fill(attr);
  process.setuid!(NOBODY);
  return cases.tryUnprivileged(bench);
}

const answers = process.argv[2] === "unprivileged" ? answersOfNobody() : answersOfRoot();
process.stdout.write(`${JSON.stringify(answers, null, 1)}\n`);
