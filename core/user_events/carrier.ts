/**
 * What carries a namespace of user_events on the kernel at hand. Only the patches of 2022 have
 * namespaces in the kernel; elsewhere a namespace is a prefix of the names, and says so.
 * @module
 */

import { isKernelError } from "../kernel/error.ts";
import { exists } from "../kernel/files.ts";
import type { Kernel } from "../kernel/port.ts";

/** How a namespace is carried: by the kernel, by a prefix of its names, or not at all (the root). */
export type CarrierKind = "root" | "kernel" | "emulated";

/** What programs of two namespaces cannot do to each other. */
export interface Isolation {
  /** Use the same event name. */
  readonly names: boolean;
  /** Take a name with other fields. */
  readonly formats: boolean;
  /** Delete an event. */
  readonly deletion: boolean;
  /** See that an event exists. */
  readonly visibility: boolean;
  /** Use up the events that may be registered. */
  readonly quota: boolean;
}

/** Where the events of a namespace live. */
export interface Carrier {
  readonly kind: CarrierKind;
  /** The system that users see, whatever carries it: `user_events.shop`. */
  readonly system: string;
  readonly isolation: Isolation;
  /** Files of the group; the data file is absent where only a descriptor is at hand. */
  readonly dataFile: string | undefined;
  readonly statusFile: string;
  /** Whether events are to be registered with several formats of a name. */
  readonly multiFormat: boolean;
  /** The name that the kernel gets for event `name`. */
  kernelName(name: string): string;
}

const NOTHING: Isolation = {
  names: false,
  formats: false,
  deletion: false,
  visibility: false,
  quota: false,
};

/**
 * The carrier of `namespace` (the root group without one).
 *
 * @param tracefs directory that holds the files; undefined where only a descriptor is at hand.
 * @param given whether the data file is an open descriptor, which no carrier can choose.
 * @throws {KernelError} if the namespace's directory cannot be made.
 */
export function findCarrier(
  kernel: Kernel,
  tracefs: string | undefined,
  namespace: string | undefined,
  given = false,
): Carrier {
  const root = tracefs ?? "/sys/kernel/tracing";
  const dataFile = given ? undefined : `${root}/user_events_data`;
  const statusFile = `${root}/user_events_status`;
  if (namespace === undefined) {
    return {
      kind: "root",
      system: "user_events",
      isolation: NOTHING,
      dataFile,
      statusFile,
      multiFormat: false,
      kernelName: (name) => name,
    };
  }
  const system = `user_events.${namespace}`;
  if (!given && exists(kernel, `${root}/namespaces`)) {
    const directory = `${root}/namespaces/${namespace}`;
    makeNamespace(kernel, directory);
    return {
      kind: "kernel",
      system,
      // dynamic_events lists and deletes the idle events of every group: a hole of the patches.
      isolation: { names: true, formats: true, deletion: false, visibility: false, quota: true },
      dataFile: `${directory}/root/user_events_data`,
      statusFile: `${directory}/root/user_events_status`,
      multiFormat: false,
      kernelName: (name) => name,
    };
  }
  return {
    kind: "emulated",
    system,
    isolation: { ...NOTHING, names: true, formats: true },
    dataFile,
    statusFile,
    multiFormat: true,
    kernelName: (name) => `${namespace}.${name}`,
  };
}

/** The carrier as it is where the kernel takes one format of each name only. */
export function withOneFormat(carrier: Carrier): Carrier {
  if (!carrier.multiFormat) return carrier;
  return { ...carrier, multiFormat: false, isolation: { ...carrier.isolation, formats: false } };
}

function makeNamespace(kernel: Kernel, directory: string): void {
  try {
    kernel.mkdir(directory, 0o750);
  } catch (error) {
    if (!isKernelError(error, "EEXIST")) throw error;
  }
}
