import type { PluginFactory } from "../../core/plugin/plugin.ts";
import { simulatedBackend } from "./backend.ts";

/** A kernel in memory: any config can be tried, without root and without Linux. */
const simulatedPlugin: PluginFactory = () => ({
  kind: "backend",
  name: "simulated",
  description: "A kernel in memory, as simulate: declares it; needs nothing",
  create: ({ config }) => simulatedBackend(config),
});
export default simulatedPlugin;
