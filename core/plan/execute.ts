import { type Backend, OperationError } from "../backend.ts";
import { KernelError } from "../kernel/error.ts";
import { describeStep, type Installed, type Operation, type Step } from "../operation.ts";
import type { Ledger } from "./ledger.ts";
import type { Plan } from "./plan.ts";

/** Operations written down and done in one go; between two goes signals are heard. */
const CHUNK = 64;

/** Something that could not be taken back. */
export interface Leftover {
  readonly step: Step;
  readonly error: KernelError | OperationError;
}

/** What an installation or a run failed with, and what could not be as it was before. */
export class RolledBackError extends Error {
  override readonly cause: unknown;
  readonly leftovers: readonly Leftover[];
  /** What was in effect before, had to go and could not be put back. */
  readonly notRestored: readonly Leftover[];

  constructor(
    cause: unknown,
    leftovers: readonly Leftover[],
    notRestored: readonly Leftover[] = [],
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "RolledBackError";
    this.cause = cause;
    this.leftovers = leftovers;
    this.notRestored = notRestored;
  }
}

/** Whether an execution that failed with `error` left nothing behind. */
export function wasUndone(error: unknown): boolean {
  return error instanceof RolledBackError && error.leftovers.length === 0;
}

/** How far an execution is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Options of {@link executePlan}. */
export interface ExecuteOptions {
  readonly progress?: (progress: Progress) => void;
  /** Asked between two goes; an abort rolls back. */
  readonly signal?: AbortSignal;
  /** What was in effect before; a roll-back puts it back where a removal took it away. */
  readonly previous?: readonly Operation[];
  /** All that is in effect in the end, if it is meant to stay: the ledger is committed to it. */
  readonly result?: readonly Operation[];
}

/**
 * Carries a plan out: removals, then additions, each written to the ledger before it is done.
 * Other things get their turn in between: arming a thousand probes takes many seconds.
 *
 * @throws {RolledBackError} if an operation fails; the additions made so far are undone.
 */
export async function executePlan(
  backend: Backend,
  plan: Plan,
  ledger: Ledger,
  options: ExecuteOptions = {},
): Promise<void> {
  const total = plan.removals.length + plan.additions.length;
  const started: Operation[] = [];
  try {
    for (const item of plan.removals) await backend.undo(item.undo!);
    for (let at = 0; at < plan.additions.length; at += CHUNK) {
      options.signal?.throwIfAborted();
      const chunk = plan.additions.slice(at, at + CHUNK);
      ledger.record(chunk);
      started.push(...chunk);
      await backend.perform(chunk);
      options.progress?.({ done: plan.removals.length + at + chunk.length, total });
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (options.result !== undefined) ledger.commit(options.result);
  } catch (error) {
    const leftovers = await undoAll(backend, undoSteps(started));
    const notRestored = await restore(backend, options.previous ?? []);
    throw new RolledBackError(error, leftovers, notRestored);
  }
}

/** Puts operations back into effect, each as far as it goes; those that could not be are returned. */
async function restore(backend: Backend, previous: readonly Operation[]): Promise<Leftover[]> {
  const failed: Leftover[] = [];
  const states = await backend.check(previous);
  for (const operation of previous.filter((_, index) => states[index] !== "done")) {
    try {
      await backend.perform([operation]);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      failed.push({ step: operation.step, error });
    }
  }
  return failed;
}

/** The steps that take operations back, last one first. */
export function undoSteps(operations: readonly Operation[]): Step[] {
  return operations.toReversed().flatMap((operation) =>
    operation.undo === undefined ? [] : [operation.undo]
  );
}

/** The steps that remove installed items. */
export function removalSteps(items: readonly Installed[]): Step[] {
  return items.flatMap((item) => item.undo === undefined ? [] : [item.undo]);
}

/** Takes steps back, each as far as it goes; what could not be taken back is returned. */
export async function undoAll(backend: Backend, steps: readonly Step[]): Promise<Leftover[]> {
  const leftovers: Leftover[] = [];
  for (const step of steps) {
    try {
      await backend.undo(step);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      leftovers.push({ step, error });
    }
  }
  return leftovers;
}

/** A leftover in words. */
export function describeLeftover({ step, error }: Leftover): string {
  const why = error.code === "EBUSY" ? "in use by another tracer" : error.code;
  return `${describeStep(step)}: ${why}`;
}
