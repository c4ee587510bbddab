import { Argument } from "commander";
import type { Backend } from "../core/backend.ts";
import type { Kernel } from "../core/kernel/port.ts";
import type { Unavailable } from "../core/user_events/data_file.ts";
import { UnavailableError } from "../core/user_events/register.ts";
import { listNamespaces, listUserEvents } from "../core/user_events/status.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { formatTable } from "./table.ts";
import { printData, printJson } from "./terminal.ts";
import { requireUsable } from "./usable.ts";

/** What can be listed: rows, with the keys that JSON has and the columns that text has. */
type Rows = readonly Readonly<Record<string, string>>[];

const LISTS = ["functions", "tracepoints", "events", "namespaces", "probes", "plugins"] as const;

/** `sonde list WHAT [PATTERN]`. */
export const command: CliCommand = {
  summary: "List what this kernel offers and has",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command))
      .addArgument(new Argument("<what>", "what to list").choices(LISTS))
      .argument("[pattern]", "only names that match; * and ? stand for any text and character")
      .action(run(list));
  },
};

async function list(
  context: Context,
  what: typeof LISTS[number],
  pattern: string | undefined,
): Promise<number> {
  const matches = matcher(pattern);
  const rows = (await rowsOf(context, what)).filter(({ name }) => matches(name));
  if (context.options.format === "json") printJson(rows);
  else if (rows.length > 0) printData(formatTable(rows.map((row) => Object.values(row))));
  return EXIT.ok;
}

async function rowsOf(context: Context, what: typeof LISTS[number]): Promise<Rows> {
  if (what === "plugins") {
    return context.plugins.list().map(({ kind, name, description }) => ({
      kind,
      name,
      description,
    }));
  }
  const backend = context.openBackend();
  try {
    await requireUsable(backend);
    if (what === "events") return eventRows(backend.kernel);
    if (what === "namespaces") return namespaceRows(backend.kernel);
    return await kernelRows(backend, what);
  } finally {
    await backend.close();
  }
}

async function kernelRows(
  backend: Backend,
  what: "functions" | "tracepoints" | "probes",
): Promise<Rows> {
  if (what === "probes") {
    return (await backend.inventory()).filter(({ kind }) => kind === "definition")
      .map(({ target, owner, text }) => ({
        name: target,
        owner: owner ?? "other",
        definition: text,
      }));
  }
  const names = await backend.places(what);
  return names.map((name) => ({ name }));
}

function eventRows(kernel: Kernel): Rows {
  return requireAvailable(listUserEvents(kernel)).map(({ name, carrier, listeners, fields }) => ({
    name,
    carrier,
    listeners: listeners.join(",") || "nobody",
    fields: fields ?? "?",
  }));
}

function namespaceRows(kernel: Kernel): Rows {
  return requireAvailable(listNamespaces(kernel)).map(({ name, carrier, events, limit }) => ({
    name,
    carrier,
    events: String(events),
    limit: limit === undefined ? "none" : String(limit),
  }));
}

/** @throws {UnavailableError} where there are no user_events. */
function requireAvailable<T>(listed: T[] | Unavailable): T[] {
  if ("reason" in listed) throw new UnavailableError(listed);
  return listed;
}

/** Whether a name matches a pattern of `*` and `?`; without either, whether it holds the text. */
function matcher(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  if (!/[*?]/.test(pattern)) return (name) => name.includes(pattern);
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}
