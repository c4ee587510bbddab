import { checkProbes } from "./check/probes.ts";
import { checkSimulate } from "./check/simulate.ts";
import { checkTests } from "./check/tests.ts";
import { checkUserEvents } from "./check/user_events.ts";
import type { Finding } from "./finding.ts";
import type { Plain } from "./tree.ts";

/**
 * Checks what the parts of a config mean to each other and to the kernel. It takes any value and
 * passes over what has a wrong shape, so that mistakes of both kinds are found in one run.
 */
export function checkConfig(config: Plain): Finding[] {
  return [
    ...checkUserEvents(config),
    ...checkProbes(config),
    ...checkSimulate(config),
    ...checkTests(config),
  ];
}
