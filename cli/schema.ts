import type { CliCommand } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { printJson } from "./terminal.ts";

/** `sonde schema`. */
export const command: CliCommand = {
  summary: "Print the JSON Schema of the config, for editors",
  setUp: (command, run) => {
    command.action(run(async () => {
      const { configJsonSchema } = await import("../core/config/json_schema.ts");
      printJson(configJsonSchema());
      return EXIT.ok;
    }));
  },
};
