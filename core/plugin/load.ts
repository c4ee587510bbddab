import * as fs from "node:fs";
import * as path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { PLUGIN_API_VERSION, type PluginFactory } from "./plugin.ts";
import { PluginError } from "./error.ts";

/** Group and others may write (`S_IWGRP | S_IWOTH`). */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Loads the plugin in `file`.
 *
 * @throws {PluginError} if it is not there, if sonde is root and somebody else could change it, if
 * it was made for another version of the interface, or if it fails.
 */
export async function loadPlugin(file: string): Promise<PluginFactory> {
  const real = realPath(file);
  if (process.geteuid?.() === 0) vet(file, path.resolve(file));
  let module: { readonly apiVersion?: unknown; readonly default?: unknown };
  try {
    module = await import(pathToFileURL(real).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PluginError(
      `Cannot load plugin "${file}": ${reason}`,
      "A plugin cannot import sonde or npm packages: it gets what it needs as its factory's argument",
      { cause: error },
    );
  }
  if (module.apiVersion !== PLUGIN_API_VERSION) {
    throw new PluginError(
      `Plugin "${file}" is for version ${
        String(module.apiVersion)
      } of the plugin interface, this sonde has version ${PLUGIN_API_VERSION}`,
      `A plugin says so by: export const apiVersion = ${PLUGIN_API_VERSION}`,
    );
  }
  if (typeof module.default !== "function") {
    throw new PluginError(
      `Plugin "${file}" has no default export that is a function`,
      "Expected: export default (host) => ({ kind, name, description, create })",
    );
  }
  return module.default as PluginFactory;
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new PluginError(`Cannot load plugin "${file}": ${code}`, undefined, { cause: error });
  }
}

/**
 * Refuses a plugin that somebody else than root could put in place of the one that is meant: the
 * file, every directory above it, and those above each link on the way to it.
 *
 * @param named an absolute path that leads to `file`.
 */
function vet(file: string, named: string): void {
  for (let at = named;; at = path.dirname(at)) {
    const { uid, mode } = fs.lstatSync(at);
    if (uid !== 0) refuse(file, `"${at}" belongs to user ${uid}`);
    if ((mode & fs.constants.S_IFMT) === fs.constants.S_IFLNK) {
      const directory = fs.realpathSync(path.dirname(at));
      vet(file, path.resolve(directory, fs.readlinkSync(at)));
    } else if ((mode & WRITABLE_BY_OTHERS) !== 0) {
      refuse(file, `"${at}" can be written by others (mode ${(mode & 0o7777).toString(8)})`);
    }
    if (at === path.dirname(at)) break;
  }
}

function refuse(file: string, reason: string): never {
  throw new PluginError(
    `Refused to load plugin "${file}" as root: ${reason}`,
    "Keep plugins where only root can write, such as /usr/local/lib/sonde",
  );
}
