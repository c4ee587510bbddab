/**
 * The compiled sonde.
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** What goes into the binary. */
const SOURCES = ["cli", "core", "plugins", "build/compile.ts", "package.json", "package-lock.json"];

/**
 * The path of `dist/sonde`, which is built first if it is missing or older than a source.
 *
 * @throws Error if it cannot be built.
 */
export function buildSonde(): string {
  const binary = join(repository, "dist/sonde");
  const built = existsSync(binary) ? statSync(binary).mtimeMs : 0;
  if (SOURCES.every((source) => newest(join(repository, source)) <= built)) return binary;
  const bun = join(repository, "node_modules/.bin/bun");
  const { status, stderr } = spawnSync(bun, ["build/compile.ts"], {
    cwd: repository,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`Cannot build sonde: ${stderr}`);
  return binary;
}

/** When a file, or the newest below a directory, was written last, in milliseconds. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
