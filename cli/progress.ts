import type { Progress } from "../core/plan/execute.ts";
import type { Terminal } from "./terminal.ts";

/** Work shorter than this shows no progress. */
const PATIENCE = 1000;

/** Shows how far an execution is, once it takes more than a second. */
export function showProgress(terminal: Terminal, what: string): (progress: Progress) => void {
  const start = performance.now();
  return ({ done, total }) => {
    if (performance.now() - start > PATIENCE) terminal.progress(`${what}: ${done} of ${total}`);
  };
}
