import process from "node:process";
import { type Config, parseConfig, type ParsedConfig } from "../core/config/config.ts";
import { formatDiagnostic } from "../core/config/diagnostic.ts";
import { readConfigFile } from "../core/config/file.ts";
import { ConfigError } from "./config_error.ts";
import type { Terminal } from "./terminal.ts";

/** A config as it was read from a file. */
export interface LoadedConfig {
  readonly file: string;
  readonly source: string;
  readonly parsed: ParsedConfig;
  readonly config: Config;
}

/**
 * Reads and checks a config; warnings are printed.
 *
 * @throws {ConfigError} with every error that is in it.
 */
export function loadConfigFile(terminal: Terminal, file: string): LoadedConfig {
  const read = readConfigFile(file);
  if (read.diagnostic !== undefined) throw new ConfigError([read.diagnostic], "");
  const source = read.text;
  const parsed = parseConfig(source, { file, env: process.env });
  if (parsed.config === undefined) throw new ConfigError(parsed.diagnostics, source);
  for (const warning of parsed.diagnostics) {
    terminal.noteBlock(formatDiagnostic(warning, source, { color: terminal.colors }));
  }
  return { file, source, parsed, config: parsed.config };
}
