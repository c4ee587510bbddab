import type { Backend } from "../backend.ts";
import { type Leftover, removalSteps, undoAll } from "../plan/execute.ts";
import { deleteLedger, Ledger, readLedger } from "../plan/ledger.ts";
import { takeLock } from "../plan/lock.ts";
import { inRemovalOrder } from "../plan/plan.ts";
import type { Installed } from "../operation.ts";

/** What `remove` did. */
export interface Removal {
  readonly removed: readonly Installed[];
  readonly leftovers: readonly Leftover[];
  /** Whether there was anything of that name. */
  readonly found: boolean;
}

/**
 * Removes everything that is installed under trace `name`.
 *
 * @throws {BusyError} if a running sonde uses it.
 */
export async function removeTrace(backend: Backend, name: string): Promise<Removal> {
  const { kernel } = backend;
  const lock = takeLock(kernel, name);
  try {
    const ledger = readLedger(kernel, name);
    const items = inRemovalOrder(
      (await backend.inventory()).filter((item) => item.owner === name),
    );
    // What an `apply` committed is no longer meant to stay: gc ends what is begun here.
    if (ledger?.committed) new Ledger(kernel, name, backend.name).close();
    const leftovers = await undoAll(backend, removalSteps(items));
    if (leftovers.length === 0) deleteLedger(kernel, name);
    return { removed: items, leftovers, found: items.length > 0 || ledger !== undefined };
  } finally {
    lock.release();
  }
}
