import type { Backend, TraceRequest } from "../backend.ts";
import { type ExecuteOptions, executePlan, wasUndone } from "../plan/execute.ts";
import { deleteLedger, Ledger, readLedger } from "../plan/ledger.ts";
import { takeLock } from "../plan/lock.ts";
import { isEmptyPlan, makePlan, type Plan } from "../plan/plan.ts";
import { collectGarbage } from "./gc.ts";

/**
 * Installs a trace and leaves it: what is missing is added, what is not declared any more is
 * removed, what is in effect stays untouched.
 *
 * @returns what was changed.
 * @throws {BusyError} if a running sonde uses the name.
 * @throws {RolledBackError} if an operation fails; what was in effect before is so again.
 */
export async function applyTrace(
  backend: Backend,
  request: TraceRequest,
  options: ExecuteOptions = {},
): Promise<Plan> {
  const { kernel } = backend;
  await collectGarbage(backend);
  const lock = takeLock(kernel, request.name);
  try {
    const plan = await makePlan(backend, request);
    const before = readLedger(kernel, request.name);
    const previous = before?.thisBoot ? before.operations : [];
    if (isEmptyPlan(plan) && before?.committed) return plan;
    const ledger = new Ledger(kernel, request.name, backend.name);
    try {
      const result = backend.operations(request);
      await executePlan(backend, plan, ledger, { ...options, previous, result });
    } catch (error) {
      if (previous.length > 0) ledger.commit(previous);
      else if (wasUndone(error)) deleteLedger(kernel, request.name);
      throw error;
    } finally {
      ledger.close();
    }
    return plan;
  } finally {
    lock.release();
  }
}
