/**
 * sonde as a process of its own, from its sources.
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const bun = join(repository, "node_modules/.bin/bun");
const main = join(repository, "cli/main.ts");

/** How a process ended. */
export interface Ended {
  /** Exit code; null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  /** Environment beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** The command line that runs sonde from its sources with `args`. */
export function sondeCommand(...args: string[]): string[] {
  return [bun, main, ...args];
}

/** Starts a command; neither its output nor its errors are a terminal. */
export function start(command: readonly string[], options: StartOptions = {}): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  return spawn(command[0], command.slice(1), {
    cwd: options.cwd ?? repository,
    env: { PATH, HOME, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Waits for the end of a process. */
export function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (chunk: string) => text[name] += chunk);
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text })));
}

/** Runs sonde to its end. */
export function sonde(...args: string[]): Promise<Ended> {
  return ended(start(sondeCommand(...args)));
}

/** Runs a line of the shell in which `$SONDE` is sonde and `$1`, `$2` ... are `args`. */
export function shell(line: string, ...args: string[]): Promise<Ended> {
  const env = { SONDE: sondeCommand().join(" ") };
  return ended(start(["bash", "-c", `set -o pipefail; ${line}`, "bash", ...args], { env }));
}

/** A directory for files of a test. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), "sonde-cli-"));

  /** Writes a file; its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** Writes a config of `body`; its path. */
  config(body: string, name = "trace.yaml"): string {
    return this.write(name, `apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: edge }\n${body}`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
