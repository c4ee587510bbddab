import type { Backend } from "../backend.ts";
import { deleteLedger, type LedgerContent, listLedgers, readLedger } from "../plan/ledger.ts";
import { BusyError, discardDeadLocks, type Lock, takeLock } from "../plan/lock.ts";
import { type Leftover, removalSteps, undoAll, undoSteps } from "../plan/execute.ts";
import { inRemovalOrder } from "../plan/plan.ts";
import { isTraceName } from "../names.ts";
import type { Kernel } from "../kernel/port.ts";
import { endsWithProcess, type Step } from "../operation.ts";

/** What became of one trace that a dead sonde left. */
export interface Collected {
  readonly name: string;
  /** Why it was taken for dead. */
  readonly reason: string;
  /** What was taken back, as far as it was there. */
  readonly steps: readonly Step[];
  /** What could not be taken back; it is tried again next time. */
  readonly leftovers: readonly Leftover[];
}

/**
 * Removes what dead sondes left: traces whose ledger says they were never finished, and events
 * and instances with our names that no ledger knows. What `apply` installed and what a running
 * sonde uses stays; what is not ours is never touched.
 */
export async function collectGarbage(backend: Backend): Promise<Collected[]> {
  const collected = [
    ...await collectDeadTraces(backend),
    ...await collectOrphans(backend),
  ];
  discardDeadLocks(backend.kernel);
  return collected.filter(({ steps }) => steps.length > 0);
}

async function collectDeadTraces(backend: Backend): Promise<Collected[]> {
  const { kernel } = backend;
  const collected: Collected[] = [];
  for (const name of listLedgers(kernel).filter(isTraceName)) {
    if (!isDead(readLedger(kernel, name))) continue;
    const found = await withLock(kernel, name, () => collectDeadTrace(backend, name));
    if (found !== undefined) collected.push(found);
  }
  return collected;
}

/** Whether what a ledger lists is not meant to be there, unless its sonde runs. */
function isDead(ledger: LedgerContent | undefined): ledger is LedgerContent {
  return ledger !== undefined && !(ledger.committed && ledger.thisBoot);
}

async function collectDeadTrace(backend: Backend, name: string): Promise<Collected | undefined> {
  // Its sonde may have ended well before the lock was taken.
  const ledger = readLedger(backend.kernel, name);
  if (!isDead(ledger)) return undefined;
  const steps = ledger.thisBoot
    ? undoSteps(ledger.operations).filter((step) => !endsWithProcess(step))
    : [];
  return await collect(backend, name, "its sonde ended without removing it", steps);
}

async function collectOrphans(backend: Backend): Promise<Collected[]> {
  const { kernel } = backend;
  const owners = new Set((await backend.inventory()).flatMap(({ owner }) => owner ?? []));
  for (const name of listLedgers(kernel)) owners.delete(name);
  const collected: Collected[] = [];
  for (const name of owners) {
    const found = await withLock(kernel, name, () => collectOrphan(backend, name));
    if (found !== undefined) collected.push(found);
  }
  return collected;
}

async function collectOrphan(backend: Backend, name: string): Promise<Collected | undefined> {
  // Another sonde may have installed it before the lock was taken.
  if (readLedger(backend.kernel, name) !== undefined) return undefined;
  const items = (await backend.inventory()).filter(({ owner }) => owner === name);
  return await collect(backend, name, "no ledger knows it", removalSteps(inRemovalOrder(items)));
}

/** Does something while nobody else works on a trace; nothing if a running sonde does. */
async function withLock<T>(
  kernel: Kernel,
  name: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  let lock: Lock;
  try {
    lock = takeLock(kernel, name);
  } catch (error) {
    if (error instanceof BusyError) return undefined;
    throw error;
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function collect(
  backend: Backend,
  name: string,
  reason: string,
  steps: readonly Step[],
): Promise<Collected> {
  const leftovers = await undoAll(backend, steps);
  if (leftovers.length === 0) deleteLedger(backend.kernel, name);
  return { name, reason, steps, leftovers };
}
