import type { Backend, Capture } from "../../core/backend.ts";
import type { Config } from "../../core/config/config.ts";
import { tracefsBackend } from "../tracefs/backend.ts";
import { hostProfile } from "./host_profile.ts";
import { SimulatedKernel } from "./kernel/simulated_kernel.ts";
import { openWriter, startCall } from "./load.ts";

/** Process id of sonde itself on a simulated kernel. */
const SONDE_PID = 4242;

/** The kernel that a config's `simulate` section describes. */
export function simulatedKernel(config: Config | undefined): SimulatedKernel {
  const simulate = config?.simulate;
  const kernel = new SimulatedKernel({
    // The patches of 2022 are modelled on top of 6.1.
    version: simulate?.kernel === "6.12" || simulate === undefined ? "6.12" : "6.1",
    era: simulate?.kernel,
    cpus: simulate?.cpus,
    profile: hostProfile(simulate),
  });
  for (const { pid, comm } of Object.values(simulate?.processes ?? {})) {
    if (kernel.process(pid) === undefined) kernel.spawn({ pid, comm });
  }
  return kernel;
}

/**
 * The tracefs backend over a kernel in memory. The load that the config declares starts with the
 * capture; the capture is finished when nothing can happen any more.
 */
export function simulatedBackend(config: Config | undefined): Backend {
  const kernel = simulatedKernel(config);
  const sonde = kernel.spawn({ pid: SONDE_PID, comm: "sonde" });
  for (const fault of config?.simulate.faults ?? []) kernel.faults.add(fault);
  const backend = tracefsBackend(sonde);
  // The programs run before sonde does: their events are registered when it comes.
  const writers = (config?.simulate.writes ?? []).map((write) =>
    openWriter(kernel, write, config!)
  );
  return {
    ...backend,
    name: "simulated",
    capture: async (request) => {
      const capture = await backend.capture(request);
      for (const call of config?.simulate.calls ?? []) {
        startCall(kernel, call, config?.simulate.processes ?? {});
      }
      for (const start of writers) start();
      return finishing(capture, kernel);
    },
  };
}

function finishing(capture: Capture, kernel: SimulatedKernel): Capture {
  return Object.defineProperty({ ...capture }, "finished", {
    get: () => kernel.scheduler.idle,
  });
}
