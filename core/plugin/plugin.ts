/**
 * Plugins: backends and sinks, built in or from outside, all of one form.
 *
 * A plugin from outside is a module with `export const apiVersion = 1` and a default-exported
 * factory. It gets everything it needs from sonde as the factory's argument: it cannot import
 * sonde, because the compiled binary has no modules that a file on the disk could name.
 * @module
 */

import { type Backend, OperationError } from "../backend.ts";
import type { Config } from "../config/config.ts";
import { KernelError } from "../kernel/error.ts";
import { appendText, exists, readText, tryReadText, writeText } from "../kernel/files.ts";
import type { Kernel } from "../kernel/port.ts";
import { linuxKernel } from "../kernel/linux.ts";
import { groupOf, instanceOf, ownerOfGroup, ownerOfInstance } from "../names.ts";
import { Output, OutputClosedError, OutputError } from "../pipeline/output.ts";
import { type Sink } from "../pipeline/sink.ts";
import { formatDefinition, formatDelete, parseDefinition } from "../probe/definition.ts";

/** Version of the interface between sonde and its plugins. */
export const PLUGIN_API_VERSION = 1;

/** A JSON Schema (draft 2020-12), as a plain value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Options as they stand in a config, checked against the plugin's schema. */
export type PluginOptions = Readonly<Record<string, unknown>>;

/** What a backend is made for. */
export interface BackendContext {
  readonly options: PluginOptions;
  /** The config that is carried out; absent for commands without a file. */
  readonly config?: Config;
}

/** Makes a backend. */
export interface BackendPlugin {
  readonly kind: "backend";
  readonly name: string;
  /** One line for `sonde list plugins`. */
  readonly description: string;
  /** What {@link BackendContext.options} may hold; nothing without. */
  readonly options?: JsonSchema;
  create(context: BackendContext): Backend;
}

/** What a sink is made for. */
export interface SinkContext {
  readonly options: PluginOptions;
  /** Where its bytes go: the file of its `path` option, else standard output. */
  readonly output: Output;
  /** Whether a person looks at the output. */
  readonly terminal: boolean;
  /** Clock of the records' times, such as `mono`. */
  readonly clock: string;
}

/** Makes sinks. */
export interface SinkPlugin {
  readonly kind: "sink";
  /** The `type` of a sink in the config. */
  readonly name: string;
  readonly description: string;
  /** What may stand beside `type` and `path`; nothing without. */
  readonly options?: JsonSchema;
  create(context: SinkContext): Sink;
}

export type Plugin = BackendPlugin | SinkPlugin;

/** What sonde gives a plugin. */
export interface PluginHost {
  readonly apiVersion: typeof PLUGIN_API_VERSION;
  /** Opens the kernel that sonde runs on. */
  readonly openKernel: () => Kernel;
  readonly errors: {
    readonly KernelError: typeof KernelError;
    readonly OperationError: typeof OperationError;
    readonly OutputError: typeof OutputError;
    readonly OutputClosedError: typeof OutputClosedError;
  };
  /** Whole files through a kernel. */
  readonly files: {
    readonly appendText: typeof appendText;
    readonly exists: typeof exists;
    readonly readText: typeof readText;
    readonly tryReadText: typeof tryReadText;
    readonly writeText: typeof writeText;
  };
  /** Names of what a trace owns in the kernel. */
  readonly names: {
    readonly groupOf: typeof groupOf;
    readonly instanceOf: typeof instanceOf;
    readonly ownerOfGroup: typeof ownerOfGroup;
    readonly ownerOfInstance: typeof ownerOfInstance;
  };
  /** The lines of `kprobe_events` and `uprobe_events`. */
  readonly definitions: {
    readonly formatDefinition: typeof formatDefinition;
    readonly formatDelete: typeof formatDelete;
    readonly parseDefinition: typeof parseDefinition;
  };
  /** A built-in backend to build on, such as `tracefs`. */
  readonly backend: (name: string, context: BackendContext) => Backend;
}

/** The default export of a plugin's module. */
export type PluginFactory = (host: PluginHost) => Plugin;

/** The host that plugins get. @param backend makes a backend that is registered already. */
export function pluginHost(backend: PluginHost["backend"]): PluginHost {
  return {
    apiVersion: PLUGIN_API_VERSION,
    openKernel: linuxKernel,
    errors: { KernelError, OperationError, OutputError, OutputClosedError },
    files: { appendText, exists, readText, tryReadText, writeText },
    names: { groupOf, instanceOf, ownerOfGroup, ownerOfInstance },
    definitions: { formatDefinition, formatDelete, parseDefinition },
    backend,
  };
}
