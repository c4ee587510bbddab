import { formatDefinition } from "../../probe/definition.ts";
import { DefinitionError } from "../../probe/error.ts";
import { isDefinedProbe } from "../../probe/probe.ts";
import type { Config } from "../config.ts";
import { desiredProbes, isUnresolved, resolveUprobe } from "../desired.ts";
import type { Finding } from "../finding.ts";

/**
 * Checks that each probe of a config that is right so far makes a definition that the kernel has
 * room for: the parts of one can be right, and all of them together too long.
 */
export function checkDefinitions(config: Config): Finding[] {
  return desiredProbes(config, "x86-64").flatMap(({ path, candidates }) => {
    for (const candidate of candidates) {
      const probe = isUnresolved(candidate)
        ? resolveUprobe(candidate, { path: candidate.target.path, offset: 0n })
        : candidate;
      if (!isDefinedProbe(probe)) continue;
      try {
        formatDefinition(probe);
      } catch (error) {
        if (!(error instanceof DefinitionError)) throw error;
        const { message, hint } = error;
        return [{ path, onKey: true, code: "too_large", message, ...(hint && { hint }) }];
      }
    }
    return [];
  });
}
