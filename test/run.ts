/**
 * `npm test`: format, lint and type checks, then every test on Bun and on Deno, then the tests that
 * boot kernels where that is possible. Ends with one line, `N passed, N failed, N skipped`.
 *
 * `--no-vm` leaves the guests out, `--only bun|deno|vm|checks` runs one part.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const bun = join(root, "node_modules/.bin/bun");
const deno = join(root, "node_modules/.bin/deno");

const FOLDERS = ["./test/core", "./test/plugins", "./test/cli", "./test/build"]
  .filter((folder) => existsSync(join(root, folder)));
const CHECKED = ["mod.ts", "cli", "plugins", "core", "bench", "build", "test", "examples"];

/** What one part of the tests came to. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Part {
  readonly name: string;
  readonly kind: "checks" | "bun" | "deno" | "vm";
  readonly command: readonly string[];
  /** Reads the counts from the output; a part without is one test that passes by its exit code. */
  readonly count?: (output: string) => Counts | undefined;
}

const PARTS: readonly Part[] = [
  { name: "build", kind: "checks", command: [bun, "build/compile.ts"] },
  { name: "format", kind: "checks", command: [deno, "fmt", "--check"] },
  { name: "lint", kind: "checks", command: [deno, "lint"] },
  { name: "types", kind: "checks", command: [deno, "check", "--quiet", ...CHECKED] },
  {
    name: "tests on Bun",
    kind: "bun",
    command: [bun, "test", "--timeout", "60000", ...FOLDERS],
    count: bunCounts,
  },
  {
    name: "tests on Deno",
    kind: "deno",
    command: [deno, "test", "-A", "--no-check", "--quiet", ...FOLDERS],
    count: denoCounts,
  },
  {
    name: "tests in guests",
    kind: "vm",
    command: [bun, "test", "--timeout", "600000", "./test/vm"],
    count: bunCounts,
  },
];

/** ` 12 pass`, ` 1 skip`, ` 0 fail` on lines of their own. */
function bunCounts(output: string): Counts | undefined {
  const value = (word: string) => {
    const match = [...output.matchAll(new RegExp(`^ *(\\d+) ${word}$`, "gm"))].at(-1);
    return match === undefined ? undefined : Number(match[1]);
  };
  const passed = value("pass");
  if (passed === undefined) return undefined;
  return { passed, failed: value("fail") ?? 0, skipped: value("skip") ?? 0 };
}

/** `ok | 3 passed (12 steps) | 0 failed (1 step) | 1 ignored`; steps are what describe holds. */
function denoCounts(output: string): Counts | undefined {
  const summary = /^(?:ok|FAILED) \| (.*)$/m.exec(stripColors(output))?.[1];
  if (summary === undefined) return undefined;
  const value = (word: string) => {
    const match = new RegExp(`(\\d+) ${word}(?: \\((\\d+) steps?\\))?`).exec(summary);
    return match === null ? 0 : Number(match[2] ?? match[1]);
  };
  return { passed: value("passed"), failed: value("failed"), skipped: value("ignored") };
}

function stripColors(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

function run(part: Part): Promise<{ readonly status: number; readonly output: string }> {
  return new Promise((resolve) => {
    const [program, ...args] = part.command;
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (data: Uint8Array) => {
      output += new TextDecoder().decode(data);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("close", (status) => resolve({ status: status ?? 1, output }));
  });
}

async function measure(part: Part): Promise<Counts> {
  const start = performance.now();
  const { status, output } = await run(part);
  const counts = part.count?.(output) ?? { passed: Number(status === 0), failed: 0, skipped: 0 };
  // A runner that failed without saying which test did has failed as a whole.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { passed, failed, skipped } = counts;
  process.stdout.write(
    `${part.name}: ${passed} passed, ${failed} failed, ${skipped} skipped (${seconds} s)\n`,
  );
  if (failed > 0) process.stdout.write(`${output}\n`);
  else for (const line of skippedLines(output)) process.stdout.write(`  ${line}\n`);
  return counts;
}

/** Names of skipped tests; they hold the reason. */
function skippedLines(output: string): string[] {
  const lines = output.split("\n").filter((line) => line.startsWith("(skip)"));
  return [...new Set(lines)];
}

const { values } = parseArgs({
  options: { "no-vm": { type: "boolean" }, only: { type: "string" } },
});
const chosen = PARTS.filter(({ kind }) =>
  values.only === undefined ? !(values["no-vm"] && kind === "vm") : kind === values.only
);
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const part of chosen) {
  const { passed, failed, skipped } = await measure(part);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}
process.stdout.write(
  `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
);
process.exitCode = total.failed === 0 ? 0 : 1;
