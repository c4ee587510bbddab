/** That filters and triggers answer as those of real kernels, on other cases than the recorded ones. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import type { KernelName } from "../kernels.ts";
import { vmTest } from "../suite.ts";

/** Kernels that each version is compared on; one that cannot be booted skips the test. */
const KERNELS: Readonly<Record<string, KernelName>> = {
  "6.12": "6.12-user-events",
  "6.1": "6.1-user-events",
};

function agrees(script: string, version: string, count: number): Promise<void> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const seed = String(1 + Math.floor(Math.random() * 1e6));
  const args = [path, "--check", "--kernel", version, "--count", String(count), "--seed", seed];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0, `seed ${seed}\n${stdout.slice(0, 4000)}${stderr}`);
  return Promise.resolve();
}

for (const [version, kernel] of Object.entries(KERNELS)) {
  describe(`${version}`, () => {
    vmTest("filters agree", kernel, () => agrees("filters.ts", version, 300), 900_000);
    vmTest("triggers agree", kernel, () => agrees("triggers.ts", version, 40), 900_000);
  });
}
