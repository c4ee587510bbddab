/**
 * `npm run build`: compiles sonde into one executable, `dist/sonde`.
 *
 * The flags keep a hostile working directory out of a program that runs as root: without them a
 * compiled binary loads `.env` and runs what `bunfig.toml` there names. The result must not be
 * stripped (that drops the program and leaves the bare runtime) and must never be setuid or given
 * file capabilities (`BUN_BE_BUN=1` makes it a general interpreter).
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bun = join(root, "node_modules/.bin/bun");
const outfile = join(root, "dist/sonde");

const FLAGS = [
  "build",
  "--compile",
  "--minify",
  "--bytecode",
  "--format=esm",
  "--sourcemap=none",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--compile-exec-argv=--no-addons --disallow-code-generation-from-strings",
  `--outfile=${outfile}`,
  "cli/main.ts",
];

if (!existsSync(bun)) {
  process.stderr.write("error: node_modules is missing\nhint: Run npm ci first\n");
  process.exit(1);
}
mkdirSync(join(root, "dist"), { recursive: true });
const { status } = spawnSync(bun, FLAGS, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
if (status !== 0) process.exit(status ?? 1);
const megabytes = (statSync(outfile).size / 1e6).toFixed(1);
process.stdout.write(`dist/sonde: ${megabytes} MB\n`);
