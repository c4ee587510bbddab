/**
 * The ledger: what sonde installed, written down and fsynced before it is installed, so that the
 * next sonde can take it back whenever this one dies. One file a trace, JSON Lines, in
 * {@link STATE_DIRECTORY}.
 * @module
 */

import { isKernelError } from "../kernel/error.ts";
import type { Fd, Kernel } from "../kernel/port.ts";
import type { Operation } from "../operation.ts";
import { bootId, listState, readJsonLines, removeFile, STATE_DIRECTORY } from "./state.ts";

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
  return listState(kernel).filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length));
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
  removeFile(kernel, draftPath(name));
  removeFile(kernel, ledgerPath(name));
}

/** An open ledger. The lock of the trace must be held. */
export class Ledger {
  readonly #kernel: Kernel;
  readonly #name: string;
  readonly #begin: Entry;
  #fd: Fd | undefined;

  /**
   * Opens the ledger of trace `name` for more operations; what it holds already stays, and is not
   * meant to stay in the kernel from now on until {@link Ledger.commit}.
   */
  constructor(kernel: Kernel, name: string, backend: string) {
    this.#kernel = kernel;
    this.#name = name;
    this.#begin = { begin: { version: VERSION, boot: bootId(kernel), backend } };
    const before = readLedger(kernel, name);
    this.#fd = kernel.open(ledgerPath(name), { access: "write", append: true, create: true });
    try {
      this.#write([this.#begin]);
    } catch (error) {
      if (before === undefined) deleteLedger(kernel, name);
      else if (before.committed) this.commit(before.operations);
      this.close();
      throw error;
    }
  }

  /** Writes operations down that are about to be done. Returns once they are on the disk. */
  record(operations: readonly Operation[]): void {
    this.#write(operations.map((operation) => ({ operation })));
  }

  /** Replaces what the ledger holds by `operations`, which are all in effect and meant to stay. */
  commit(operations: readonly Operation[]): void {
    const draft = draftPath(this.#name);
    this.close();
    this.#fd = this.#kernel.open(draft, { access: "write", create: true, truncate: true });
    this.#write([
      this.#begin,
      ...operations.map((operation) => ({ operation })),
      { committed: true },
    ]);
    this.#kernel.rename(draft, ledgerPath(this.#name));
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) this.#kernel.close(fd);
  }

  #write(entries: readonly Entry[]): void {
    const fd = this.#fd!;
    const text = entries.map((entry) => JSON.stringify(entry) + "\n").join("");
    const data = new TextEncoder().encode(text);
    for (let at = 0; at < data.length;) {
      at += this.#kernel.write(fd, data.subarray(at));
    }
    this.#kernel.fsync(fd);
  }
}

function ledgerPath(name: string): string {
  return `${STATE_DIRECTORY}/${name}${SUFFIX}`;
}

/** Where a ledger is written that is to take the place of another. */
function draftPath(name: string): string {
  return `${ledgerPath(name)}.new`;
}
