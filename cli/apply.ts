import { describeStep } from "../core/operation.ts";
import { isEmptyPlan } from "../core/plan/plan.ts";
import { applyTrace } from "../core/session/apply.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import { loadConfigFile } from "./config_file.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { explainRefusal, prepareTrace } from "./prepare.ts";
import { showProgress } from "./progress.ts";
import { printJson } from "./terminal.ts";

/** `sonde apply FILE`. */
export const command: CliCommand = {
  summary: "Install a trace and leave it",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command)).argument("<file>", "config file").action(
      run(apply),
    );
  },
};

async function apply(context: Context, file: string): Promise<number> {
  const { terminal, options, signal, openBackend } = context;
  const loaded = loadConfigFile(terminal, file);
  const backend = openBackend(loaded.config);
  try {
    const { request, skipped } = await prepareTrace(context, backend, loaded);
    const progress = showProgress(terminal, "Installing");
    const plan = await explainRefusal(
      loaded,
      () => applyTrace(backend, request, { signal, progress }),
    );
    for (const { undo } of plan.removals) if (undo) terminal.detail(describeStep(undo));
    for (const { step } of plan.additions) terminal.detail(describeStep(step));
    terminal.info(
      isEmptyPlan(plan)
        ? `Trace "${plan.name}" is installed as declared already`
        : `Trace "${plan.name}" is installed; sonde remove ${plan.name} takes it out`,
    );
    if (options.format === "json") {
      printJson({ name: plan.name, add: plan.additions, remove: plan.removals, skipped });
    }
    return skipped.length === 0 ? EXIT.ok : EXIT.degraded;
  } finally {
    await backend.close();
  }
}
