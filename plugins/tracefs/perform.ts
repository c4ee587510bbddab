import { OperationError } from "../../core/backend.ts";
import { isKernelError, type KernelError } from "../../core/kernel/error.ts";
import { appendText, readText, writeText } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";
import type { Operation, Step } from "../../core/operation.ts";
import { charactersBefore, lastErrorAbout } from "./error_log.ts";
import { explain } from "./explain.ts";
import { listedTargets } from "./listing.ts";

/** The kernel takes definitions in pieces of `WRITE_BUFSIZE` - 1 bytes (kernel/trace/trace.c). */
const MAX_BATCH = 4095;

/** Carries operations out in order, with the lines for one definition file in as few writes as fit. */
export function performAll(
  kernel: FileCalls,
  root: string,
  operations: readonly Operation[],
): void {
  for (let at = 0; at < operations.length;) {
    const batch = batchFrom(operations, at);
    if (batch.length > 0) {
      appendBatch(kernel, root, batch);
      at += batch.length;
    } else {
      performOne(kernel, root, operations[at]);
      at++;
    }
  }
}

interface AppendOperation extends Operation {
  readonly step: Extract<Step, { call: "append" }>;
}

function isAppend(operation: Operation | undefined): operation is AppendOperation {
  return operation?.step.call === "append";
}

function batchFrom(operations: readonly Operation[], start: number): AppendOperation[] {
  const batch: AppendOperation[] = [];
  let bytes = 0;
  for (let at = start; at < operations.length; at++) {
    const operation = operations[at];
    if (!isAppend(operation)) break;
    if (batch.length > 0 && operation.step.file !== batch[0].step.file) break;
    bytes += new TextEncoder().encode(operation.step.text).length + 1;
    if (batch.length > 0 && bytes > MAX_BATCH) break;
    batch.push(operation);
  }
  return batch;
}

/**
 * One write(2) for many lines. The kernel stops at the first line it refuses and keeps those
 * before it, without saying which it was: the listing tells.
 */
function appendBatch(kernel: FileCalls, root: string, batch: readonly AppendOperation[]): void {
  const { file } = batch[0].step;
  const text = batch.map((operation) => operation.step.text).join("\n");
  try {
    appendText(kernel, `${root}/${file}`, text);
  } catch (error) {
    if (!isKernelError(error)) throw error;
    const listed = listedTargets(readText(kernel, `${root}/${file}`));
    const failed = batch.find((operation) => !listed.has(operation.target)) ?? batch[0];
    throw refusal(kernel, root, failed, error);
  }
}

function performOne(kernel: FileCalls, root: string, operation: Operation): void {
  try {
    runStep(kernel, root, operation.step);
  } catch (error) {
    if (!isKernelError(error)) throw error;
    throw refusal(kernel, root, operation, error);
  }
}

function runStep(kernel: FileCalls, root: string, step: Step): void {
  switch (step.call) {
    case "mkdir":
      return kernel.mkdir(`${root}/${step.path}`, 0o750);
    case "rmdir":
      return kernel.rmdir(`${root}/${step.path}`);
    case "write":
      return writeText(kernel, `${root}/${step.file}`, step.text);
    case "append":
      return appendText(kernel, `${root}/${step.file}`, step.text);
    default:
      throw new TypeError(`The tracefs backend has no step "${step.call}"`);
  }
}

/** Takes a step back; what is gone already is no error. */
export function undoStep(kernel: FileCalls, root: string, step: Step): void {
  try {
    runStep(kernel, root, step);
  } catch (error) {
    if (!isKernelError(error, "ENOENT")) throw error;
  }
}

/** The error of a refused operation, with the kernel's own words where it left any. */
function refusal(
  kernel: FileCalls,
  root: string,
  operation: Operation,
  error: KernelError,
): OperationError {
  const { step } = operation;
  if (step.call !== "append" && step.call !== "write") {
    return new OperationError(operation, error, explain(operation, error));
  }
  // Filters are logged in the instance they were written in, definitions at the top.
  const log = operation.kind === "filter"
    ? `${root}/${step.file.split("/events/")[0]}/error_log`
    : `${root}/error_log`;
  const said = lastErrorAbout(kernel, log, step.text) ??
    (operation.kind === "filter"
      ? lastErrorAbout(kernel, `${root}/error_log`, step.text)
      : undefined);
  if (said === undefined) return new OperationError(operation, error, explain(operation, error));
  return new OperationError(operation, error, {
    ...explain(operation, error, said.text),
    position: charactersBefore(step.text, said.caret),
  });
}
