import type { Backend, TraceRequest } from "../backend.ts";
import type { Installed, Operation } from "../operation.ts";

/** What carrying a trace out would change on a kernel. */
export interface Plan {
  readonly name: string;
  /** What is installed under this trace's name and not declared any more, in order of removal. */
  readonly removals: readonly Installed[];
  /** What is declared and not installed, in order of doing. */
  readonly additions: readonly Operation[];
  /** What is in effect already. */
  readonly unchanged: readonly Operation[];
}

/** What is removed first: an enabled event can neither be deleted nor its instance removed. */
const REMOVAL_ORDER = ["enable", "filter", "perf_event", "definition", "setting", "instance"];

/** Desired minus installed, and installed minus desired, for one trace. Changes nothing. */
export async function makePlan(backend: Backend, request: TraceRequest): Promise<Plan> {
  const desired = backend.operations(request);
  const states = await backend.check(desired);
  const installed = (await backend.inventory()).filter((item) => item.owner === request.name);

  const wanted = new Set(desired.map((operation) => operation.target));
  const replaced = desired.filter((_, index) => states[index] === "different")
    .map((operation) => operation.target);
  // With an event go its filter and its being enabled: all three are done anew.
  const redone = (target: string) =>
    replaced.some((event) => target === event || target.includes(`/events/${event}/`));

  const isAddition = (operation: Operation, index: number) =>
    states[index] !== "done" || redone(operation.target);
  return {
    name: request.name,
    removals: inRemovalOrder(
      installed.filter((item) => !wanted.has(item.target) || redone(item.target)),
    ),
    additions: desired.filter(isAddition),
    unchanged: desired.filter((operation, index) => !isAddition(operation, index)),
  };
}

/** Whether carrying the plan out would change nothing. */
export function isEmptyPlan(plan: Plan): boolean {
  return plan.removals.length === 0 && plan.additions.length === 0;
}

/** Items in the order in which they can be removed. */
export function inRemovalOrder(items: readonly Installed[]): Installed[] {
  const rank = (item: Installed) => REMOVAL_ORDER.indexOf(item.kind);
  return items.filter((item) => item.undo !== undefined).sort((a, b) => rank(a) - rank(b));
}
