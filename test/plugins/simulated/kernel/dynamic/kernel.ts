import { Buffer } from "node:buffer";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import {
  type DefinitionFile,
  DynamicEvents,
} from "../../../../../plugins/simulated/kernel/dynamic/dynamic_events.ts";
import type { DynamicEvent } from "../../../../../plugins/simulated/kernel/dynamic/event.ts";
import { TestHost } from "./host.ts";

/** The definition files over {@link TestHost}, with short ways to ask them. */
export class TestKernel {
  readonly host: TestHost;
  readonly events: DynamicEvents;

  constructor(version: "6.12" | "6.1" = "6.12") {
    this.host = new TestHost(version);
    this.events = new DynamicEvents(this.host);
  }

  /** Writes a text, one character a byte: `"ok"`, or the error number and what was logged. */
  write(file: DefinitionFile, text: string): string {
    this.events.errors.clear();
    try {
      this.events.write(file, Buffer.from(text, "latin1"));
      return "ok";
    } catch (error) {
      if (!isKernelError(error)) throw error;
      const logged = this.events.errors.errors.map((e) => `${e.text} @${e.position}`);
      return [error.code, ...logged].join("; ");
    }
  }

  /** Writes to `kprobe_events`. */
  kprobe(text: string): string {
    return this.write("kprobe_events", text);
  }

  /** Writes to `dynamic_events`. */
  dynamic(text: string): string {
    return this.write("dynamic_events", text);
  }

  /** Opens a file with O_TRUNC: `"ok"`, or the error number. */
  truncate(file: DefinitionFile): string {
    try {
      this.events.truncate(file);
      return "ok";
    } catch (error) {
      if (!isKernelError(error)) throw error;
      return error.code;
    }
  }

  /** The lines of a file. */
  lines(file: DefinitionFile = "dynamic_events"): string[] {
    return this.events.read(file).split("\n").slice(0, -1);
  }

  /** The event with a name, `group/name`. */
  event(name: string): DynamicEvent {
    const found = [...this.events.events()].find((e) => `${e.group}/${e.name}` === name);
    if (found === undefined) throw new TypeError(`no event "${name}"`);
    return found;
  }
}
