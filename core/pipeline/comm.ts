import { tryReadText } from "../kernel/files.ts";
import type { FileCalls } from "../kernel/port.ts";

/** Threads remembered; past it all are forgotten, as pids are used again anyway. */
const MAX_THREADS = 65536;

/**
 * Names of threads by `/proc`. A thread that has ended before it is looked up has no name, unless
 * the kernel's own `saved_cmdlines` tells it.
 */
export class CommResolver {
  readonly #kernel: FileCalls;
  readonly #savedCommands: string | undefined;
  readonly #names = new Map<number, string>();

  /** @param savedCommands path of tracefs' `saved_cmdlines`, where there is one. */
  constructor(kernel: FileCalls, savedCommands?: string) {
    this.#kernel = kernel;
    this.#savedCommands = savedCommands;
  }

  /** Name of thread `tid`, empty if it is not known. */
  readonly commOf = (tid: number): string => {
    const known = this.#names.get(tid);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_THREADS) this.#names.clear();
    const name = this.#lookUp(tid);
    this.#names.set(tid, name);
    return name;
  };

  #lookUp(tid: number): string {
    if (tid === 0) return "<idle>";
    const comm = tryReadText(this.#kernel, `/proc/${tid}/comm`);
    if (comm !== undefined) return comm.replace(/\n$/, "");
    if (this.#savedCommands === undefined) return "";
    const saved = tryReadText(this.#kernel, this.#savedCommands) ?? "";
    return new RegExp(`^${tid} (.*)$`, "m").exec(saved)?.[1] ?? "";
  }
}
