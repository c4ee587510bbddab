/**
 * The host that a config's `simulate` section describes.
 * @module
 */

import type { Config } from "../../core/config/config.ts";
import {
  HostProfile,
  type Parameter,
  placeFunctions,
  placeUserFunctions,
} from "./kernel/profile.ts";
import { BUILTIN_TRACEPOINTS, makeTracepoint } from "./kernel/tracepoints.ts";

type Simulate = Config["simulate"];

/** Where symbols that are no functions lie. */
const KERNEL_DATA = 0xffff_ffff_8200_0000n;

/** The profile of the host that `simulate` describes; a plain one without. */
export function hostProfile(simulate: Simulate | undefined): HostProfile {
  const functions = Object.entries(simulate?.functions ?? {});
  const declared = new Set(Object.keys(simulate?.tracepoints ?? {}));
  return new HostProfile({
    functions: placeFunctions(functions.map(([name, entry]) => ({
      name,
      parameters: entry.args.map(toParameter),
      returns: entry.returns,
      size: entry.size,
      module: entry.module,
      traceable: entry.probeable,
      blacklisted: !entry.probeable,
    }))),
    symbols: Object.entries(simulate?.symbols ?? {}).map(([name, { type, module }], index) => ({
      name,
      type,
      module,
      address: KERNEL_DATA + BigInt(index) * 64n,
    })),
    modules: simulate?.modules ?? [],
    tracepoints: [
      ...BUILTIN_TRACEPOINTS.filter(({ system, name }) => !declared.has(`${system}/${name}`)),
      ...Object.entries(simulate?.tracepoints ?? {}).map(([name, { fields }]) =>
        makeTracepoint(name, fields)
      ),
    ],
    executables: Object.entries(simulate?.executables ?? {}).map(([path, executable]) => ({
      path,
      functions: placeUserFunctions(
        Object.entries(executable.functions).map(([name, entry]) => ({
          name,
          parameters: entry.args.map(toParameter),
          returns: entry.returns,
          size: entry.size,
          ...(entry.offset !== undefined && { offset: Number(entry.offset) }),
        })),
      ),
    })),
  });
}

function toParameter(
  parameter: string | { readonly name: string; readonly type: string },
): Parameter {
  return typeof parameter === "string" ? { type: parameter } : parameter;
}
