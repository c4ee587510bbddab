import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KernelName } from "../kernels.ts";
import { runInVm } from "../machine.ts";
import { driverLine, type Operation, parseAnswer } from "./operations.ts";
import { type Section, wholeSection } from "./steps.ts";
import type { VectorSection } from "./vector_file.ts";

/**
 * Has a real kernel carry sections out, in one guest.
 *
 * @returns them with its answers
 * @throws Error if the driver cannot be compiled, or does not reach the end
 */
export async function askKernel(
  kernel: KernelName,
  sections: readonly Section[],
): Promise<VectorSection[]> {
  const whole = sections.map((section) => ({
    name: section.name,
    operations: wholeSection(section),
  }));
  const lines = await runDriver(kernel, whole.flatMap(({ operations }) => operations));
  return whole.map(({ name, operations }) => ({
    name,
    vectors: operations.map((operation) => ({
      ...operation,
      answer: parseAnswer(lines.shift()!, operation),
    })),
  }));
}

async function runDriver(kernel: KernelName, operations: readonly Operation[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "sonde-user-events-"));
  try {
    const driver = join(directory, "driver");
    const sources = ["driver.c", "events.c", "files.c"].map((name) =>
      fileURLToPath(new URL(`./driver/${name}`, import.meta.url))
    );
    execFileSync("gcc", ["-O1", "-Wall", "-static", "-pthread", "-o", driver, ...sources]);
    const list = join(directory, "operations");
    writeFileSync(list, operations.map((operation) => `${driverLine(operation)}\n`).join(""));
    const result = await runInVm({
      kernel,
      script: "exec /vm/driver /vm/operations",
      files: { "/vm/driver": driver, "/vm/operations": list },
      timeoutMs: 600_000,
    });
    const lines = result.stdout.split("\n").slice(0, -1);
    if (lines.length < operations.length) {
      const reason = result.timedOut ? "ran out of time" : "ended early";
      const next = JSON.stringify(operations[lines.length]);
      throw new Error(`The driver ${reason} at ${next}\n${result.stderr}${result.console}`);
    }
    return lines;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
