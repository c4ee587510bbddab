/**
 * Providers: programs that register user_events and write them.
 *
 * ```ts
 * const provider = await openProvider({ namespace: "shop" });
 * const placed = provider.event("checkout", { order_id: "u64", stage: "char[16]", note: "string" });
 * if (placed.enabled) placed.write({ order_id: 7n, stage: "paid", note: "…" });
 * ```
 *
 * A process registers from its main thread before it starts workers: the kernel finds enable words
 * by the thread that registered, and forgets them when that thread ends before others were started
 * from it. A forked child has the registrations of its parent; a program that is executed has none.
 * @module
 */

import { isKernelError, KernelError } from "../kernel/error.ts";
import type { Fd, Kernel, NativeCalls } from "../kernel/port.ts";
import {
  type Abi,
  detectAbi,
  REG_MULTI_FORMAT,
  REG_PERSIST,
  registerV1,
  registerV2,
  unregisterV2,
} from "./abi.ts";
import { type Carrier, findCarrier } from "./carrier.ts";
import { explainRegistration, findDataFile, openDataFile, type Unavailable } from "./data_file.ts";
import { ENABLE_BIT, EnableWords, StatusPage } from "./enable.ts";
import { type Fields, PayloadEncoder, type ValuesOf } from "./encode.ts";
import { registrationText } from "./field_type.ts";

/** Options of {@link openProvider}. */
export interface ProviderOptions {
  /** Namespace that the events are in; the root group without. */
  readonly namespace?: string;
  /** Path of `user_events_data`, where it is not at the usual place. */
  readonly path?: string;
  /** An open `user_events_data`, as a broker hands it over. It is not closed. */
  readonly fd?: Fd;
  /** Told why user_events cannot be used; a line on standard error without. */
  readonly onUnavailable?: (unavailable: Unavailable) => void;
}

/** Options of an event. */
export interface EventOptions {
  /** Whether it stays when nobody holds it; needs CAP_PERFMON, and version 2. */
  readonly persist?: boolean;
}

/** An event of a provider. */
export interface ProviderEvent<F extends Fields> {
  /** As a recorder sees it: `user_events.shop/checkout`. */
  readonly name: string;
  /** Whether somebody listens: one read of memory. */
  readonly enabled: boolean;
  /**
   * Writes the event, if somebody listens.
   * @returns whether the kernel took it; false if nobody listens.
   * @throws {FieldError} for a value that does not fit its field, or a payload over 4064 bytes.
   */
  write(values: ValuesOf<F>): boolean;
}

/** Where a program's user_events go. */
export interface Provider {
  /** Why events are always disabled; absent where they work. */
  readonly unavailable: Unavailable | undefined;
  /** What carries the namespace, and what that isolates; absent where nothing works. */
  readonly carrier: Carrier | undefined;
  /**
   * Registers an event.
   * @throws {RegistrationError} if the kernel refuses it.
   * @throws {ValueError} for a field type that user_events cannot have.
   */
  event<F extends Fields>(name: string, fields: F, options?: EventOptions): ProviderEvent<F>;
  /** Unregisters all events. They are disabled from then on. */
  close(): void;
}

const EVENT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

/** Opens a provider on a kernel. Where user_events cannot be used, its events are always disabled. */
export function openProviderOn(kernel: Kernel, options: ProviderOptions = {}): Provider {
  const opened = openData(kernel, options);
  if ("reason" in opened) {
    options.onUnavailable?.(opened);
    return { unavailable: opened, carrier: undefined, event: disabledEvent(options), close() {} };
  }
  return new KernelProvider(kernel, opened, options);
}

interface OpenedData {
  readonly fd: Fd;
  readonly native: NativeCalls;
  readonly abi: Abi;
  readonly carrier: Carrier;
}

function openData(kernel: Kernel, options: ProviderOptions): OpenedData | Unavailable {
  const { native } = kernel;
  if ("unavailable" in native) {
    return { reason: "no_native_calls", message: native.unavailable };
  }
  const place = findDataFile(kernel, options.path);
  if ("reason" in place && options.fd === undefined) return place;
  const tracefs = "reason" in place ? undefined : place.tracefs;
  const carrier = findCarrier(kernel, tracefs, options.namespace, options.fd !== undefined);
  const path = carrier.dataFile ?? (place as { readonly path: string }).path;
  const fd = options.fd ?? openDataFile(kernel, path);
  if (typeof fd !== "number") return fd;
  return { fd, native, abi: detectAbi(native, fd), carrier };
}

/** Events of a provider that has no kernel to write to. */
function disabledEvent(options: ProviderOptions): Provider["event"] {
  return (name, fields) => {
    requireName(name);
    registrationText(name, Object.entries(fields));
    const system = options.namespace === undefined
      ? "user_events"
      : `user_events.${options.namespace}`;
    return { name: `${system}/${name}`, enabled: false, write: () => false };
  };
}

function requireName(name: string): void {
  if (EVENT_NAME.test(name)) return;
  throw new TypeError(
    `"${name}" cannot be the name of a user_event: letters, digits, _, . and -, at most 200`,
  );
}

class KernelProvider implements Provider {
  readonly unavailable = undefined;
  readonly carrier: Carrier;
  readonly #kernel: Kernel;
  readonly #data: OpenedData;
  readonly #ownsFd: boolean;
  readonly #words: EnableWords;
  readonly #registered: bigint[] = [];
  #statusPage: StatusPage | undefined;
  #closed = false;

  constructor(kernel: Kernel, data: OpenedData, options: ProviderOptions) {
    this.#kernel = kernel;
    this.#data = data;
    this.#ownsFd = options.fd === undefined;
    this.#words = new EnableWords(data.native);
    this.carrier = data.carrier;
  }

  event<F extends Fields>(name: string, fields: F, options: EventOptions = {}): ProviderEvent<F> {
    requireName(name);
    if (this.#closed) throw new TypeError("The provider is closed");
    const kernelName = this.carrier.kernelName(name);
    const text = registrationText(kernelName, Object.entries(fields));
    const { isEnabled, writeIndex } = this.#data.abi.version === 2
      ? this.#registerV2(name, text, options)
      : this.#registerV1(name, text);
    const payload = new PayloadEncoder(fields, writeIndex);
    const isOpen = () => !this.#closed;
    return {
      name: `${this.carrier.system}/${name}`,
      get enabled() {
        return isEnabled() && isOpen();
      },
      write: (values) => isEnabled() && isOpen() && this.#write(payload.encode(values)),
    };
  }

  #registerV2(name: string, text: string, { persist = false }: EventOptions) {
    const { native, fd, abi, carrier } = this.#data;
    const word = this.#words.take();
    const flags = (persist ? REG_PERSIST : 0) |
      (carrier.multiFormat && abi.multiFormat ? REG_MULTI_FORMAT : 0);
    try {
      const writeIndex = registerV2(native, fd, {
        text,
        flags,
        enableAddress: word.address,
        enableBit: ENABLE_BIT,
      });
      this.#registered.push(word.address);
      return { isEnabled: word.isSet, writeIndex };
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      throw explainRegistration(name, error, true);
    }
  }

  #registerV1(name: string, text: string) {
    const { native, fd, carrier } = this.#data;
    try {
      this.#statusPage ??= new StatusPage(this.#kernel, native, carrier.statusFile);
      const { statusBit, writeIndex } = registerV1(native, fd, text);
      return { isEnabled: this.#statusPage.reader(statusBit), writeIndex };
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      throw explainRegistration(name, error, true);
    }
  }

  /** EBADF: the last listener went between the look and the write. */
  #write(bytes: Uint8Array): boolean {
    try {
      this.#kernel.write(this.#data.fd, bytes);
      return true;
    } catch (error) {
      if (isKernelError(error, "EBADF")) return false;
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { native, fd } = this.#data;
    // Before the words' memory goes: the kernel would write into what comes there next.
    for (const address of this.#registered) unregisterV2(native, fd, address, ENABLE_BIT);
    this.#words.free();
    this.#statusPage?.free();
    if (this.#ownsFd) this.#kernel.close(fd);
  }
}
