/**
 * What user_events there are, read from the kernel.
 *
 * Sources: `user_seq_show()` of kernel/trace/trace_events_user.c in 6.1 and 6.12.
 * @module
 */

import { NAMESPACE } from "../config/names.ts";
import { type FieldFormat, parseFormat } from "../event/format.ts";
import { exists, readText, tryReadText } from "../kernel/files.ts";
import type { FileCalls, Kernel } from "../kernel/port.ts";
import type { CarrierKind } from "./carrier.ts";
import { findDataFile, type Unavailable } from "./data_file.ts";

/** A line of a status file. */
export interface StatusLine {
  readonly name: string;
  /** Who listens, as the kernel calls them: `ftrace`, `perf`, `other`. */
  readonly listeners: readonly string[];
}

/** The events in the text of a status file. */
export function parseStatus(text: string): StatusLine[] {
  const [events] = `\n${text}`.split("\n\nActive:");
  return events.split("\n").filter((line) => line !== "").map((line) => {
    // Version 1 has the index in front.
    const [name, used = ""] = line.replace(/^\d+:/, "").split(" # Used by");
    return { name, listeners: used.split(" ").filter((word) => word !== "") };
  });
}

/** A user_event that the kernel has. */
export interface UserEventStatus {
  /** As users see it: `user_events.shop/checkout`. */
  readonly name: string;
  readonly carrier: CarrierKind;
  readonly listeners: readonly string[];
  /** Types and names of its fields; undefined if they cannot be read. */
  readonly fields: string | undefined;
}

/** A namespace that the kernel has, or that names of events tell of. */
export interface NamespaceStatus {
  /** `user_events.shop`; the root group is `user_events`. */
  readonly name: string;
  readonly carrier: CarrierKind;
  readonly events: number;
  /** Events that it may have; undefined where nothing limits it alone. */
  readonly limit: number | undefined;
}

/**
 * All user_events of all namespaces.
 * @throws {KernelError} EACCES for who may not read the status.
 */
export function listUserEvents(kernel: Kernel): UserEventStatus[] | Unavailable {
  const place = findDataFile(kernel);
  if ("reason" in place) return place;
  const { tracefs } = place;
  const root = parseStatus(readText(kernel, `${tracefs}/user_events_status`));
  return [
    ...root.map((line) => rootEvent(kernel, tracefs, line)),
    ...kernelNamespaces(kernel, tracefs).flatMap((namespace) => {
      const system = `user_events.${namespace}`;
      return parseStatus(readNamespace(kernel, tracefs, namespace, "root/user_events_status"))
        .map(({ name, listeners }) => ({
          name: `${system}/${name}`,
          carrier: "kernel" as const,
          listeners,
          fields: fieldsOf(kernel, `${tracefs}/events/${system}/${name}`),
        }));
    }),
  ];
}

/**
 * The root group, the kernel's namespaces, and those that prefixes of names make.
 * @throws {KernelError} EACCES for who may not read the status.
 */
export function listNamespaces(kernel: Kernel): NamespaceStatus[] | Unavailable {
  const events = listUserEvents(kernel);
  if ("reason" in events) return events;
  const { tracefs } = findDataFile(kernel) as { readonly tracefs: string };
  const counts = new Map<string, { readonly carrier: CarrierKind; events: number }>([
    ["user_events", { carrier: "root", events: 0 }],
    ...kernelNamespaces(kernel, tracefs).map((name) =>
      [`user_events.${name}`, { carrier: "kernel", events: 0 }] as const
    ),
  ]);
  for (const { name, carrier } of events) {
    const [system] = name.split("/");
    const known = counts.get(system) ?? { carrier, events: 0 };
    known.events++;
    counts.set(system, known);
  }
  return [...counts].map(([name, { carrier, events }]) => ({
    name,
    carrier,
    events,
    limit: carrier === "kernel" ? limitOf(kernel, tracefs, name.slice(12)) : undefined,
  }));
}

/** An event of the root group: `NS.EVENT` is in an emulated namespace, by convention. */
function rootEvent(kernel: FileCalls, tracefs: string, line: StatusLine): UserEventStatus {
  const multi = `${tracefs}/events/user_events_multi/${line.name}`;
  const isMulti = exists(kernel, multi);
  // With several formats of a name the kernel adds a number to each: `shop.checkout.1f`.
  const registered = isMulti ? line.name.replace(/\.[0-9a-f]+$/, "") : line.name;
  const dot = registered.indexOf(".");
  const namespace = dot > 0 && NAMESPACE.pattern.test(registered.slice(0, dot))
    ? registered.slice(0, dot)
    : undefined;
  return {
    name: namespace === undefined
      ? `user_events/${registered}`
      : `user_events.${namespace}/${registered.slice(dot + 1)}`,
    carrier: namespace === undefined ? "root" : "emulated",
    listeners: line.listeners,
    fields: fieldsOf(kernel, isMulti ? multi : `${tracefs}/events/user_events/${line.name}`),
  };
}

function fieldsOf(kernel: FileCalls, directory: string): string | undefined {
  const format = tryReadText(kernel, `${directory}/format`);
  if (format === undefined) return undefined;
  return parseFormat(format, { longSize: 8 }).fields
    .map((field) => `${typeOf(field)} ${field.name}`)
    .join("; ");
}

/** A type as it was registered. The format of an array has no length: `char stage[]`. */
function typeOf({ type, element, place, array, size, elementSize }: FieldFormat): string {
  if (place !== "inline") return `__${place} ${type}`;
  return array ? `${element}[${size / elementSize}]` : type;
}

function kernelNamespaces(kernel: FileCalls, tracefs: string): string[] {
  return exists(kernel, `${tracefs}/namespaces`) ? kernel.list(`${tracefs}/namespaces`) : [];
}

function limitOf(kernel: FileCalls, tracefs: string, namespace: string): number | undefined {
  const options = readNamespace(kernel, tracefs, namespace, "options");
  const limit = /^user_events_limit=(\d+)$/m.exec(options)?.[1];
  return limit === undefined ? undefined : Number(limit);
}

/** A namespace may go at any moment. */
function readNamespace(
  kernel: FileCalls,
  tracefs: string,
  namespace: string,
  file: string,
): string {
  return tryReadText(kernel, `${tracefs}/namespaces/${namespace}/${file}`) ?? "";
}
