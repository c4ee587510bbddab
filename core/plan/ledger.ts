/**
 * The ledger: what sonde installed, written down and fsynced before it is installed, so that the
 * next sonde can take it back whenever this one dies. One file a trace, JSON Lines, in
 * {@link STATE_DIRECTORY}.
 * @module
 */

import { isKernelError } from "../kernel/error.ts";
import type { Fd, Kernel } from "../kernel/port.ts";
import type { Operation } from "../operation.ts";
import { bootId, readJsonLines, STATE_DIRECTORY } from "./state.ts";

const VERSION = 1;
const SUFFIX = ".ledger";

/** What is written in a ledger, in order. */
type Entry =
  | {
    readonly begin: { readonly version: number; readonly boot: string; readonly backend: string };
  }
  | { readonly operation: Operation }
  | { readonly committed: true };

/** A ledger as it was found. */
export interface LedgerContent {
  readonly name: string;
  /** Backend that carries the operations. */
  readonly backend: string;
  /** Whether it was written since this machine booted. */
  readonly thisBoot: boolean;
  /** Whether `apply` finished: what it lists is meant to stay. */
  readonly committed: boolean;
  readonly operations: readonly Operation[];
}

/** Names of all traces that have a ledger. */
export function listLedgers(kernel: Kernel): string[] {
  try {
    return kernel.list(STATE_DIRECTORY).filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length));
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return [];
    throw error;
  }
}

/** The ledger of trace `name`, or undefined if there is none. */
export function readLedger(kernel: Kernel, name: string): LedgerContent | undefined {
  let entries: Entry[];
  try {
    entries = readJsonLines(kernel, ledgerPath(name)) as Entry[];
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return undefined;
    throw error;
  }
  const begin = entries.findLast((entry) => "begin" in entry)?.begin;
  const last = entries.at(-1);
  return {
    name,
    backend: begin?.backend ?? "",
    thisBoot: begin !== undefined && begin.boot === bootId(kernel),
    committed: last !== undefined && "committed" in last,
    operations: entries.flatMap((entry) => "operation" in entry ? [entry.operation] : []),
  };
}

/** Deletes the ledger of trace `name`, once nothing of it is left. */
export function deleteLedger(kernel: Kernel, name: string): void {
  try {
    kernel.unlink(ledgerPath(name));
  } catch (error) {
    if (!isKernelError(error, "ENOENT")) throw error;
  }
}

/** An open ledger. The lock of the trace must be held. */
export class Ledger {
  readonly #kernel: Kernel;
  readonly #name: string;
  readonly #begin: Entry;
  #fd: Fd;

  /** Opens the ledger of trace `name` for more operations; what it holds already stays. */
  constructor(kernel: Kernel, name: string, backend: string) {
    this.#kernel = kernel;
    this.#name = name;
    this.#begin = { begin: { version: VERSION, boot: bootId(kernel), backend } };
    this.#fd = kernel.open(ledgerPath(name), { access: "write", append: true, create: true });
    this.#write([this.#begin]);
  }

  /** Writes operations down that are about to be done. Returns once they are on the disk. */
  record(operations: readonly Operation[]): void {
    this.#write(operations.map((operation) => ({ operation })));
  }

  /** Replaces what the ledger holds by `operations`, which are all in effect and meant to stay. */
  commit(operations: readonly Operation[]): void {
    const path = ledgerPath(this.#name);
    const draft = `${path}.new`;
    this.close();
    this.#fd = this.#kernel.open(draft, { access: "write", create: true, truncate: true });
    this.#write([
      this.#begin,
      ...operations.map((operation) => ({ operation })),
      { committed: true },
    ]);
    this.#kernel.rename(draft, path);
  }

  close(): void {
    this.#kernel.close(this.#fd);
  }

  #write(entries: readonly Entry[]): void {
    const text = entries.map((entry) => JSON.stringify(entry) + "\n").join("");
    const data = new TextEncoder().encode(text);
    for (let at = 0; at < data.length;) {
      at += this.#kernel.write(this.#fd, data.subarray(at));
    }
    this.#kernel.fsync(this.#fd);
  }
}

function ledgerPath(name: string): string {
  return `${STATE_DIRECTORY}/${name}${SUFFIX}`;
}
