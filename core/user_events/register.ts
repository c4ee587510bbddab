/**
 * Registering the user_events of a config, for programs that come later.
 * @module
 */

import type { Config } from "../config/config.ts";
import { isKernelError } from "../kernel/error.ts";
import { tryReadText } from "../kernel/files.ts";
import type { Kernel } from "../kernel/port.ts";
import { deleteEvent } from "./abi.ts";
import type { Carrier } from "./carrier.ts";
import { RegistrationError, type Unavailable, type UnavailableReason } from "./data_file.ts";
import type { Fields } from "./encode.ts";
import { parseStatus } from "./status.ts";
import { openProviderOn, type Provider } from "./provider.ts";

/** user_events cannot be used here. */
export class UnavailableError extends Error {
  readonly reason: UnavailableReason;

  constructor({ reason, message }: Unavailable) {
    super(message);
    this.name = "UnavailableError";
    this.reason = reason;
  }
}

/** An event that was registered. */
export interface RegisteredEvent {
  /** As users see it: `user_events.shop/checkout`. */
  readonly name: string;
  /** Whether it stays when nobody holds it. */
  readonly stays: boolean;
  /** Why it does not stay although it was to; absent where it does, or was not to. */
  readonly heldBecause?: string;
}

/** Events that are registered until {@link Registration.close}; those that stay, beyond it. */
export interface Registration {
  readonly events: readonly RegisteredEvent[];
  /** What carries each namespace that has events, the root group included. */
  readonly carriers: readonly Carrier[];
  /** Lets go of all events. What this registration made and was not to stay is gone then. */
  close(): void;
}

/**
 * Registers all `user_events` of a config. An event that is to stay, where it cannot, is held.
 *
 * @throws {UnavailableError} where user_events cannot be used.
 * @throws {RegistrationError} if the kernel refuses an event; of those before it only what
 * stays is left.
 */
export function registerEvents(kernel: Kernel, config: Config): Registration {
  const groups = new Map<string | undefined, Group>();
  const close = () => groups.forEach((group) => group.close());
  try {
    const events = Object.entries(config.user_events).map(([name, event]) => {
      const group = groups.get(event.namespace) ?? new Group(kernel, event.namespace);
      groups.set(event.namespace, group);
      return group.register(name, event.fields as Fields, event.persist);
    });
    return { events, carriers: [...groups.values()].map(({ carrier }) => carrier), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The events of one namespace. */
class Group {
  readonly carrier: Carrier;
  readonly #kernel: Kernel;
  readonly #provider: Provider;
  /** Names that version 1 had before; it keeps events until they are deleted. */
  readonly #before: ReadonlySet<string>;
  readonly #toDelete: string[] = [];

  constructor(kernel: Kernel, namespace: string | undefined) {
    this.#kernel = kernel;
    this.#provider = openProviderOn(kernel, { namespace });
    const { unavailable, carrier } = this.#provider;
    if (unavailable !== undefined) throw new UnavailableError(unavailable);
    this.carrier = carrier!;
    const status = tryReadText(kernel, this.carrier.statusFile) ?? "";
    this.#before = new Set(parseStatus(status).map(({ name }) => name));
  }

  register(name: string, fields: Fields, persist: boolean): RegisteredEvent {
    if (this.#provider.abi!.version === 1) {
      const { name: shown } = this.#provider.event(name, fields);
      const kernelName = this.carrier.kernelName(name);
      const isOurs = !this.#before.has(kernelName);
      if (!persist && isOurs) this.#toDelete.push(kernelName);
      return { name: shown, stays: persist || !isOurs };
    }
    if (!persist) return { name: this.#provider.event(name, fields).name, stays: false };
    try {
      const { name: shown } = this.#provider.event(name, fields, { persist });
      return { name: shown, stays: true };
    } catch (error) {
      if (!(error instanceof RegistrationError) || !CANNOT_STAY.includes(error.code)) throw error;
      const { name: shown } = this.#provider.event(name, fields);
      return { name: shown, stays: false, heldBecause: error.message };
    }
  }

  close(): void {
    this.#provider.close();
    const { native } = this.#kernel;
    if (this.#toDelete.length === 0 || "unavailable" in native) return;
    const fd = this.#kernel.open(this.carrier.dataFile!, { access: "write" });
    try {
      for (const name of this.#toDelete.splice(0)) {
        try {
          deleteEvent(native, fd, name);
        } catch (error) {
          // Other programs hold it meanwhile, or have deleted it.
          if (!isKernelError(error, "EBUSY", "ENOENT")) throw error;
        }
      }
    } finally {
      this.#kernel.close(fd);
    }
  }
}

const CANNOT_STAY: readonly string[] = ["EPERM", "EOPNOTSUPP"];
