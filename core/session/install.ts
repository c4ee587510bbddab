import type { Backend, TraceRequest } from "../backend.ts";
import type { Operation } from "../operation.ts";
import {
  type ExecuteOptions,
  executePlan,
  type Leftover,
  undoAll,
  undoSteps,
  wasUndone,
} from "../plan/execute.ts";
import { deleteLedger, Ledger, readLedger } from "../plan/ledger.ts";
import { type Lock, takeLock } from "../plan/lock.ts";
import { isEmptyPlan, makePlan } from "../plan/plan.ts";
import { type Collected, collectGarbage } from "./gc.ts";

/** A trace is applied with other probes than are asked for. */
export class AppliedError extends Error {
  readonly hint: string;

  constructor(name: string) {
    super(`Trace "${name}" is applied with another config`);
    this.name = "AppliedError";
    this.hint = `Bring it up to date with sonde apply, or take it out with sonde remove ${name}`;
  }
}

/** A trace that is installed for as long as this process uses it. */
export interface Installation {
  /** What dead sondes had left and was removed first. */
  readonly collected: readonly Collected[];
  /** Whether `apply` had installed it: it stays then. */
  readonly applied: boolean;
  /** Stops the events, so that what is in the buffers can be read to the end; whether none come. */
  disable(): Promise<boolean>;
  /** Takes everything out again; what could not be. */
  uninstall(): Promise<Leftover[]>;
}

/**
 * Installs a trace for a run, after removing what dead sondes left. A trace that `apply` has
 * installed as it is asked for is used as it is, and left.
 *
 * @throws {BusyError} @throws {AppliedError} @throws {RolledBackError}
 */
export async function installTrace(
  backend: Backend,
  request: TraceRequest,
  options: ExecuteOptions = {},
): Promise<Installation> {
  const { kernel } = backend;
  const collected = await collectGarbage(backend);
  const lock = takeLock(kernel, request.name);
  try {
    const plan = await makePlan(backend, request);
    if (readLedger(kernel, request.name)?.committed) {
      if (!isEmptyPlan(plan)) throw new AppliedError(request.name);
      return appliedInstallation(lock, collected);
    }
    const ledger = new Ledger(kernel, request.name, backend.name);
    try {
      await executePlan(backend, plan, ledger, options);
    } catch (error) {
      if (wasUndone(error)) deleteLedger(kernel, request.name);
      throw error;
    } finally {
      ledger.close();
    }
    return ownInstallation(backend, request.name, plan.additions, lock, collected);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function appliedInstallation(lock: Lock, collected: readonly Collected[]): Installation {
  return {
    collected,
    applied: true,
    disable: () => Promise.resolve(false),
    uninstall: () => {
      lock.release();
      return Promise.resolve([]);
    },
  };
}

function ownInstallation(
  backend: Backend,
  name: string,
  operations: readonly Operation[],
  lock: Lock,
  collected: readonly Collected[],
): Installation {
  const enabling = operations.filter(({ kind }) => kind === "enable");
  const rest = operations.filter(({ kind }) => kind !== "enable");
  const stuck: Leftover[] = [];
  let disabled = false;
  const disable = async () => {
    if (!disabled) stuck.push(...await undoAll(backend, undoSteps(enabling)));
    disabled = true;
    return stuck.length === 0;
  };
  return {
    collected,
    applied: false,
    disable,
    uninstall: async () => {
      try {
        await disable();
        stuck.push(...await undoAll(backend, undoSteps(rest)));
        if (stuck.length === 0) deleteLedger(backend.kernel, name);
      } finally {
        lock.release();
      }
      return stuck;
    },
  };
}
