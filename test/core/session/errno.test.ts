/**
 * Each system call of sonde fails in turn: either it does without, or all is as it was before, or
 * it says what it left.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Backend, OperationError, type TraceRequest } from "../../../core/backend.ts";
import type { ErrnoCode } from "../../../core/kernel/errno.ts";
import { KernelError } from "../../../core/kernel/error.ts";
import { RolledBackError } from "../../../core/plan/execute.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { collectGarbage } from "../../../core/session/gc.ts";
import { installTrace } from "../../../core/session/install.ts";
import { removeTrace } from "../../../core/session/remove.ts";
import { runTrace } from "../../../core/session/run.ts";
import { traceStatus } from "../../../core/session/status.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { atEveryCall, type Attempt, type Outcome } from "../../support/faults.ts";
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

const ERRORS: readonly ErrnoCode[] = ["EINVAL", "ENOSPC", "EBUSY", "ENOMEM", "EINTR"];
/** For what takes long: one that tells of others, one that tells of nothing. */
const TWO_ERRORS: readonly ErrnoCode[] = ["EBUSY", "EINTR"];

interface Disturbed extends Attempt {
  readonly backend: Backend;
  /** The host without sonde, and just before the attempt. */
  readonly bare: HostState;
  readonly before: HostState;
  /** What the attempt gave. */
  result?: unknown;
}

async function prepare(
  act: (backend: Backend, request: TraceRequest, kernel: SimulatedKernel) => Promise<unknown>,
  prelude?: (backend: Backend, request: TraceRequest) => Promise<unknown>,
): Promise<Disturbed> {
  const kernel = makeKernel();
  startOtherTool(kernel);
  const bare = hostState(kernel);
  if (prelude !== undefined) {
    const first = startSonde(kernel);
    await prelude(first, await makeRequest(first, FOUR_PROBES));
    killSonde(first);
  }
  const before = hostState(kernel);
  const backend = startSonde(kernel);
  const request = await makeRequest(backend, FOUR_PROBES);
  const attempt: Disturbed = {
    kernel,
    backend,
    bare,
    before,
    run: async () => {
      attempt.result = await act(backend, request, kernel);
    },
  };
  return attempt;
}

/** What an attempt said it could not take back or put back. */
function reported(attempt: Disturbed, error: unknown): number {
  if (error instanceof RolledBackError) return error.leftovers.length + error.notRestored.length;
  const { leftovers } = (attempt.result ?? {}) as { leftovers?: readonly unknown[] };
  return leftovers?.length ?? 0;
}

/** The end of every check: what was left, gc takes away. */
async function assertGcCleans({ kernel, backend, bare }: Disturbed): Promise<void> {
  killSonde(backend);
  const next = startSonde(kernel);
  await collectGarbage(next);
  const { files } = hostState(kernel);
  if (files.join() === "edge.ledger") await removeTrace(next, "edge");
  assert.deepEqual(hostState(kernel), bare);
}

/** Whether an error says that one of sonde's own files could not be deleted. */
function namesLeftFile(error: unknown): boolean {
  const cause = error instanceof RolledBackError ? error.cause : error;
  return cause instanceof KernelError && cause.call === "unlink" &&
    cause.path!.startsWith("/run/sonde/");
}

/** Asserts that the host is as it was, but for a file that `error` names. */
function assertSame(after: HostState, before: HostState, error: unknown): void {
  const but = (state: HostState) => namesLeftFile(error) ? { ...state, files: [] } : state;
  assert.deepEqual(but(after), but(before));
}

/** Whether all of {@link FOUR_PROBES} is there. */
function isInstalled({ enabled }: HostState): boolean {
  return enabled["sonde-edge"]?.length === 4;
}

const installAndRemove = async (backend: Backend, request: TraceRequest) => {
  const installation = await installTrace(backend, request);
  return { leftovers: await installation.uninstall() };
};

const run = (backend: Backend, request: TraceRequest, kernel: SimulatedKernel) => {
  startLoad(kernel);
  return runTrace(backend, request, [], { duration: 4_000_000n });
};

const apply = (backend: Backend, request: TraceRequest) => applyTrace(backend, request);

const update = async (backend: Backend) =>
  await applyTrace(backend, await makeRequest(backend, FOUR_PROBES_CHANGED));

async function checkNothingLeft(attempt: Disturbed, { error }: Outcome): Promise<void> {
  if (reported(attempt, error) === 0) assertSame(hostState(attempt.kernel), attempt.bare, error);
  await assertGcCleans(attempt);
}

describe("a failing system call", () => {
  it("while running: nothing is left, or it is told", async () => {
    const calls = await atEveryCall("ENOMEM", () => prepare(run), checkNothingLeft);
    assert.ok(calls > 100, `${calls} calls`);
  });

  it("from there on: gc ends it once the trouble is over", async () => {
    for (const scenario of [() => prepare(installAndRemove), () => prepare(update, applyTrace)]) {
      await atEveryCall("EROFS", scenario, async (attempt, { error }) => {
        assert.ok(
          error === undefined || error instanceof KernelError ||
            error instanceof RolledBackError || error instanceof OperationError,
          String(error),
        );
        await assertGcCleans(attempt);
      }, Infinity);
    }
  });

  for (const code of ERRORS) {
    it(`${code} while installing and tearing down: nothing is left, or it is told`, async () => {
      const calls = await atEveryCall(code, () => prepare(installAndRemove), checkNothingLeft);
      assert.ok(calls > 80, `${calls} calls`);
    });

    it(`${code} while applying: all of it, or nothing`, async () => {
      await atEveryCall(code, () => prepare(apply), async (attempt, { error }) => {
        const { kernel, bare, backend } = attempt;
        const after = hostState(kernel);
        if (error === undefined) {
          assert.equal((await traceStatus(backend, "edge")).healthy, true);
          assert.equal(after.enabled["sonde-edge"]?.length, 4);
        } else if (reported(attempt, error) === 0) {
          assertSame(after, namesLeftFile(error) && isInstalled(after) ? after : bare, error);
        }
        await assertGcCleans(attempt);
      });
    });
  }

  for (const code of TWO_ERRORS) {
    it(`${code} while applying a changed config: the new one, or the old one`, async () => {
      await atEveryCall(code, () => prepare(update, applyTrace), async (attempt, { error }) => {
        const { kernel, before, backend } = attempt;
        const after = hostState(kernel);
        const status = await traceStatus(backend, "edge");
        if (error === undefined) {
          assert.ok(after.kprobes.some((line) => line.includes("sonde_edge/read_done")));
          assert.ok(!after.kprobes.some((line) => line.includes("sonde_edge/open_failed")));
          assert.equal(status.state, "applied");
        } else if (reported(attempt, error) === 0 && !namesLeftFile(error)) {
          assertSame(sorted(after), sorted(before), error);
          assert.equal(status.state, "applied");
        }
        if (reported(attempt, error) === 0) {
          assert.ok(status.probes.every(({ active }) => active));
          assert.equal(status.probes.length, 4);
        }
        await assertGcCleans(attempt);
      });
    });

    it(`${code} while removing: what is left is told, and gc ends it`, async () => {
      const scenario = () => prepare((backend) => removeTrace(backend, "edge"), applyTrace);
      await atEveryCall(code, scenario, async (attempt, { error }) => {
        const { kernel, bare } = attempt;
        if (error === undefined && reported(attempt, error) === 0) {
          assertSame(hostState(kernel), bare, error);
        }
        await assertGcCleans(attempt);
      });
    });

    it(`${code} while collecting garbage: what is applied stays`, async () => {
      const scenario = () => prepare((backend) => collectGarbage(backend), applyTrace);
      await atEveryCall(code, scenario, async ({ kernel, before, backend }) => {
        const gone = (state: HostState) => ({ ...state, files: [] });
        assert.deepEqual(gone(hostState(kernel)), gone(before));
        assert.equal((await traceStatus(backend, "edge")).state, "applied");
      });
    });
  }
});

/** Events are listed in the order of their making, which a roll-back changes. */
function sorted(state: HostState): HostState {
  return {
    ...state,
    kprobes: state.kprobes.toSorted(),
    uprobes: state.uprobes.toSorted(),
    enabled: Object.fromEntries(
      Object.entries(state.enabled).map(([name, events]) => [name, events.toSorted()]),
    ),
  };
}
