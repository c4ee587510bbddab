import { KernelError } from "../../../core/kernel/error.ts";
import { readBytes } from "../../../core/kernel/files.ts";
import type { Fd, Kernel } from "../../../core/kernel/port.ts";
import { parseErrorLog } from "../../../plugins/tracefs/error_log.ts";
import type { Answer, LoggedError, Operation } from "./operation.ts";

/** Calls a function of the kernel, where that can be done from outside: on the simulated one. */
export type CallFunction = (operation: Operation) => void;

/** Files that list what was written to them: what they hold then belongs to the answer. */
const DEFINITION_FILE = /^(kprobe|uprobe|dynamic|synthetic)_events$/;

const MAX_READ = 1 << 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Carries operations out on one kernel, with descriptors that stay open between them. */
export class Carrier {
  readonly #kernel: Kernel;
  readonly #root: string;
  readonly #call: CallFunction | undefined;
  readonly #open = new Map<string, Fd>();

  constructor(kernel: Kernel, root: string, call?: CallFunction) {
    this.#kernel = kernel;
    this.#root = root;
    this.#call = call;
  }

  /** Carries one operation out; whatever the kernel says is an answer. */
  carryOut(operation: Operation): Answer {
    switch (operation.op) {
      case "write-append":
      case "write-trunc":
        return this.#write(operation);
      case "read":
        return operation.fd === undefined
          ? { data: this.#content(operation.file!) }
          : this.#readFrom(operation.fd);
      default:
        return this.#logged(() => this.#perform(operation));
    }
  }

  /** Opens the file, writes once, closes it. */
  #write({ op, file, input = "" }: Operation): Answer {
    const path = `${this.#root}/${file}`;
    const answer = this.#logged(() => {
      let fd: Fd;
      try {
        const truncate = op === "write-trunc";
        fd = this.#openDirectly(path, truncate);
      } catch (error) {
        return { ...failure(error), ret: -2 };
      }
      try {
        return { errno: "0", ret: this.#kernel.write(fd, encoder.encode(input)) };
      } catch (error) {
        return failure(error);
      } finally {
        this.#kernel.close(fd);
      }
    });
    const isListed = answer.ret !== -2 && DEFINITION_FILE.test(file!);
    return { ...answer, after: isListed ? this.#content(file!) : "" };
  }

  #openDirectly(path: string, truncate: boolean): Fd {
    return this.#kernel.open(path, {
      access: "write",
      append: !truncate,
      truncate,
    });
  }

  #perform(operation: Operation): Answer {
    try {
      return { errno: "0", ret: this.#run(operation) };
    } catch (error) {
      return failure(error);
    }
  }

  #run({ op, file, fd, access = "read", input = "", request = 0, arg = 0, ...rest }: Operation) {
    const path = `${this.#root}/${file}`;
    switch (op) {
      case "mkdir":
        this.#kernel.mkdir(path, 0o750);
        return 0;
      case "rmdir":
        this.#kernel.rmdir(path);
        return 0;
      case "open":
        this.#open.set(fd!, this.#kernel.open(path, { access, nonblock: true }));
        return 0;
      case "close":
        this.#kernel.close(this.#descriptor(fd!));
        this.#open.delete(fd!);
        return 0;
      case "write":
        return this.#kernel.write(this.#descriptor(fd!), encoder.encode(input));
      case "ioctl":
        if ("unavailable" in this.#kernel.native) throw new KernelError("ENOSYS", "ioctl");
        return this.#kernel.native.ioctl(this.#descriptor(fd!), request, arg);
      case "call":
        if (this.#call === undefined) throw new KernelError("ENOSYS", "call");
        this.#call({ op, ...rest });
        return 0;
      default:
        throw new TypeError(`Unknown operation "${op}"`);
    }
  }

  #descriptor(name: string): Fd {
    const fd = this.#open.get(name);
    if (fd === undefined) throw new KernelError("EBADF", "lookup");
    return fd;
  }

  #readFrom(name: string): Answer {
    const bytes = new Uint8Array(MAX_READ);
    try {
      const count = this.#kernel.read(this.#descriptor(name), bytes);
      return { errno: "0", ret: count, data: decoder.decode(bytes.subarray(0, count)) };
    } catch (error) {
      return failure(error);
    }
  }

  #content(file: string): string {
    try {
      return decoder.decode(readBytes(this.#kernel, `${this.#root}/${file}`));
    } catch (error) {
      if (error instanceof KernelError) return `<${error.call} errno ${error.errno}>`;
      throw error;
    }
  }

  /** Runs an operation on an empty `error_log` and adds what it left there. */
  #logged(run: () => Answer): Answer {
    const path = `${this.#root}/error_log`;
    this.#kernel.close(this.#kernel.open(path, { access: "write", truncate: true }));
    const answer = run();
    const log = parseErrorLog(this.#content("error_log"));
    if (log.length === 0) return answer;
    const entries = log.map(({ subsystem, text, command, caret }): LoggedError => ({
      subsys: subsystem,
      text,
      cmd: command,
      caret,
    }));
    return { ...answer, error_log: entries };
  }
}

function failure(error: unknown): Answer {
  if (error instanceof KernelError) return { errno: error.code, ret: -1 };
  throw error;
}
