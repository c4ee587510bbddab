import type { Diagnostic } from "./diagnostic.ts";

/** Largest config, in bytes. A file of a thousand probes has a tenth of it. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/** The diagnostic of a config that is larger than that. */
export function tooLarge(file: string): Diagnostic {
  return {
    severity: "error",
    file,
    line: 0,
    column: 0,
    message: "The file is larger than 1 MiB",
    hint: "Split it into several configs",
    code: "too_large",
  };
}
