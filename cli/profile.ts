import { writeFileSync } from "node:fs";
import { linuxKernel } from "../core/kernel/linux.ts";
import { encodeProfile } from "../plugins/simulated/profile/profile_file.ts";
import { takeProfile } from "../plugins/simulated/profile/take.ts";
import { findTracefs } from "../plugins/tracefs/mount.ts";
import type { CliCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT } from "./exit_code.ts";

/** `sonde profile`. */
export const command: CliCommand = {
  summary: "Save what this kernel is made of, for the simulated kernel elsewhere",
  setUp: (command, run) => {
    command.requiredOption("-o, --output <file>", "where to write the profile").action(run(save));
  },
};

async function save({ terminal }: Context, { output }: { output: string }): Promise<number> {
  const kernel = linuxKernel();
  const mount = findTracefs(kernel);
  if ("missing" in mount) throw new CliError(EXIT.unavailable, mount.missing, mount.remedy);
  const profile = takeProfile(kernel, mount.root);
  const bytes = encodeProfile(profile);
  try {
    writeFileSync(output, bytes);
  } catch (error) {
    throw new CliError(EXIT.failure, `Cannot write "${output}": ${(error as Error).message}`);
  }
  terminal.info(`Linux ${profile.release}: ${(bytes.length / 1e6).toFixed(1)} MB in "${output}"`);
  return await Promise.resolve(EXIT.ok);
}
