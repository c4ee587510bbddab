import type { PluginFactory } from "../../core/plugin/plugin.ts";
import { tracefsBackend } from "./backend.ts";

/** The kernel's files alone: no FFI, runs everywhere. */
const tracefsPlugin: PluginFactory = (host) => ({
  kind: "backend",
  name: "tracefs",
  description: "The kernel's tracing files; needs root, no FFI",
  create: () => tracefsBackend(host.openKernel()),
});
export default tracefsPlugin;
