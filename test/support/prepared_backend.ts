/**
 * A plugin whose backend is the one that a test has made ready.
 * @module
 */

import type { Backend } from "../../core/backend.ts";
import type { PluginFactory } from "../../core/plugin/plugin.ts";

export const apiVersion = 1;

/** The backend to be given out. */
export const prepared: { backend: Backend | undefined } = { backend: undefined };

const factory: PluginFactory = () => ({
  kind: "backend",
  name: "prepared",
  description: "The backend of a test",
  create: () => prepared.backend!,
});
export default factory;
