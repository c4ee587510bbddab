import type { Backend } from "../core/backend.ts";
import { CliError, EXIT } from "./exit_code.ts";

/**
 * Says early, and in words, that a backend cannot work here.
 *
 * @throws {CliError} with the first thing that is missing.
 */
export async function requireUsable(backend: Backend): Promise<void> {
  const { usable, list } = await backend.inspect();
  if (usable) return;
  const missing = list.find(({ available }) => !available);
  const exitCode = missing?.name === "access" ? EXIT.noPermission : EXIT.unavailable;
  throw new CliError(
    exitCode,
    `The ${backend.name} backend cannot work here: ${missing?.detail ?? "unknown reason"}`,
    missing?.remedy,
  );
}
