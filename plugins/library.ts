/**
 * What programs use of sonde: configs and traces with the built-in backends.
 * @module
 */

import process from "node:process";
import { type Config, parseConfig } from "../core/config/config.ts";
import { desiredProbes } from "../core/config/desired.ts";
import { type Diagnostic, formatDiagnostic } from "../core/config/diagnostic.ts";
import { readConfigFile } from "../core/config/file.ts";
import type { TraceRecord } from "../core/event/record.ts";
import { PluginRegistry } from "../core/plugin/registry.ts";
import { archOf } from "../core/probe/registers.ts";
import { placeProbes, traceRequest } from "../core/session/place.ts";
import { type StreamOptions, streamRecords } from "../core/session/record_stream.ts";
import { linuxKernel } from "../core/kernel/linux.ts";
import type { Unavailable } from "../core/user_events/data_file.ts";
import {
  openProviderOn,
  type Provider,
  type ProviderOptions,
} from "../core/user_events/provider.ts";
import { BUILTIN_PLUGINS } from "./builtin.ts";

/** A config that cannot be used. */
export class ConfigFileError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], source: string) {
    super(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, source)).join("\n"));
    this.name = "ConfigFileError";
    this.diagnostics = diagnostics;
  }
}

/** A probe that this kernel has no place for. */
export class MissingProbeError extends Error {
  /** Key of the probe in the config. */
  readonly probe: string;

  constructor(probe: string, reason: string) {
    super(`Probe "${probe}" has no place here: ${reason}`);
    this.name = "MissingProbeError";
    this.probe = probe;
  }
}

/**
 * Reads and checks a config file.
 *
 * @throws {ConfigFileError} with everything that is wrong with it.
 */
export async function loadConfig(path: string): Promise<Config> {
  const read = readConfigFile(path);
  if (read.diagnostic !== undefined) throw new ConfigFileError([read.diagnostic], "");
  const { config, diagnostics } = parseConfig(read.text, { file: path, env: process.env });
  if (config === undefined) throw new ConfigFileError(diagnostics, read.text);
  return await Promise.resolve(config);
}

/** Options of {@link trace}. */
export interface TraceOptions extends StreamOptions {
  /** `tracefs` (the default, needs root) or `simulated`. */
  readonly backend?: string;
  /** Told of every probe that is left out because the config allows it. */
  readonly onSkipped?: (probe: string, reason: string) => void;
}

/**
 * Carries a config out and yields its records until the loop is left; then everything is removed.
 * The config's own sinks are not opened.
 *
 * @throws {MissingProbeError} for a probe without a place that may not be left out.
 */
export async function* trace(
  config: Config,
  options: TraceOptions = {},
): AsyncGenerator<TraceRecord, void, void> {
  const plugins = new PluginRegistry(BUILTIN_PLUGINS);
  const backend = plugins.createBackend(options.backend ?? "tracefs", { config, options: {} });
  try {
    const arch = archOf(backend.kernel.machine.arch) ?? "x86-64";
    const { placed, unplaced } = await placeProbes(backend, desiredProbes(config, arch));
    for (const { desired, reason } of unplaced) {
      if (desired.onMissing === "error") throw new MissingProbeError(desired.id, reason);
      options.onSkipped?.(desired.id, reason);
    }
    const request = traceRequest(config, placed);
    yield* streamRecords(backend, request, options);
  } finally {
    await backend.close();
  }
}

const toldReasons = new Set<string>();

/**
 * Opens a provider of user_events on this machine. Where user_events cannot be used the events are
 * always disabled, and one line on standard error says why, once.
 *
 * @throws {KernelError} for a failure that does not mean that user_events are missing.
 */
export async function openProvider(options: ProviderOptions = {}): Promise<Provider> {
  return await Promise.resolve(openProviderOn(linuxKernel(), {
    ...options,
    onUnavailable: options.onUnavailable ?? tellOnce,
  }));
}

function tellOnce({ reason, message }: Unavailable): void {
  if (toldReasons.has(reason)) return;
  toldReasons.add(reason);
  process.stderr.write(`user_events are disabled: ${message}\n`);
}
