import { formatDiagnostic } from "../core/config/diagnostic.ts";
import { readConfigFile } from "../core/config/file.ts";
import { parseConfig } from "../core/config/config.ts";
import type { Diagnostic } from "../core/config/diagnostic.ts";
import process from "node:process";
import { addFormatOption, type CliCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { sinkDiagnostics } from "./sinks.ts";
import { EXIT } from "./exit_code.ts";
import { printJson } from "./terminal.ts";

/** `sonde validate FILE...`: everything that can be checked without a kernel. */
export const command: CliCommand = {
  summary: "Check config files without touching the kernel",
  setUp: (command, run) => {
    addFormatOption(command).argument("<file...>", "config files").action(run(validate));
  },
};

async function validate(context: Context, files: readonly string[]): Promise<number> {
  const { terminal, options } = context;
  let diagnostics: Diagnostic[] = [];
  for (const file of files) {
    const found = checkFile(context, file);
    diagnostics = diagnostics.concat(found.diagnostics);
    if (options.format === "json") continue;
    for (const diagnostic of found.diagnostics) {
      terminal.block(formatDiagnostic(diagnostic, found.source, { color: terminal.colors }));
    }
    if (found.probes !== undefined) {
      terminal.info(`${file}: ok, ${found.probes} ${found.probes === 1 ? "probe" : "probes"}`);
    }
  }
  if (options.format === "json") printJson({ diagnostics });
  const wrong = diagnostics.some(({ severity }) => severity === "error");
  return await Promise.resolve(wrong ? EXIT.config : EXIT.ok);
}

interface Checked {
  readonly source: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Number of probes; absent if the file has errors. */
  readonly probes?: number;
}

function checkFile(context: Context, file: string): Checked {
  const read = readConfigFile(file);
  if (read.diagnostic !== undefined) return { source: "", diagnostics: [read.diagnostic] };
  const parsed = parseConfig(read.text, { file, env: process.env });
  const { config } = parsed;
  if (config === undefined) return { source: read.text, diagnostics: parsed.diagnostics };
  const sinks = sinkDiagnostics(context.plugins, parsed, config);
  const diagnostics = [...parsed.diagnostics, ...sinks];
  if (sinks.length > 0) return { source: read.text, diagnostics };
  return { source: read.text, diagnostics, probes: Object.keys(config.probes).length };
}
