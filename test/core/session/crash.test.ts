/**
 * sonde is killed at each of its system calls in turn; the next one leaves the host as it was before
 * the first.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend, TraceRequest } from "../../../core/backend.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { collectGarbage } from "../../../core/session/gc.ts";
import { installTrace } from "../../../core/session/install.ts";
import { removeTrace } from "../../../core/session/remove.ts";
import { runTrace } from "../../../core/session/run.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { atEveryCall, type Attempt } from "../../support/faults.ts";
import {
  FOUR_PROBES,
  FOUR_PROBES_CHANGED,
  type HostState,
  hostState,
  killSonde,
  makeKernel,
  makeRequest,
  startLoad,
  startOtherTool,
  startSonde,
} from "../../support/host.ts";

interface Crash extends Attempt {
  /** The host before sonde did anything. */
  readonly before: HostState;
}

/** A host with another tool on it, and what sonde is going to do there. */
async function prepare(
  act: (backend: Backend, request: TraceRequest, kernel: SimulatedKernel) => Promise<unknown>,
  prelude?: (backend: Backend, request: TraceRequest) => Promise<unknown>,
): Promise<Crash> {
  const kernel = makeKernel();
  startOtherTool(kernel);
  const before = hostState(kernel);
  if (prelude !== undefined) {
    const first = startSonde(kernel);
    await prelude(first, await makeRequest(first, FOUR_PROBES));
    killSonde(first);
  }
  const backend = startSonde(kernel);
  const request = await makeRequest(backend, FOUR_PROBES);
  return { kernel, before, run: () => act(backend, request, kernel) };
}

async function runToEnd(
  backend: Backend,
  request: TraceRequest,
  kernel: SimulatedKernel,
): Promise<void> {
  startLoad(kernel);
  await runTrace(backend, request, [], { duration: 6_000_000n });
}

async function installAndRemove(backend: Backend, request: TraceRequest): Promise<void> {
  const installation = await installTrace(backend, request);
  await installation.uninstall();
}

const update = async (backend: Backend) =>
  await applyTrace(backend, await makeRequest(backend, FOUR_PROBES_CHANGED));

const SCENARIOS: Readonly<Record<string, () => Promise<Crash>>> = {
  "installing and tearing down": () => prepare(installAndRemove),
  "running": () => prepare(runToEnd),
  "running what is applied": () => prepare(runToEnd, applyTrace),
  "applying": () => prepare((backend, request) => applyTrace(backend, request)),
  "applying what is applied": () =>
    prepare((backend, request) => applyTrace(backend, request), applyTrace),
  "applying a changed config": () => prepare(update, applyTrace),
  "removing": () => prepare((backend) => removeTrace(backend, "edge"), applyTrace),
  "collecting garbage": () =>
    prepare((backend) => collectGarbage(backend), async (backend, request) => {
      await installTrace(backend, request);
    }),
};

/** What is installed of ours: all of a config, or nothing. */
function isWhole({ kprobes, enabled }: HostState): boolean {
  const ours = kprobes.filter((line) => line.includes(":sonde_")).length;
  return ours === 2 && enabled["sonde-edge"]?.length === 4;
}

describe("a killed sonde", () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    it(`is cleaned up after by gc: ${name}`, async () => {
      const calls = await atEveryCall("crash", scenario, async ({ kernel, before }) => {
        const next = startSonde(kernel);
        await collectGarbage(next);
        const after = hostState(kernel);
        if (isWhole(after) && after.files.join() === "edge.ledger") {
          // It was applied before, or is now: that stays until it is removed.
          await removeTrace(next, "edge");
        }
        assert.deepEqual(hostState(kernel), before);
      });
      assert.ok(calls > 20, `${calls} calls`);
    });

    // On what is applied the next run does what it does anywhere else.
    if (name.endsWith("what is applied")) continue;

    it(`is cleaned up after by the next run: ${name}`, async () => {
      await atEveryCall("crash", scenario, async ({ kernel, before }) => {
        const next = startSonde(kernel);
        const request = await makeRequest(next, FOUR_PROBES, "other");
        const installation = await installTrace(next, request);
        await installation.uninstall();
        const after = hostState(kernel);
        if (isWhole(after) && after.files.join() === "edge.ledger") await removeTrace(next, "edge");
        assert.deepEqual(hostState(kernel), before);
      });
    });
  }
});
