import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import * as cases from "./open_cases.ts";
import { SCENARIOS, type Stage } from "./scenarios.ts";
import { simulatedStage } from "./simulated.ts";

type Answers = Readonly<Record<string, string>>;

/** What a real kernel answered: see `real.ts`. */
interface Fixture {
  readonly kprobe: Answers;
  readonly uprobe: Answers;
  readonly event: Answers;
  readonly attr: Answers;
  readonly where: Answers;
  readonly scenarios: Readonly<Record<string, readonly string[]>>;
  readonly unprivileged: Readonly<Record<string, Answers>>;
}

const GROUPS = [
  ["kprobe", cases.KPROBE_CASES],
  ["uprobe", cases.UPROBE_CASES],
  ["event", cases.EVENT_CASES],
  ["attr", cases.ATTR_CASES],
  ["where", cases.WHERE_CASES],
] as const;

function fixtureOf(version: string): Fixture {
  const path = new URL(`./fixtures/${version}-debian.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

for (const version of ["6.1", "6.12"] as const) {
  const fixture = fixtureOf(version);
  describe(`perf_event_open as on ${version}`, () => {
    for (const [group, list] of GROUPS) {
      it(`answers ${list.length} ${group} cases alike`, () => {
        const { bench } = simulatedStage(version);
        assert.deepEqual(cases.tryCases(bench, list), fixture[group]);
      });
    }

    for (const level of cases.LEVELS) {
      it(`refuses alike who is not root, at level ${level}`, () => {
        const { kernel, bench } = simulatedStage(version, { uid: 65534 });
        kernel.perf.settings.paranoid = level;
        assert.deepEqual(cases.tryUnprivileged(bench), fixture.unprivileged[level]);
      });
    }
  });

  describe(`perf events as on ${version}`, () => {
    for (const [name, scenario] of Object.entries<(stage: Stage) => string[]>(SCENARIOS)) {
      it(`play ${name} alike`, () => {
        assert.deepEqual(scenario(simulatedStage(version)), fixture.scenarios[name]);
      });
    }
  });
}
