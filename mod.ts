/**
 * sonde: traces a Linux host from a YAML file of probes, and leaves nothing behind.
 *
 * ```ts
 * import { loadConfig, trace } from "./mod.ts";
 *
 * const config = await loadConfig("examples/quickstart.yaml");
 * for await (const record of trace(config, { backend: "simulated" })) {
 *   console.log(record.probe, record.args);
 * }
 * ```
 *
 * @module
 */

export {
  ConfigFileError,
  loadConfig,
  MissingProbeError,
  openProvider,
  trace,
  type TraceOptions,
} from "./plugins/library.ts";
export type { Config } from "./core/config/config.ts";
export type { Diagnostic } from "./core/config/diagnostic.ts";
export type { FieldValue } from "./core/event/field.ts";
export type { LostRecord, TraceRecord } from "./core/event/record.ts";
export type { RunSummary } from "./core/session/run.ts";
export type { Carrier, Isolation } from "./core/user_events/carrier.ts";
export { RegistrationError, type Unavailable } from "./core/user_events/data_file.ts";
export {
  FieldError,
  type Fields,
  type FieldType,
  type ValueOf,
  type ValuesOf,
} from "./core/user_events/encode.ts";
export type {
  EventOptions,
  Provider,
  ProviderEvent,
  ProviderOptions,
} from "./core/user_events/provider.ts";
