import { Option } from "commander";
import { type FileResults, runConfigTest, type TestResult } from "../core/config_test/run.ts";
import type { CliCommand } from "./command.ts";
import { loadConfigFile } from "./config_file.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { formatJunit } from "./junit.ts";
import { printData, printJson } from "./terminal.ts";

interface TestFlags {
  readonly format: "text" | "json" | "junit";
}

/** `sonde test FILE...`. */
export const command: CliCommand = {
  summary: "Run the tests of config files on the simulated kernel",
  setUp: (command, run) => {
    command.argument("<file...>", "config files").addOption(
      new Option("--format <format>", "how results are printed")
        .choices(["text", "json", "junit"]).default("text"),
    ).action(run(test));
  },
};

async function test(context: Context, files: readonly string[], flags: TestFlags): Promise<number> {
  const all: FileResults[] = [];
  for (const file of files) {
    const { config } = loadConfigFile(context.terminal, file);
    const results: TestResult[] = [];
    for (const name of Object.keys(config.tests)) {
      const result = await runConfigTest(
        config,
        name,
        (simulated) =>
          context.plugins.createBackend("simulated", { config: simulated, options: {} }),
      );
      results.push(result);
      if (flags.format === "text") printData(formatResult(file, result));
    }
    all.push({ file, results });
  }
  const results = all.flatMap((file) => file.results);
  const failed = results.filter(({ passed }) => !passed).length;
  if (flags.format === "junit") printData(formatJunit(all));
  else if (flags.format === "json") printJson({ files: all.map(toJsonResults), failed });
  context.terminal.info(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? EXIT.ok : EXIT.failure;
}

/** A line for a test, and for each difference one below it. */
function formatResult(file: string, { name, passed, mismatches, error }: TestResult): string {
  const lines = [`${passed ? "ok  " : "FAIL"} ${file}: ${name}`];
  if (error !== undefined) lines.push(`     ${error.message}`);
  for (const { path, expected, actual } of mismatches) {
    lines.push(`     ${path.join(".")}: expected ${expected}, got ${actual}`);
  }
  return lines.join("\n");
}

function toJsonResults({ file, results }: FileResults): unknown {
  return {
    file,
    tests: results.map(({ name, passed, mismatches, error, milliseconds }) => ({
      name,
      passed,
      mismatches,
      ...(error && { error: error.message }),
      milliseconds: Math.round(milliseconds),
    })),
  };
}
