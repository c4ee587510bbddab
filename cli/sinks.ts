import process from "node:process";
import type { Config, ParsedConfig } from "../core/config/config.ts";
import type { Diagnostic } from "../core/config/diagnostic.ts";
import { Output } from "../core/pipeline/output.ts";
import type { Sink } from "../core/pipeline/sink.ts";
import { optionProblems } from "../core/plugin/options.ts";
import type { PluginOptions } from "../core/plugin/plugin.ts";
import { PluginError } from "../core/plugin/error.ts";
import type { PluginRegistry } from "../core/plugin/registry.ts";

type SinkConfig = Config["sinks"][string];

/** What is wrong with the sinks of a config: unknown types, options that a plugin refuses. */
export function sinkDiagnostics(
  plugins: PluginRegistry,
  parsed: ParsedConfig,
  config: Config,
): Diagnostic[] {
  return Object.entries(config.sinks).flatMap(([id, sink]) => {
    try {
      const plugin = plugins.sink(sink.type);
      return optionProblems(plugin, optionsOf(sink)).map(({ path, message }) =>
        parsed.diagnose({ path: ["sinks", id, ...path], code: "bad_value", message })
      );
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      const { message, hint } = error;
      return [parsed.diagnose({ path: ["sinks", id, "type"], code: "bad_value", message, hint })];
    }
  });
}

/**
 * Opens the sinks of a config.
 * @param ending aborted when the run is to end.
 * @throws {OutputError} if a file cannot be written.
 */
export function openSinks(
  plugins: PluginRegistry,
  config: Config,
  clock: string,
  ending: AbortSignal,
): Sink[] {
  return Object.values(config.sinks).map((sink) => openSink(plugins, sink, clock, ending));
}

function openSink(
  plugins: PluginRegistry,
  sink: SinkConfig,
  clock: string,
  ending: AbortSignal,
): Sink {
  const toStdout = sink.path === undefined;
  return plugins.sink(sink.type).create({
    options: optionsOf(sink),
    output: sink.path === undefined ? Output.stdout(ending) : Output.file(sink.path),
    terminal: toStdout && process.stdout.isTTY === true && !process.env.NO_COLOR,
    clock,
  });
}

/** What is the plugin's of a sink's options: all but what every sink has. */
function optionsOf(sink: SinkConfig): PluginOptions {
  const { type: _type, path: _path, ...options } = sink;
  return Object.fromEntries(Object.entries(options).filter(([key]) => !key.startsWith("x-")));
}
