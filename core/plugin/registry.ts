import { nearest } from "../text/nearest.ts";
import { PluginError } from "./error.ts";
import { checkOptions } from "./options.ts";
import {
  type BackendContext,
  type BackendPlugin,
  type Plugin,
  type PluginFactory,
  type PluginHost,
  pluginHost,
  type SinkPlugin,
} from "./plugin.ts";
import type { Backend } from "../backend.ts";

/** The plugins that are there, built-in and outside ones alike. */
export class PluginRegistry {
  readonly #plugins: Plugin[] = [];
  readonly host: PluginHost = pluginHost((name, context) => this.createBackend(name, context));

  /** @param builtin factories of the plugins that belong to sonde. */
  constructor(builtin: readonly PluginFactory[]) {
    for (const factory of builtin) this.register(factory);
  }

  /** @throws {PluginError} if the factory fails, what it makes is no plugin, or its name is taken. */
  register(factory: PluginFactory): Plugin {
    const plugin = makePlugin(factory, this.host);
    if (this.#find(plugin.kind, plugin.name) !== undefined) {
      throw new PluginError(`There is a ${plugin.kind} called "${plugin.name}" already`);
    }
    this.#plugins.push(plugin);
    return plugin;
  }

  list(): readonly Plugin[] {
    return this.#plugins;
  }

  /** @throws {PluginError} for an unknown name, or options that its schema refuses. */
  createBackend(name: string, context: BackendContext): Backend {
    const plugin = this.#require("backend", name) as BackendPlugin;
    checkOptions(plugin, context.options);
    return plugin.create(context);
  }

  /** @throws {PluginError} for an unknown type. */
  sink(type: string): SinkPlugin {
    return this.#require("sink", type) as SinkPlugin;
  }

  #require(kind: Plugin["kind"], name: string): Plugin {
    const plugin = this.#find(kind, name);
    if (plugin !== undefined) return plugin;
    const names = this.#plugins.filter((other) => other.kind === kind).map((other) => other.name);
    const [near] = nearest(name, names, 1);
    const known = `There are ${names.join(", ")}`;
    throw new PluginError(
      `There is no ${kind} "${name}"`,
      near === undefined ? known : `Did you mean "${near}"? ${known}`,
    );
  }

  #find(kind: Plugin["kind"], name: string): Plugin | undefined {
    return this.#plugins.find((plugin) => plugin.kind === kind && plugin.name === name);
  }
}

function makePlugin(factory: PluginFactory, host: PluginHost): Plugin {
  let plugin: Plugin;
  try {
    plugin = factory(host);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PluginError(`The plugin's factory failed: ${reason}`, undefined, { cause: error });
  }
  checkShape(plugin);
  return plugin;
}

/** A plugin from outside may be anything. */
function checkShape(plugin: Partial<Plugin> | null | undefined): asserts plugin is Plugin {
  if (typeof plugin !== "object" || plugin === null) {
    throw new PluginError("The plugin's factory gave no plugin");
  }
  if (plugin.kind !== "backend" && plugin.kind !== "sink") {
    throw new PluginError(
      `The plugin's kind is ${JSON.stringify(plugin.kind)}`,
      'Expected "backend" or "sink"',
    );
  }
  if (typeof plugin.name !== "string" || !/^[a-z][a-z0-9_-]*$/.test(plugin.name)) {
    throw new PluginError(
      `The plugin's name is ${JSON.stringify(plugin.name)}`,
      "Expected lower-case letters, digits, - and _",
    );
  }
  if (typeof plugin.create !== "function") {
    throw new PluginError(`Plugin "${plugin.name}" has no function "create"`);
  }
}
