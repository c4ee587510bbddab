import process from "node:process";
import { addFormatOption, type CliCommand } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { printData, printJson } from "./terminal.ts";
import { VERSION } from "./version_number.ts";

/** `sonde version`. */
export const command: CliCommand = {
  summary: "Print the version of sonde and of its runtime",
  setUp: (command, run) => {
    addFormatOption(command).action(run(async ({ options }) => {
      const { bun, deno } = process.versions;
      const runtime = bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : "";
      const target = `${process.platform}-${process.arch}`;
      if (options.format === "json") printJson({ version: VERSION, runtime, target });
      else printData(`sonde ${VERSION} (${runtime}, ${target})`);
      return await Promise.resolve(EXIT.ok);
    }));
  },
};
