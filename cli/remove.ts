import { isTraceName } from "../core/names.ts";
import { describeStep } from "../core/operation.ts";
import { describeLeftover } from "../core/plan/execute.ts";
import { removeTrace } from "../core/session/remove.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT } from "./exit_code.ts";
import { printJson } from "./terminal.ts";
import { requireUsable } from "./usable.ts";

/** `sonde remove NAME`. */
export const command: CliCommand = {
  summary: "Remove what apply installed",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command)).argument("<name>", "metadata.name of the trace")
      .action(run(remove));
  },
};

async function remove(context: Context, name: string): Promise<number> {
  const { terminal, options, openBackend } = context;
  requireTraceName(name);
  const backend = openBackend();
  try {
    await requireUsable(backend);
    const { found, removed, leftovers } = await removeTrace(backend, name);
    if (!found) throw new CliError(EXIT.failure, `There is no trace "${name}" here`);
    for (const { undo } of removed) if (undo) terminal.detail(describeStep(undo));
    for (const leftover of leftovers) terminal.warn(`Left behind: ${describeLeftover(leftover)}`);
    if (leftovers.length === 0) terminal.info(`Removed trace "${name}"`);
    if (options.format === "json") {
      printJson({
        name,
        removed: removed.map(({ kind, target }) => ({ kind, target })),
        leftovers: leftovers.map(({ step, error }) => ({ step, error: error.code })),
      });
    }
    return leftovers.length === 0 ? EXIT.ok : EXIT.busy;
  } finally {
    await backend.close();
  }
}

/** @throws {CliError} if `name` cannot be the name of a trace. */
export function requireTraceName(name: string): void {
  if (isTraceName(name)) return;
  throw new CliError(
    EXIT.usage,
    `"${name}" cannot be the name of a trace`,
    "Give the metadata.name of a config: lower-case letters, digits and -, at most 40",
  );
}
