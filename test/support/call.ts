/**
 * sonde's command line, called in this process: it takes no new process to see what a command says.
 * What sinks write to standard output does not pass here.
 * @module
 */

import process from "node:process";
import { main } from "../../cli/main.ts";
import type { Backend } from "../../core/backend.ts";
import type { Ended } from "./cli.ts";
import { makePluginDirectory, writePlugin } from "./plugin_file.ts";
import { prepared } from "./prepared_backend.ts";

/** Calls sonde with arguments; how it would have ended. */
export async function call(...args: string[]): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  const restore = [keepWrites("stdout", text), keepWrites("stderr", text), keepListeners()];
  const { exitCode, env: { NO_COLOR } } = process;
  process.exitCode = 0;
  process.env.NO_COLOR = "1";
  try {
    await main(args);
    return { code: Number(process.exitCode), ...text };
  } finally {
    restore.forEach((undo) => undo());
    process.exitCode = exitCode ?? 0;
    if (NO_COLOR === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = NO_COLOR;
  }
}

/** Calls sonde with arguments and a backend that is ready. */
export async function callOn(backend: Backend, ...args: string[]): Promise<Ended> {
  const directory = makePluginDirectory();
  const real = new URL("./prepared_backend.ts", import.meta.url);
  const plugin = writePlugin(
    directory.path,
    `export { apiVersion, default } from ${JSON.stringify(real.href)};`,
  );
  prepared.backend = backend;
  try {
    return await call(...args, "--plugin", plugin, "--backend", "prepared");
  } finally {
    directory.remove();
  }
}

function keepWrites(name: "stdout" | "stderr", text: { stdout: string; stderr: string }) {
  const stream = process[name];
  const { write } = stream;
  stream.write = (chunk: string | Uint8Array) => {
    text[name] += String(chunk);
    return true;
  };
  return () => {
    stream.write = write;
  };
}

/** Signal handlers of a command are not to outlive it. */
function keepListeners() {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  return () => {
    for (const [index, signal] of signals.entries()) {
      for (const listener of process.listeners(signal)) {
        if (!before[index].includes(listener)) process.off(signal, listener);
      }
    }
  };
}
