import { describeStep } from "../core/operation.ts";
import { isEmptyPlan, makePlan, type Plan } from "../core/plan/plan.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import { loadConfigFile } from "./config_file.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { prepareTrace } from "./prepare.ts";
import { printData, printJson } from "./terminal.ts";

/** `sonde plan FILE`. */
export const command: CliCommand = {
  summary: "Show what apply or run would change here",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command)).argument("<file>", "config file").action(run(show));
  },
};

async function show(context: Context, file: string): Promise<number> {
  const { terminal, options, openBackend } = context;
  const loaded = loadConfigFile(terminal, file);
  const backend = openBackend(loaded.config);
  try {
    const { request, skipped } = await prepareTrace(context, backend, loaded);
    const plan = await makePlan(backend, request);
    if (options.format === "json") {
      const { removals, additions, unchanged } = plan;
      printJson({
        name: plan.name,
        backend: backend.name,
        changes: !isEmptyPlan(plan),
        remove: removals,
        add: additions,
        unchanged: unchanged.length,
        skipped,
      });
    } else {
      printData(formatPlan(plan, backend.name));
    }
    return skipped.length === 0 ? EXIT.ok : EXIT.degraded;
  } finally {
    await backend.close();
  }
}

/** A plan as the lines that the kernel would get: `-` takes away, `+` adds. */
function formatPlan(plan: Plan, backend: string): string {
  if (isEmptyPlan(plan)) {
    return `Trace "${plan.name}" is installed as declared: nothing would change`;
  }
  const lines = [
    ...plan.removals.map((item) => `- ${describeStep(item.undo!)}`),
    ...plan.additions.map((operation) => `+ ${describeStep(operation.step)}`),
  ];
  const counts = `${plan.additions.length} to do, ${plan.removals.length} to take away`;
  return [`Trace "${plan.name}" on the ${backend} backend:`, ...lines, counts].join("\n");
}
