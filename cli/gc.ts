import { describeStep } from "../core/operation.ts";
import { describeLeftover } from "../core/plan/execute.ts";
import { collectGarbage } from "../core/session/gc.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { printJson } from "./terminal.ts";
import { requireUsable } from "./usable.ts";

/** `sonde gc`. */
export const command: CliCommand = {
  summary: "Remove what a dead sonde left behind",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command)).action(run(collect));
  },
};

async function collect({ terminal, options, openBackend }: Context): Promise<number> {
  const backend = openBackend();
  try {
    await requireUsable(backend);
    const collected = await collectGarbage(backend);
    const leftovers = collected.flatMap((trace) => trace.leftovers);
    for (const { name, reason, steps, leftovers } of collected) {
      const what = leftovers.length === 0 ? "Removed trace" : "Removed what could be of trace";
      terminal.info(`${what} "${name}": ${reason}`);
      for (const step of steps) terminal.detail(`  ${describeStep(step)}`);
    }
    for (const leftover of leftovers) terminal.warn(`Left behind: ${describeLeftover(leftover)}`);
    if (collected.length === 0) terminal.info("Nothing to remove");
    if (options.format === "json") {
      printJson({
        removed: collected.map(({ name, reason, steps }) => ({ name, reason, steps })),
        leftovers: leftovers.map(({ step, error }) => ({ step, error: error.code })),
      });
    }
    return leftovers.length === 0 ? EXIT.ok : EXIT.busy;
  } finally {
    await backend.close();
  }
}
