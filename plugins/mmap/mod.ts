import type { PluginFactory } from "../../core/plugin/plugin.ts";
import { mmapBackend } from "./backend.ts";

/** perf events with mapped rings; built on the tracefs backend. */
const mmapPlugin: PluginFactory = (host) => ({
  kind: "backend",
  name: "mmap",
  description: "perf events with mapped rings; needs root and FFI",
  options: {
    type: "object",
    properties: { pid: { type: "integer", minimum: 1 } },
    additionalProperties: false,
  },
  create: ({ options, config }) =>
    mmapBackend(
      host.backend("tracefs", { options: {}, ...(config && { config }) }),
      typeof options.pid === "number" ? { pid: options.pid } : {},
    ),
});
export default mmapPlugin;
