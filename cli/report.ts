import { OperationError } from "../core/backend.ts";
import { formatDiagnostic } from "../core/config/diagnostic.ts";
import { describeStep } from "../core/operation.ts";
import { describeLeftover, RolledBackError } from "../core/plan/execute.ts";
import { ConfigError } from "./config_error.ts";
import { EXIT, exitCodeOf, isEndingSignal } from "./exit_code.ts";
import type { Terminal } from "./terminal.ts";

/** Tells a person what failed; the exit code that goes with it. */
export function reportError(terminal: Terminal, error: unknown): number {
  if (error instanceof ConfigError) {
    for (const diagnostic of error.diagnostics) {
      terminal.block(formatDiagnostic(diagnostic, error.source, { color: terminal.colors }));
    }
    return error.exitCode;
  }
  if (error instanceof RolledBackError) return reportRollBack(terminal, error);
  if (error instanceof OperationError) {
    terminal.error(`${describeStep(error.operation.step)}: ${error.message}`, error.hint);
  } else if (error instanceof Error) {
    terminal.error(error.message, (error as { hint?: string }).hint);
    // A failure that nobody foresaw: what we need to mend it.
    if (isUnforeseen(error)) terminal.detail(error.stack ?? "");
  } else if (isEndingSignal(error)) {
    terminal.info(`Ended by ${error}`);
  } else {
    terminal.error(String(error));
  }
  return exitCodeOf(error);
}

function reportRollBack(terminal: Terminal, error: RolledBackError): number {
  const exitCode = reportError(terminal, error.cause);
  const { leftovers, notRestored } = error;
  if (leftovers.length + notRestored.length === 0) {
    terminal.info("Everything that was done before is undone");
  }
  for (const leftover of leftovers) {
    terminal.warn(`Left behind: ${describeLeftover(leftover)}`, "sonde gc tries again");
  }
  for (const step of notRestored) {
    terminal.warn(`Not put back: ${describeLeftover(step)}`, "sonde apply tries again");
  }
  return exitCode;
}

function isUnforeseen(error: Error): boolean {
  return exitCodeOf(error) === EXIT.failure && error.constructor !== Error;
}
