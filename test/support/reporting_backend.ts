/**
 * A plugin: the simulated kernel of a config with another tool on it. In the end it writes down
 * what is installed, so that a test can look at the kernel of a process that is gone.
 * @module
 */

import { writeFileSync } from "node:fs";
import { appendText, writeText } from "../../core/kernel/files.ts";
import type { PluginFactory } from "../../core/plugin/plugin.ts";
import { simulatedKernel } from "../../plugins/simulated/backend.ts";
import { startCall } from "../../plugins/simulated/load.ts";
import { tracefsBackend } from "../../plugins/tracefs/backend.ts";
import { hostState, TRACEFS } from "./host.ts";

export const apiVersion = 1;

const factory: PluginFactory = () => ({
  kind: "backend",
  name: "reporting",
  description: "The simulated kernel, which tells what is left on it",
  options: {
    type: "object",
    properties: { report: { type: "string" } },
    additionalProperties: false,
  },
  create: ({ config, options }) => {
    const kernel = simulatedKernel(config);
    const tool = kernel.spawn({ pid: 900, comm: "othertool" });
    appendText(tool, `${TRACEFS}/kprobe_events`, "p:othertool/count count");
    writeText(tool, `${TRACEFS}/events/othertool/count/enable`, "1");
    const before = hostState(kernel);
    const backend = tracefsBackend(kernel.spawn({ pid: 4242, comm: "sonde" }));
    return {
      ...backend,
      name: "reporting",
      capture: async (request) => {
        const capture = await backend.capture(request);
        for (const call of config?.simulate.calls ?? []) startCall(kernel, call, {});
        const finished = () => kernel.scheduler.idle;
        return Object.defineProperty({ ...capture }, "finished", { get: finished });
      },
      close: () => {
        const report = { before, after: hostState(kernel) };
        writeFileSync(options.report as string, JSON.stringify(report));
        return backend.close();
      },
    };
  },
});
export default factory;
