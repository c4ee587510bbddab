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
import { checkName, FIELD_NAME, type NameRule, NAMESPACE } from "../config/names.ts";
import { ValueError } from "../config/units.ts";
import { type Carrier, findCarrier, withOneFormat } from "./carrier.ts";
import { explainRegistration, findDataFile, openDataFile, type Unavailable } from "./data_file.ts";
import { ENABLE_BIT, EnableWords, StatusPage } from "./enable.ts";
import { type Fields, PayloadEncoder, type ValuesOf } from "./encode.ts";
import { MAX_REGISTRATION, registrationText } from "./field_type.ts";

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
  /**
   * Whether somebody listens: one read of memory. Always true on version 1 where the status file
   * cannot be opened; there the kernel refuses the write if nobody listens.
   */
  readonly enabled: boolean;
  /**
   * Writes the event, if somebody listens.
   * @returns whether the kernel took it; false if nobody listens.
   * @throws {FieldError} for a value that does not fit its field, or a payload over 4064 bytes.
   * @throws {KernelError} for any other refusal of the kernel.
   */
  write(values: ValuesOf<F>): boolean;
}

/** Where a program's user_events go. */
export interface Provider {
  /** Why events are always disabled; absent where they work. */
  readonly unavailable: Unavailable | undefined;
  /** What carries the namespace, and what that isolates; absent where nothing works. */
  readonly carrier: Carrier | undefined;
  /** The kernel's interface; absent where nothing works. */
  readonly abi: Abi | undefined;
  /**
   * Registers an event.
   * @throws {RegistrationError} if the kernel refuses it.
   * @throws {ValueError} for a field type that user_events cannot have, or too many fields.
   * @throws {FieldError} for fields of fixed size that fill more than 4064 bytes.
   * @throws {TypeError} for a name that user_events cannot have.
   */
  event<F extends Fields>(name: string, fields: F, options?: EventOptions): ProviderEvent<F>;
  /** Unregisters all events. They are disabled from then on. */
  close(): void;
}

const EVENT_NAME: NameRule = {
  what: "user_event",
  pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  max: 200,
  shape: 'letters, digits, "_", "." and "-", at most 200',
};

/** Opens a provider on a kernel. Where user_events cannot be used, its events are always disabled. */
export function openProviderOn(kernel: Kernel, options: ProviderOptions = {}): Provider {
  if (options.namespace !== undefined) requireName(NAMESPACE, options.namespace);
  const opened = openData(kernel, options);
  if ("reason" in opened) {
    options.onUnavailable?.(opened);
    return {
      unavailable: opened,
      carrier: undefined,
      abi: undefined,
      event: disabledEvent(options),
      close() {},
    };
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
  const carrier = carrierOf(kernel, tracefs, options);
  if ("reason" in carrier) return carrier;
  const fd = options.fd ?? openDataFile(kernel, carrier.dataFile!);
  if (typeof fd !== "number") return fd;
  const abi = detectAbi(native, fd);
  return { fd, native, abi, carrier: abi.multiFormat ? carrier : withOneFormat(carrier) };
}

function carrierOf(
  kernel: Kernel,
  tracefs: string | undefined,
  { namespace, fd }: ProviderOptions,
): Carrier | Unavailable {
  try {
    return findCarrier(kernel, tracefs, namespace, fd !== undefined);
  } catch (error) {
    if (!isKernelError(error, "EACCES", "EPERM")) throw error;
    return {
      reason: "no_permission",
      message: `Namespace "${namespace}" may not be made (${error.code}): ` +
        "have root make it, and give this process permission on its user_events_data",
    };
  }
}

/** Events of a provider that has no kernel to write to. */
function disabledEvent(options: ProviderOptions): Provider["event"] {
  return (name, fields) => {
    checkedText(name, name, fields);
    new PayloadEncoder(fields);
    const system = options.namespace === undefined
      ? "user_events"
      : `user_events.${options.namespace}`;
    return { name: `${system}/${name}`, enabled: false, write: () => false };
  };
}

/** The text that registers an event as `kernelName`. The kernel checks next to nothing of it. */
function checkedText(name: string, kernelName: string, fields: Fields): string {
  requireName(EVENT_NAME, name);
  for (const field of Object.keys(fields)) requireName(FIELD_NAME, field);
  const text = registrationText(kernelName, Object.entries(fields));
  if (text.length > MAX_REGISTRATION) {
    throw new ValueError(
      `The registration of "${name}" has ${text.length} characters`,
      `The kernel takes ${MAX_REGISTRATION}; use fewer fields or shorter names`,
    );
  }
  return text;
}

function requireName(rule: NameRule, name: string): void {
  const wrong = checkName(rule, name);
  if (wrong !== undefined) throw new TypeError(`${wrong.message}. ${wrong.hint}`);
}

class KernelProvider implements Provider {
  readonly unavailable = undefined;
  readonly carrier: Carrier;
  readonly abi: Abi;
  readonly #kernel: Kernel;
  readonly #data: OpenedData;
  readonly #ownsFd: boolean;
  readonly #words: EnableWords;
  readonly #registered: bigint[] = [];
  #statusPage: StatusPage | "none" | undefined;
  #closed = false;

  constructor(kernel: Kernel, data: OpenedData, options: ProviderOptions) {
    this.#kernel = kernel;
    this.#data = data;
    this.#ownsFd = options.fd === undefined;
    this.#words = new EnableWords(data.native);
    this.carrier = data.carrier;
    this.abi = data.abi;
  }

  event<F extends Fields>(name: string, fields: F, options: EventOptions = {}): ProviderEvent<F> {
    if (this.#closed) throw new TypeError("The provider is closed");
    const text = checkedText(name, this.carrier.kernelName(name), fields);
    const payload = new PayloadEncoder(fields);
    const { isEnabled, writeIndex } = this.#data.abi.version === 2
      ? this.#registerV2(name, text, options)
      : this.#registerV1(name, text);
    payload.writeIndex = writeIndex;
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
    if (persist && !abi.persist) {
      throw explainRegistration(name, new KernelError("EOPNOTSUPP", "ioctl"));
    }
    const word = this.#words.take();
    const flags = (persist ? REG_PERSIST : 0) |
      (carrier.multiFormat ? REG_MULTI_FORMAT : 0);
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
      throw explainRegistration(name, error);
    }
  }

  #registerV1(name: string, text: string) {
    const { native, fd, carrier } = this.#data;
    try {
      this.#statusPage ??= StatusPage.open(this.#kernel, native, carrier.statusFile) ?? "none";
      const { statusBit, writeIndex } = registerV1(native, fd, text);
      const page = this.#statusPage;
      return { isEnabled: page === "none" ? () => true : page.reader(statusBit), writeIndex };
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      throw explainRegistration(name, error);
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
    const unregistered = this.#registered.map((address) => unregister(native, fd, address));
    // A word that the kernel still knows keeps its memory: it would write into what comes next.
    if (unregistered.every((gone) => gone)) this.#words.free();
    if (this.#statusPage !== "none") this.#statusPage?.free();
    if (this.#ownsFd) this.#kernel.close(fd);
  }
}

/** Whether the kernel forgot the word; not if another thread, or the process before a fork, has it. */
function unregister(native: NativeCalls, fd: Fd, address: bigint): boolean {
  try {
    unregisterV2(native, fd, address, ENABLE_BIT);
    return true;
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return false;
  }
}
