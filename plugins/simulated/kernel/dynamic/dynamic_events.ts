import { isKernelError, KernelError } from "../../../../core/kernel/error.ts";
import { eprobeParser } from "./eprobe.ts";
import { ErrorLog } from "./error_log.ts";
import type { DynamicEvent } from "./event.ts";
import { fprobeParser } from "./fprobe.ts";
import type { DynamicHost } from "./host.ts";
import { kprobeParser } from "./kprobe.ts";
import { refuse } from "./probe_log.ts";
import { type DynamicParser, Registry } from "./registry.ts";
import { runCommands } from "./run_command.ts";
import { SyntheticEvents } from "./synthetic.ts";
import { SYNTHETIC_GROUP } from "./synthetic_event.ts";
import { uprobeParser } from "./uprobe.ts";

/** The files that dynamic events are defined in. */
export const DEFINITION_FILES = [
  "kprobe_events",
  "uprobe_events",
  "dynamic_events",
  "synthetic_events",
] as const;

/** A file that dynamic events are defined in. */
export type DefinitionFile = typeof DEFINITION_FILES[number];

/**
 * The dynamic events of a kernel and the files they are defined in: what a write
 * does, what a read shows, which errors are logged (kernel/trace/trace_dynevent.c).
 */
export class DynamicEvents {
  /** `error_log` of the global instance, which all these files write to. */
  readonly errors: ErrorLog;
  /** The list behind the files, for kinds of events that live elsewhere. */
  readonly registry: Registry;
  readonly #kprobes: DynamicParser;
  readonly #uprobes: DynamicParser;
  readonly #synthetic: SyntheticEvents;

  constructor(host: DynamicHost) {
    this.errors = new ErrorLog(() => host.now());
    this.registry = new Registry(host, this.errors);
    this.#kprobes = kprobeParser(this.registry);
    this.#uprobes = uprobeParser(this.registry);
    this.#synthetic = new SyntheticEvents(this.registry);
    // No two kinds start with the same letter, but for uprobes, which yield to kprobes.
    this.registry.addParser(this.#kprobes);
    this.registry.addParser(eprobeParser(this.registry));
    if (host.version === "6.12") this.registry.addParser(fprobeParser(this.registry));
    this.registry.addParser(this.#synthetic);
    this.registry.addParser(this.#uprobes);
  }

  /**
   * Writes to a file: definitions and deletes, a line each.
   *
   * @returns bytes written: all of them
   * @throws {KernelError} what the first line that fails says; those before it are
   * carried out, those after it are not
   */
  write(file: DefinitionFile, data: Uint8Array): number {
    inCall("write", file, () => runCommands(data, (line) => this.#run(file, line)));
    return data.length;
  }

  /**
   * Opens a file with O_TRUNC: deletes its events, for `dynamic_events` all there are.
   *
   * @throws {KernelError} EBUSY if one of them is in use
   */
  truncate(file: DefinitionFile): void {
    inCall("open", file, () => this.registry.deleteAll(this.#parserOf(file)));
  }

  /** The file as a reader sees it, one character a byte. */
  read(file: DefinitionFile): string {
    const parser = this.#parserOf(file);
    let text = "";
    for (const entry of this.registry.entries) {
      if (parser !== undefined && entry.parser !== parser) continue;
      const line = entry.show();
      const prefix = parser === this.#synthetic ? `s:${SYNTHETIC_GROUP}/`.length : 0;
      text += `${line.slice(prefix)}\n`;
    }
    return text;
  }

  /** All dynamic events that are defined here. */
  events(): Iterable<DynamicEvent> {
    return this.registry.events();
  }

  /** The kind whose events a file holds; nothing for all. */
  #parserOf(file: DefinitionFile): DynamicParser | undefined {
    switch (file) {
      case "kprobe_events":
        return this.#kprobes;
      case "uprobe_events":
        return this.#uprobes;
      case "synthetic_events":
        return this.#synthetic;
      case "dynamic_events":
        return undefined;
    }
  }

  #run(file: DefinitionFile, line: string): void {
    if (file === "synthetic_events") return this.#synthetic.createOrDelete(line);
    const parser = this.#parserOf(file);
    if (line.startsWith("-") || (parser === undefined && line.startsWith("!"))) {
      return this.registry.delete(line, parser);
    }
    const parsers = parser === undefined ? this.registry.parsers : [parser];
    if (parsers.every((candidate) => candidate.create(line) === "not mine")) refuse("EINVAL");
  }
}

/** Says in which call and on which file the kernel refused. */
function inCall(call: "write" | "open", file: DefinitionFile, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isKernelError(error)) throw error;
    throw new KernelError(error.errno, call, file, { cause: error });
  }
}
