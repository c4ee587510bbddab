import type { CapturedEvent } from "../../core/backend.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { exists, tryReadText, writeText } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";
import type { Probe, UserEventProbe } from "../../core/probe/probe.ts";

/** A directory under `events/`. */
export interface EventPlace {
  readonly system: string;
  readonly event: string;
}

/** Events whose entries a probe records: its own, and of a user_event all formats of its name. */
export function eventPlaces(kernel: FileCalls, root: string, probe: Probe): EventPlace[] {
  return probe.kind === "user_event"
    ? userEventPlaces(kernel, root, probe)
    : [{ system: probe.group, event: probe.event }];
}

/**
 * The events that carry `user_events.NS/EVENT` on this kernel: one of that system where the kernel
 * has namespaces, else `NS.EVENT` of the root group, alone or with several formats (`NS.EVENT.1f`).
 */
function userEventPlaces(kernel: FileCalls, root: string, probe: UserEventProbe): EventPlace[] {
  const { namespace, event } = probe;
  const name = namespace === undefined ? event : `${namespace}.${event}`;
  const places = [
    ...(namespace === undefined ? [] : [{ system: `user_events.${namespace}`, event }]),
    { system: "user_events", event: name },
  ].filter(({ system, event }) => exists(kernel, `${root}/events/${system}/${event}/format`));
  const multi = `${root}/events/user_events_multi`;
  const formats = exists(kernel, multi)
    ? kernel.list(multi).filter((other) =>
      other.startsWith(`${name}.`) && /^[0-9a-fA-F]+$/.test(other.slice(name.length + 1))
    )
    : [];
  return [...places, ...formats.map((event) => ({ system: "user_events_multi", event }))];
}

/** A probe's event as users see it, whatever carries it. */
export function eventName(probe: Probe): string {
  return `${probe.group}/${probe.event}`;
}

/** Programs may register their events after the recorder has started: looks for those. */
export class UserEventWatch {
  readonly #kernel: FileCalls;
  readonly #root: string;
  readonly #instance: string;
  readonly #probes: readonly UserEventProbe[];
  /** Formats that are recorded, by the event's directory. An event may go and come again. */
  readonly #known = new Map<string, string>();

  /** @param instance directory of the trace's instance. */
  constructor(kernel: FileCalls, root: string, instance: string, probes: readonly Probe[]) {
    this.#kernel = kernel;
    this.#root = root;
    this.#instance = instance;
    this.#probes = probes.filter((probe) => probe.kind === "user_event");
  }

  /**
   * Enables what is new, in the trace's instance, with which it goes again.
   * @returns the events that are new, or have another format than before.
   */
  look(): CapturedEvent[] {
    return this.#probes.flatMap((probe) =>
      userEventPlaces(this.#kernel, this.#root, probe).flatMap(({ system, event }) => {
        const directory = `${this.#instance}/events/${system}/${event}`;
        const format = tryReadText(this.#kernel, `${directory}/format`);
        if (format === undefined || this.#known.get(directory) === format) return [];
        if (!this.#enable(directory, probe)) return [];
        this.#known.set(directory, format);
        return [{ probe: probe.id, event: eventName(probe), format }];
      })
    );
  }

  /** Whether the event could be enabled; it may go at any moment, and then there is nothing to do. */
  #enable(directory: string, { filter }: UserEventProbe): boolean {
    try {
      if (filter !== undefined) writeText(this.#kernel, `${directory}/filter`, filter);
      writeText(this.#kernel, `${directory}/enable`, "1");
      return true;
    } catch (error) {
      if (isKernelError(error, "ENOENT", "ENODEV")) return false;
      throw error;
    }
  }
}
