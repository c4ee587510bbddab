import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import {
  DEFINITION_FILES,
  type DefinitionFile,
  DynamicEvents,
} from "../../../../../plugins/simulated/kernel/dynamic/dynamic_events.ts";
import { TestHost } from "./host.ts";

interface LoggedError {
  readonly subsys: string;
  readonly text: string;
  readonly cmd: string;
  readonly caret: number;
}

interface Vector {
  readonly op: "write-append" | "write-trunc" | "read";
  readonly file: string;
  readonly input?: string;
  readonly errno?: string;
  readonly ret?: number;
  readonly error_log?: readonly LoggedError[];
  readonly after?: string;
  readonly data?: string;
}

/** What the recorder noted for a file that it could not open. */
const OPEN_FAILED = -2;

/** The files of events that the vectors use: `enable`, `id` and `format`. */
class EventFiles {
  readonly #events: DynamicEvents;
  readonly #host: TestHost;

  constructor(events: DynamicEvents, host: TestHost) {
    this.#events = events;
    this.#host = host;
  }

  #find(path: string) {
    const [, group, name] = path.split("/");
    return [...this.#events.events()].find((e) => e.group === group && e.name === name);
  }

  write(path: string, text: string): void {
    const event = this.#find(path);
    assert.ok(event !== undefined, path);
    if (text === "1") this.#host.enabled.add(event);
    else this.#host.enabled.delete(event);
  }

  read(path: string): string {
    const event = this.#find(path);
    if (event === undefined) return "<open errno 2>";
    return path.endsWith("/id") ? `${event.id}\n` : event.format();
  }
}

function isDefinitionFile(file: string): file is DefinitionFile {
  return (DEFINITION_FILES as readonly string[]).includes(file);
}

/** Carries vectors out in order, as the kernels did, and says what came of each. */
class Replay {
  readonly #host: TestHost;
  readonly #events: DynamicEvents;
  readonly #files: EventFiles;

  constructor(version: "6.12" | "6.1") {
    this.#host = new TestHost(version);
    this.#events = new DynamicEvents(this.#host);
    this.#files = new EventFiles(this.#events, this.#host);
  }

  run(vector: Vector): Partial<Vector> {
    if (vector.op === "read") return { data: this.#read(vector.file) };
    this.#events.errors.clear();
    const answer = this.#write(vector);
    const errors = this.#events.errors.errors.map((error) => ({
      subsys: error.subsystem,
      text: error.text,
      cmd: error.command,
      caret: error.position,
    }));
    // The recorder read back only definition files, and only those that it could open.
    const readBack = isDefinitionFile(vector.file) && answer.ret !== OPEN_FAILED
      ? this.#events.read(vector.file)
      : "";
    const after = vector.after === undefined ? {} : { after: readBack };
    return { ...answer, ...(errors.length > 0 ? { error_log: errors } : {}), ...after };
  }

  #read(file: string): string {
    return isDefinitionFile(file) ? this.#events.read(file) : this.#files.read(file);
  }

  #write(vector: Vector): { errno: string; ret: number } {
    const data = Buffer.from(vector.input ?? "", "latin1");
    try {
      if (!isDefinitionFile(vector.file)) {
        this.#files.write(vector.file, vector.input ?? "");
        return { errno: "0", ret: data.length };
      }
      if (vector.op === "write-trunc") this.#events.truncate(vector.file);
      return { errno: "0", ret: this.#events.write(vector.file, data) };
    } catch (error) {
      if (!isKernelError(error)) throw error;
      return { errno: error.code, ret: error.call === "open" ? OPEN_FAILED : -1 };
    }
  }
}

function load(version: string): Vector[] {
  const url = new URL(`../../vectors/kprobe-${version}.jsonl`, import.meta.url);
  return readFileSync(url, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Vector);
}

function expected(vector: Vector): Partial<Vector> {
  const { data, errno, ret, error_log, after } = vector;
  const all = { data, errno, ret, error_log, after };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

for (const version of ["6.12", "6.1"] as const) {
  describe(`what Linux ${version} answered`, () => {
    const replay = new Replay(version);
    for (const [i, vector] of load(version).entries()) {
      const subject = (vector.input ?? `read ${vector.file}`).slice(0, 80).trimEnd();
      it(`${i + 1}: ${JSON.stringify(subject)}`, () => {
        assert.deepEqual(replay.run(vector), expected(vector));
      });
    }
  });
}
