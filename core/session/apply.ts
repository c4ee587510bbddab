import type { Backend, TraceRequest } from "../backend.ts";
import { type ExecuteOptions, executePlan, wasUndone } from "../plan/execute.ts";
import { deleteLedger, Ledger, readLedger } from "../plan/ledger.ts";
import { takeLock } from "../plan/lock.ts";
import { isEmptyPlan, makePlan, type Plan } from "../plan/plan.ts";
import { endsWithProcess } from "../operation.ts";
import { collectGarbage } from "./gc.ts";

/** What a backend installs ends with its process, so that nothing can be left. */
export class NotLastingError extends Error {
  readonly hint: string;

  constructor(backend: string) {
    super(`The ${backend} backend cannot leave a trace: its events end with sonde`);
    this.name = "NotLastingError";
    this.hint = "Use sonde run, or apply with --backend tracefs";
  }
}

/**
 * Installs a trace and leaves it: what is missing is added, what is not declared any more is
 * removed, what is in effect stays untouched.
 *
 * @returns what was changed.
 * @throws {NotLastingError} if the backend cannot leave anything.
 * @throws {BusyError} if a running sonde uses the name.
 * @throws {RolledBackError} if an operation fails; what was in effect before is so again.
 */
export async function applyTrace(
  backend: Backend,
  request: TraceRequest,
  options: ExecuteOptions = {},
): Promise<Plan> {
  const { kernel } = backend;
  if (backend.operations(request).some(({ step }) => endsWithProcess(step))) {
    throw new NotLastingError(backend.name);
  }
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
