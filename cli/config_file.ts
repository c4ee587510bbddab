import process from "node:process";
import { type Config, parseConfig, type ParsedConfig } from "../core/config/config.ts";
import { type Diagnostic, formatDiagnostic } from "../core/config/diagnostic.ts";
import { readConfigFile } from "../core/config/file.ts";
import { EXIT } from "./exit_code.ts";
import type { Terminal } from "./terminal.ts";

/** A config that cannot be carried out, with all that is wrong with it. */
export class ConfigError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  /** The text that the diagnostics point into. */
  readonly source: string;
  readonly exitCode: number;

  constructor(diagnostics: readonly Diagnostic[], source: string, exitCode: number = EXIT.config) {
    super(diagnostics[0]?.message ?? "The config is wrong");
    this.name = "ConfigError";
    this.diagnostics = diagnostics;
    this.source = source;
    this.exitCode = exitCode;
  }
}

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
