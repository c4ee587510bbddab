/**
 * The `tests:` of a config, run on the simulated kernel.
 * @module
 */

import type { Backend } from "../backend.ts";
import type { Config } from "../config/config.ts";
import { desiredProbes } from "../config/desired.ts";
import type { TraceRecord } from "../event/record.ts";
import { archOf } from "../probe/registers.ts";
import { placeProbes, traceRequest } from "../session/place.ts";
import { streamRecords } from "../session/record_stream.ts";
import { compareOutcome, type Mismatch, type Outcome } from "./expectation.ts";

/** How one test ended. */
export interface TestResult {
  readonly name: string;
  readonly passed: boolean;
  /** What was not as expected. */
  readonly mismatches: readonly Mismatch[];
  /** Why the test could not be run, if so. */
  readonly error?: Error;
  /** Real time it took, in milliseconds. */
  readonly milliseconds: number;
}

/** The tests of one file. */
export interface FileResults {
  readonly file: string;
  readonly results: readonly TestResult[];
}

/** Makes a backend over a simulated kernel for a config. */
export type SimulatedBackend = (config: Config) => Backend;

/** Runs test `name` of a config on a simulated kernel of its own. */
export async function runConfigTest(
  config: Config,
  name: string,
  simulate: SimulatedBackend,
): Promise<TestResult> {
  const start = performance.now();
  const result = (rest: Pick<TestResult, "mismatches" | "error">): TestResult => ({
    name,
    passed: rest.mismatches.length === 0 && rest.error === undefined,
    milliseconds: performance.now() - start,
    ...rest,
  });
  try {
    const outcome = await record(withLoadOf(config, name), simulate);
    return result({ mismatches: compareOutcome(config.tests[name].expect, outcome) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return result({ mismatches: [], error });
  }
}

/** The config with the calls and writes of a test in place of its own. */
function withLoadOf(config: Config, name: string): Config {
  const { calls, writes } = config.tests[name];
  return { ...config, simulate: { ...config.simulate, calls, writes } };
}

async function record(config: Config, simulate: SimulatedBackend): Promise<Outcome> {
  const backend = simulate(config);
  try {
    const arch = archOf(backend.kernel.machine.arch) ?? "x86-64";
    const { placed, unplaced } = await placeProbes(backend, desiredProbes(config, arch));
    const missing = unplaced.find(({ desired }) => desired.onMissing === "error");
    if (missing !== undefined) throw new Error(`Probe "${missing.desired.id}": ${missing.reason}`);
    const records: TraceRecord[] = [];
    let lost = 0;
    const request = traceRequest(config, placed);
    const onEnd = (summary: { readonly lost: number }) => {
      lost = summary.lost;
    };
    for await (const one of streamRecords(backend, request, { onEnd })) records.push(one);
    return { records, lost };
  } finally {
    await backend.close();
  }
}
