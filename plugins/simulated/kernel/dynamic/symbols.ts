import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import type { FetchStep, ProbeArgument } from "./fetch_program.ts";
import type { DynamicHost } from "./host.ts";
import { lookupName } from "./kprobe_address.ts";
import { parseSigned } from "./numbers.ts";

/**
 * Fills in the addresses of `@symbol` arguments (`traceprobe_update_arg`); the error
 * number of the first that has none.
 */
export function resolveSymbols(
  host: DynamicHost,
  probeArguments: readonly ProbeArgument[],
): ErrnoCode | undefined {
  for (const argument of probeArguments) {
    const [first] = argument.steps;
    if (first?.op !== "symbol") continue;
    const value = symbolAddress(host, first.text);
    if (typeof value === "string") return value;
    const load: FetchStep = { op: "immediate", value };
    argument.steps = [first, load, ...argument.steps.slice(2)];
  }
  return undefined;
}

function symbolAddress(host: DynamicHost, text: string): bigint | ErrnoCode {
  const sign = text.search(/[+-]/);
  const offset = sign < 0 ? 0n : parseSigned(text.slice(sign), 0);
  if (typeof offset === "string") return offset;
  const start = lookupName(host, sign < 0 ? text : text.slice(0, sign));
  return start === undefined || start === 0n ? "ENOENT" : BigInt.asUintN(64, start + offset);
}
