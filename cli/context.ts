import process from "node:process";
import type { Backend } from "../core/backend.ts";
import type { Config } from "../core/config/config.ts";
import type { PluginOptions } from "../core/plugin/plugin.ts";
import { loadPlugin } from "../core/plugin/load.ts";
import { PluginRegistry } from "../core/plugin/registry.ts";
import { BUILTIN_PLUGINS } from "../plugins/builtin.ts";
import type { GlobalOptions } from "./command.ts";
import { CliError, EXIT, exitCodeOf } from "./exit_code.ts";
import { Terminal } from "./terminal.ts";

/** What a command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly plugins: PluginRegistry;
  readonly options: GlobalOptions;
  /** Aborted by SIGINT and SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** The backend that `--backend` asks for. */
  openBackend(config?: Config): Backend;
}

/** Makes the context of a command, with the plugins that `--plugin` names. */
export async function makeContext(options: GlobalOptions): Promise<Context> {
  const plugins = new PluginRegistry(BUILTIN_PLUGINS);
  for (const file of options.plugin) plugins.register(await loadPlugin(file));
  return {
    terminal: new Terminal(options.quiet ? "quiet" : options.verbose ? "verbose" : "normal"),
    plugins,
    options,
    signal: signalOfTermination(),
    openBackend: (config) =>
      plugins.createBackend(options.backend === "auto" ? "tracefs" : options.backend, {
        config,
        options: parseBackendOptions(options.backendOption),
      }),
  };
}

/** `key=value` pairs; a value that reads as JSON is what it reads as. */
function parseBackendOptions(pairs: readonly string[]): PluginOptions {
  return Object.fromEntries(pairs.map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 1) {
      throw new CliError(
        EXIT.usage,
        `Cannot read "--backend-option ${pair}"`,
        "Expected key=value",
      );
    }
    return [pair.slice(0, equals), parseValue(pair.slice(equals + 1))];
  }));
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The first signal asks for an orderly end, the second ends at once: the ledger is left for gc. */
function signalOfTermination(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodeOf(name));
      controller.abort(name);
    });
  }
  return controller.signal;
}
