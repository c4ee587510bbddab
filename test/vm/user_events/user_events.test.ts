import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Replay } from "../../plugins/simulated/kernel/user_events/replay.ts";
import { findProgram } from "../kernels.ts";
import { vmTest } from "../suite.ts";
import { randomCommands, randomSteps, randomStructures } from "./random.ts";
import { askKernel } from "./run.ts";
import type { Version } from "./steps.ts";

const versions = [["6.1", 1], ["6.12", 2]] as const satisfies [string, Version][];

describe("simulated user_events", () => {
  for (const [release, version] of versions) {
    const name = `answer drawn operations as those of ${release} do`;
    if (findProgram("gcc") === undefined) {
      it(name, { skip: '"gcc" is not installed' }, () => {});
      continue;
    }
    vmTest(name, `${release}-user-events`, async (kernel) => {
      const seed = 20_000;
      const sections = [
        randomSteps(version, 200, seed),
        randomStructures(version, 200, seed),
        randomCommands(version, 200, seed),
      ];
      const differences = new Replay(release).differences(await askKernel(kernel, sections));
      assert.deepEqual(differences, []);
    });
  }
});
