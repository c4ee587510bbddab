/** Operations on tracefs, carried out in a guest. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errnoName } from "../../../core/kernel/errno.ts";
import type { KernelName } from "../kernels.ts";
import { runInVm } from "../machine.ts";

/** One system call or two; paths are relative to tracefs, text is UTF-8. */
export type Operation =
  | {
    readonly op: "write";
    readonly file: string;
    readonly input: string;
    readonly how?: "plain" | "append" | "trunc";
  }
  | { readonly op: "read"; readonly file: string }
  | { readonly op: "mkdir" | "rmdir"; readonly file: string }
  /** A user_event by its definition; answers with its write index. */
  | { readonly op: "register"; readonly definition: string }
  | { readonly op: "event"; readonly index: number; readonly payload: Uint8Array }
  | { readonly op: "comm"; readonly comm: string }
  | { readonly op: "cpu"; readonly cpu: number }
  /** The process that carries the operations out. */
  | { readonly op: "pid" };

/** What the kernel said: `"0"` or the error's name, and what was read. */
export interface Answer {
  readonly errno: string;
  readonly data: string;
}

/** Boots `kernel` and carries the operations out in order. */
export async function answers(
  kernel: KernelName,
  operations: readonly Operation[],
): Promise<Answer[]> {
  const directory = mkdtempSync(join(tmpdir(), "sonde-trace-"));
  try {
    const driver = join(directory, "driver");
    const source = fileURLToPath(new URL("driver.c", import.meta.url));
    execFileSync("cc", ["-O1", "-static", "-o", driver, source]);
    const list = join(directory, "operations");
    writeFileSync(list, operations.map((operation) => `${toLine(operation)}\n`).join(""));
    const result = await runInVm({
      kernel,
      script: "/driver /operations",
      files: { "/driver": driver, "/operations": list },
      timeoutMs: 600_000,
    });
    if (!result.finished || result.exitCode !== 0) {
      throw new Error(`The guest failed: ${result.stderr}${result.console}`);
    }
    return result.stdout.trimEnd().split("\n").map(toAnswer);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function toLine(operation: Operation): string {
  switch (operation.op) {
    case "write":
      return `write ${operation.file} ${operation.how ?? "plain"} ${hex(operation.input)}`;
    case "register":
      return `register ${hex(operation.definition)}`;
    case "event":
      return `event ${operation.index} ${hex(operation.payload)}`;
    case "comm":
      return `comm ${hex(operation.comm)}`;
    case "cpu":
      return `cpu ${operation.cpu}`;
    case "pid":
      return "pid";
    default:
      return `${operation.op} ${operation.file}`;
  }
}

function hex(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as Uint8Array).toString("hex") || "-";
}

function toAnswer(line: string): Answer {
  const [errno, data = ""] = line.split(" ");
  return {
    errno: errno === "0" ? "0" : errnoName(Number(errno)),
    data: Buffer.from(data, "hex").toString("utf8"),
  };
}
