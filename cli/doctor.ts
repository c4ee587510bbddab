import type { Facility } from "../core/backend.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import { loadConfigFile } from "./config_file.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { prepareTrace } from "./prepare.ts";
import { formatTable } from "./table.ts";
import { printData, printJson } from "./terminal.ts";

/** `sonde doctor [FILE]`. */
export const command: CliCommand = {
  summary: "Tell what this kernel can do for tracing, and why not what it cannot",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command))
      .argument("[file]", "a config, to tell which of its probes this kernel has a place for")
      .action(run(examine));
  },
};

async function examine(context: Context, file: string | undefined): Promise<number> {
  const { terminal, options, openBackend } = context;
  const loaded = file === undefined ? undefined : loadConfigFile(terminal, file);
  const backend = openBackend(loaded?.config);
  try {
    const facilities = await backend.inspect();
    const { release, arch } = backend.kernel.machine;
    const trace = loaded && facilities.usable
      ? await prepareTrace(context, backend, loaded, { missing: "report" })
      : undefined;
    if (options.format === "json") {
      printJson({
        backend: backend.name,
        kernel: release,
        arch,
        usable: facilities.usable,
        facilities: facilities.list,
        ...(trace && { skipped: trace.skipped }),
      });
    } else {
      printData(`${backend.name} backend on Linux ${release} (${arch})\n`);
      printData(formatTable(facilities.list.map(facilityRow)));
      for (const { probe, reason } of trace?.skipped ?? []) {
        printData(`probe ${probe}: ${reason}`);
      }
    }
    if (!facilities.usable) return EXIT.unavailable;
    return trace === undefined || trace.skipped.length === 0 ? EXIT.ok : EXIT.degraded;
  } finally {
    await backend.close();
  }
}

function facilityRow({ name, available, detail, remedy }: Facility): string[] {
  return [available ? "yes" : "no", name, remedy === undefined ? detail : `${detail}. ${remedy}`];
}
