import { KernelError } from "../../../../core/kernel/error.ts";
import type { Action } from "./hist/action.ts";
import type { HistData } from "./hist/data.ts";
import { HistCommandLog } from "./hist/errors.ts";
import type { HistTrigger } from "./hist/hist_trigger.ts";

/** What all instances of a kernel share. */
export interface SharedTriggerState {
  /** Triggers with a name, the newest first. */
  readonly named: HistTrigger[];
  /** The `hist` command that errors are logged for. */
  readonly command: HistCommandLog;
}

/** The state that the instances of one kernel share; one for each kernel. */
export function sharedTriggerState(): SharedTriggerState {
  return { named: [], command: new HistCommandLog() };
}

/** The histogram whose action takes snapshots (`struct cond_snapshot`). */
export interface SnapshotWatch {
  readonly hist: HistData;
  readonly action: Action;
  /** The event that the last snapshot was taken for. */
  taken?: { readonly value: bigint; readonly key: Uint8Array; readonly comm: string };
}

/** What the triggers of one instance share. */
export class TriggerState {
  readonly shared: SharedTriggerState;
  /** Histograms that define variables or refer to some, the newest first. */
  readonly histsWithVariables: HistData[] = [];
  snapshot: SnapshotWatch | undefined;

  constructor(shared: SharedTriggerState) {
    this.shared = shared;
  }

  /** Has an action of `hist` take snapshots. @throws {KernelError} EBUSY if another one does */
  watchForSnapshot(hist: HistData, action: Action): void {
    if (this.snapshot !== undefined) throw new KernelError("EBUSY", "write");
    this.snapshot = { hist, action };
  }
}
