import type { Backend } from "../backend.ts";
import { deleteLedger, listLedgers, readLedger } from "../plan/ledger.ts";
import { lockHolder, takeLock } from "../plan/lock.ts";
import { type Leftover, removalSteps, undoAll, undoSteps } from "../plan/execute.ts";
import { inRemovalOrder } from "../plan/plan.ts";
import { isTraceName } from "../names.ts";
import type { Installed, Step } from "../operation.ts";

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
  return collected.filter(({ steps }) => steps.length > 0);
}

async function collectDeadTraces(backend: Backend): Promise<Collected[]> {
  const { kernel } = backend;
  const collected: Collected[] = [];
  for (const name of listLedgers(kernel).filter(isTraceName)) {
    const ledger = readLedger(kernel, name);
    if (ledger === undefined || lockHolder(kernel, name) !== undefined) continue;
    if (!ledger.thisBoot) {
      deleteLedger(kernel, name);
    } else if (!ledger.committed) {
      const steps = undoSteps(ledger.operations);
      const reason = "its sonde ended without removing it";
      collected.push(await collect(backend, name, reason, steps));
    }
  }
  return collected;
}

async function collectOrphans(backend: Backend): Promise<Collected[]> {
  const { kernel } = backend;
  const known = new Set(listLedgers(kernel));
  const orphans = new Map<string, Installed[]>();
  for (const item of await backend.inventory()) {
    if (item.owner === undefined || known.has(item.owner)) continue;
    orphans.set(item.owner, [...orphans.get(item.owner) ?? [], item]);
  }
  const collected: Collected[] = [];
  for (const [name, items] of orphans) {
    if (lockHolder(kernel, name) !== undefined) continue;
    const steps = removalSteps(inRemovalOrder(items));
    collected.push(await collect(backend, name, "no ledger knows it", steps));
  }
  return collected;
}

async function collect(
  backend: Backend,
  name: string,
  reason: string,
  steps: readonly Step[],
): Promise<Collected> {
  const lock = takeLock(backend.kernel, name);
  try {
    const leftovers = await undoAll(backend, steps);
    if (leftovers.length === 0) deleteLedger(backend.kernel, name);
    return { name, reason, steps, leftovers };
  } finally {
    lock.release();
  }
}
