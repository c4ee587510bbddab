/**
 * The `namespaces` directory that the tracing namespace patches of 2022 add to tracefs: each
 * directory in it is a group of user_events with a name of its own.
 *
 * Source: "tracing: Add tracing namespace API" and the patches behind it,
 * 20220707215828.2021-1-beaub@linux.microsoft.com and
 * 20220728235241.2249-1-beaub@linux.microsoft.com on linux-trace-devel.
 * @module
 */
import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import { parseUnsigned } from "../dynamic/numbers.ts";
import { runCommands } from "../dynamic/run_command.ts";
import { toBytes } from "./byte_string.ts";
import { CyclicIds } from "./cyclic_ids.ts";
import { type Group, MAX_LIMIT } from "./group.ts";
import type { Task, UserEventsHost } from "./host.ts";
import type { UserEvents } from "./user_events.ts";

const MAX_NAME = 255;
const LIMIT_OPTION = "user_events_limit";

/** One tracing namespace. */
export interface Namespace {
  /** A byte string. */
  readonly name: string;
  /** Also that of its group of user_events; from 1. */
  readonly id: number;
  readonly group: Group;
  /** Open files of its options. */
  openOptions: number;
}

/** The directory `namespaces`. Nothing but namespaces can be made or removed there (EPERM). */
export class Namespaces {
  #host: UserEventsHost;
  #userEvents: UserEvents;
  #ids = new CyclicIds(1, 2 ** 31 - 1);
  #byName = new Map<string, Namespace>();

  constructor(host: UserEventsHost, userEvents: UserEvents) {
    this.#host = host;
    this.#userEvents = userEvents;
  }

  /** The namespaces there are, oldest first. */
  list(): Namespace[] {
    return [...this.#byName.values()];
  }

  /** The namespace of this name. */
  get(name: string): Namespace | undefined {
    return this.#byName.get(name);
  }

  /**
   * mkdir(2). The caller checks that the directory may be written.
   *
   * @param name a byte string without `/`
   * @throws KernelError ENAMETOOLONG; EEXIST; ENOMEM for one who is not root, because the kernel
   * makes what is inside with the caller's rights
   */
  mkdir(name: string, task: Task): Namespace {
    if (name.length > MAX_NAME) fail("ENAMETOOLONG", "mkdir", name);
    if (this.#byName.has(name)) fail("EEXIST", "mkdir", name);
    if (!this.#host.capable(task, "CAP_DAC_OVERRIDE")) fail("ENOMEM", "mkdir", name);
    const id = this.#ids.allocate() ?? fail("ENOMEM", "mkdir", name);
    const group = this.#userEvents.createGroup(id, name);
    group.release();
    const namespace = { name, id, group, openOptions: 0 };
    this.#byName.set(name, namespace);
    return namespace;
  }

  /**
   * rmdir(2): takes the idle events of a namespace with it.
   *
   * @throws KernelError ENOENT; EBUSY while its options, data or status are open, its status is
   * mapped, or an event is held by anybody
   */
  rmdir(name: string): void {
    const namespace = this.#byName.get(name) ?? fail("ENOENT", "rmdir", name);
    const { group } = namespace;
    const events = [...group.table];
    const held = namespace.openOptions > 0 || group.references > 1;
    if (held || events.some((event) => !event.idle)) fail("EBUSY", "rmdir", name);
    for (const event of events) group.destroy(event);
    this.#userEvents.unlinkGroup(group);
    this.#ids.free(namespace.id);
    this.#byName.delete(name);
  }

  /** open(2) of the `options` of a namespace. */
  openOptions(namespace: Namespace): OptionsFile {
    return new OptionsFile(namespace);
  }
}

/** An open `options` file: one `key=value` line for each option. */
export class OptionsFile {
  #namespace: Namespace;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
    namespace.openOptions++;
  }

  /** The text, made new. */
  text(): Uint8Array {
    return toBytes(`${LIMIT_OPTION}=${this.#namespace.group.limit}\n`);
  }

  /**
   * write(2) of lines `user_events_limit=N`, N from 1 to 32767, decimal, `0x` or octal. A lower
   * limit takes no event away.
   *
   * @returns the bytes taken
   * @throws KernelError EINVAL at the first other line, blank ones and comments included; the
   * lines before it stay done
   */
  write(bytes: Uint8Array): number {
    runCommands(bytes, (line) => {
      const [key, value, ...more] = line.split("=");
      const known = key === LIMIT_OPTION && value !== undefined && more.length === 0;
      const limit = known ? Number(parseUnsigned(value, 0)) : NaN;
      if (!(limit >= 1 && limit <= MAX_LIMIT)) fail("EINVAL", "write", "options");
      this.#namespace.group.limit = limit;
    });
    return bytes.length;
  }

  /** The last close. */
  close(): void {
    this.#namespace.openOptions--;
  }
}

function fail(code: ErrnoCode, call: string, path: string): never {
  throw new KernelError(code, call, path);
}
