/** Takes vectors of user_events from a real kernel, or compares the simulated ones: see `usage`. */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { Replay } from "../../plugins/simulated/kernel/user_events/replay.ts";
import { type KernelName, vmUnavailable } from "../kernels.ts";
import { randomCommands, randomSteps, randomStructures } from "./random.ts";
import { askKernel } from "./run.ts";
import { commonSections } from "./scenarios.ts";
import type { Section, Version } from "./steps.ts";
import { writeVectors } from "./vector_file.ts";
import { version1Sections } from "./version1.ts";
import { version2Sections } from "./version2.ts";

const usage = `usage: bun test/vm/user_events/main.ts record 6.1|6.12
       bun test/vm/user_events/main.ts compare 6.1|6.12 [--seed N] [--sections N]

record   writes what the kernel answers to all scenarios to
         test/plugins/simulated/vectors/user-events-KERNEL.jsonl
compare  has the kernel and the simulated user_events carry out the same drawn operations, and
         prints where they differ and how many agree; exits with 1 if any differ

The kernel runs in a guest, with a driver that gcc compiles.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    sections: { type: "string", default: "10" },
  },
});
const [command, release] = positionals;

if ((command === "record" || command === "compare") && (release === "6.1" || release === "6.12")) {
  const kernel: KernelName = `${release}-user-events`;
  const reason = vmUnavailable(kernel);
  if (reason !== undefined) end(69, `${reason}\n`);
  else if (command === "record") await record(kernel, release);
  else await compare(kernel, release, Number(values.seed), Number(values.sections));
} else {
  end(2, usage);
}

async function record(kernel: KernelName, release: "6.1" | "6.12"): Promise<void> {
  const version: Version = release === "6.1" ? 1 : 2;
  const own = version === 1 ? version1Sections() : version2Sections();
  const drawn = [
    randomCommands(version, 250, 1),
    randomStructures(version, 150, 2),
    randomSteps(version, 150, 3),
    randomSteps(version, 150, 4),
  ];
  const sections = await askKernel(kernel, [...commonSections(version), ...own, ...drawn]);
  const name = `../../plugins/simulated/vectors/user-events-${release}.jsonl`;
  writeVectors(fileURLToPath(new URL(name, import.meta.url)), sections);
}

async function compare(
  kernel: KernelName,
  release: "6.1" | "6.12",
  seed: number,
  count: number,
): Promise<void> {
  const version: Version = release === "6.1" ? 1 : 2;
  const kinds = [randomSteps, randomStructures, randomCommands];
  const sections = Array.from({ length: count }, (_, i): Section => {
    return kinds[i % kinds.length]!(version, 300, seed + i);
  });
  const answered = await askKernel(kernel, sections);
  const differences = new Replay(release).differences(answered);
  for (const difference of differences) process.stdout.write(`${JSON.stringify(difference)}\n`);
  const total = answered.reduce((sum, { vectors }) => sum + vectors.length, 0);
  process.stdout.write(`${total - differences.length} of ${total} operations agree\n`);
  if (differences.length > 0) process.exitCode = 1;
}

function end(status: number, message: string): void {
  process.stderr.write(message);
  process.exitCode = status;
}
