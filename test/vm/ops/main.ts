/** Carries a list of operations out and prints what the kernel answered: see `usage`. */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import process from "node:process";
import { linuxKernel } from "../../../core/kernel/linux.ts";
import { performCall } from "../../../plugins/simulated/kernel/calls.ts";
import type { HostProfile } from "../../../plugins/simulated/kernel/profile.ts";
import { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { kernelProfile } from "../../../plugins/simulated/profile/kernel_profile.ts";
import { decodeProfile } from "../../../plugins/simulated/profile/profile_file.ts";
import { Carrier } from "./carry_out.ts";
import type { Operation } from "./operation.ts";

const usage = `usage: npm run -s ops -- --kernel 6.12|6.1 [--profile FILE] [--user-events] OPS.jsonl
       (in a guest) ops --real OPS.jsonl

Carries the operations out, on the simulated kernel or on the one it runs on, and prints the same
lines with what the kernel answered: errno, ret, error_log, after, data. Every section starts on a
fresh simulated kernel.
`;

const TASK = { pid: 1000, tid: 1000, comm: "ops", cpu: 0 };

function simulatedCarrier(
  version: "6.12" | "6.1",
  cpus: number,
  profile: HostProfile,
  userEvents: boolean,
): Carrier {
  const kernel = new SimulatedKernel({
    version,
    cpus,
    profile,
    ...(!userEvents && { era: null }),
  });
  const process = kernel.spawn({ pid: TASK.pid, comm: TASK.comm });
  return new Carrier(process, "/sys/kernel/tracing", (operation) =>
    performCall(kernel, {
      function: operation.function ?? "",
      args: operation.args ?? [],
      returns: operation.returns,
      latency: 0n,
      calls: [],
    }, TASK));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string" },
    profile: { type: "string" },
    "user-events": { type: "boolean", default: false },
    real: { type: "boolean", default: false },
  },
});
const [list] = positionals;
if (list === undefined || (!values.real && values.kernel !== "6.12" && values.kernel !== "6.1")) {
  process.stderr.write(usage);
  process.exit(2);
}

const version = values.kernel as "6.12" | "6.1";
const profile = values.profile ??
  new URL(`../../profiles/${version}-debian.profile`, import.meta.url).pathname;

/** Makes a carrier over the kernel that is asked for: a new one each time if it is simulated. */
function carrierMaker(): () => Carrier {
  if (values.real) return () => new Carrier(linuxKernel(), "/sys/kernel/tracing");
  const file = decodeProfile(new Uint8Array(readFileSync(profile)));
  const host = kernelProfile(file);
  return () => simulatedCarrier(version, file.possibleCpus, host, values["user-events"]);
}

const fresh = carrierMaker();

let section: string | undefined;
let carrier: Carrier | undefined;
for (const line of readFileSync(list, "utf8").split("\n")) {
  if (line.trim() === "") continue;
  const operation = JSON.parse(line) as Operation;
  if (carrier === undefined || operation.section !== section) {
    section = operation.section;
    carrier = fresh();
  }
  process.stdout.write(`${JSON.stringify({ ...operation, ...carrier.carryOut(operation) })}\n`);
}
