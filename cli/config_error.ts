import type { Diagnostic } from "../core/config/diagnostic.ts";
import { EXIT } from "./exit_code.ts";

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
