import type { OperationState, ProbeState } from "../../core/backend.ts";
import { parseHeaderPage } from "../../core/event/header_page.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { readText, readTextIfPresent } from "../../core/kernel/files.ts";
import type { FileCalls } from "../../core/kernel/port.ts";
import { groupOf, ownerOfGroup, ownerOfInstance } from "../../core/names.ts";
import type { Installed, Operation } from "../../core/operation.ts";
import {
  formatDelete,
  type ParsedDefinition,
  parseDefinition,
  sameDefinition,
} from "../../core/probe/definition.ts";
import { instanceDirectory, NO_FILTER } from "./operations.ts";

const DEFINITION_FILES = ["kprobe_events", "uprobe_events"] as const;

/** The file that counts the events of a definition file: event, hits, misses; path, event, hits. */
const PROFILES = [
  ["kprobe_events", "kprobe_profile", /^ *(\S+) +(\d+) +(\d+)$/],
  ["uprobe_events", "uprobe_profile", /(\S+) +(\d+)$/],
] as const;

interface Listed {
  readonly file: string;
  readonly line: string;
  readonly definition: ParsedDefinition;
}

/** The events that a definition file lists, as `group/event`. */
export function listedTargets(listing: string): Set<string> {
  return new Set(parseListing("", listing).map(({ definition }) => targetOf(definition)));
}

/** For each operation, whether it is in effect already. */
export function checkOperations(
  kernel: FileCalls,
  root: string,
  operations: readonly Operation[],
): OperationState[] {
  const definitions = new Map(
    readDefinitions(kernel, root).map((listed) => [targetOf(listed.definition), listed.line]),
  );
  return operations.map((operation) => {
    const { step } = operation;
    if (step.call === "mkdir") return isThere(kernel, `${root}/${step.path}`) ? "done" : "missing";
    if (step.call === "append") {
      const line = definitions.get(operation.target);
      if (line === undefined) return "missing";
      return sameDefinition(step.text, line) ? "done" : "different";
    }
    if (step.call !== "write") return "missing";
    return isWritten(kernel, root, step.file, step.text) ? "done" : "missing";
  });
}

/** Whether a file of a setting, a filter or `enable` reads as it does after `text` was written. */
function isWritten(kernel: FileCalls, root: string, file: string, text: string): boolean {
  const shown = readTextIfPresent(kernel, `${root}/${file}`)?.trim();
  switch (file.slice(file.lastIndexOf("/") + 1)) {
    case "filter":
      // An event that is yet to come has no filter.
      return text === NO_FILTER ? (shown ?? "none") === "none" : shown === text.trim();
    case "trace_clock":
      // It is shown among all, in brackets.
      return shown !== undefined && shown.includes(`[${text}]`);
    case "buffer_size_kb":
      return shown === shownSize(kernel, root, Number(text));
    default:
      return shown === text;
  }
}

/**
 * What `buffer_size_kb` reads as after `kib` was written: the kernel takes whole sub-buffers, at
 * least two, and shows what these hold (kernel/trace/ring_buffer.c, `ring_buffer_size`).
 */
function shownSize(kernel: FileCalls, root: string, kib: number): string {
  const { data, size } = parseHeaderPage(readText(kernel, `${root}/events/header_page`));
  const capacity = size - data;
  const count = Math.max(2, Math.ceil(kib * 1024 / capacity));
  return String(Math.floor(count * capacity / 1024));
}

/**
 * State of every event of trace `name`: those of its group, those that its instance enables, and
 * those of `expected` that exist.
 */
export function readStatus(
  kernel: FileCalls,
  root: string,
  name: string,
  expected: readonly string[] = [],
): ProbeState[] {
  const directory = `${root}/${instanceDirectory(name)}`;
  const enabled = new Set(enabledEvents(kernel, directory));
  const listed = readDefinitions(kernel, root);
  const own = listed.filter(({ definition }) => definition.group === groupOf(name));
  const definitions = new Map(own.map(({ definition, line }) => [targetOf(definition), line]));
  const counts = readCounts(kernel, root, listed);
  const others = expected.filter((event) => isThere(kernel, `${root}/events/${event}/format`));
  return [...new Set([...definitions.keys(), ...enabled, ...others])].map((event) => ({
    event,
    active: enabled.has(event),
    definition: definitions.get(event),
    filter: readFilter(kernel, directory, event),
    ...counts.get(event),
  }));
}

function readFilter(kernel: FileCalls, directory: string, event: string): string | undefined {
  const text = readTextIfPresent(kernel, `${directory}/events/${event}/filter`)?.trim();
  return text === "none" || text === "" ? undefined : text;
}

/** How often a probe fired and was missed; uprobes are never missed. */
interface ProbeCounts {
  readonly hits: bigint;
  readonly missed?: bigint;
}

/**
 * Hits and misses by `group/event`. The profile files name events without their group, but list
 * them in the order of the definition files (kernel/trace/trace_kprobe.c, trace_uprobe.c).
 */
function readCounts(
  kernel: FileCalls,
  root: string,
  listed: readonly Listed[],
): Map<string, ProbeCounts> {
  const counts = new Map<string, ProbeCounts>();
  for (const [file, profile, pattern] of PROFILES) {
    const lines = (readTextIfPresent(kernel, `${root}/${profile}`) ?? "").split("\n");
    for (const [index, { definition }] of listed.filter((one) => one.file === file).entries()) {
      const [, event, hits, missed] = pattern.exec(lines[index] ?? "") ?? [];
      // Another tool may have changed the one file after the other was read.
      if (event !== definition.event) break;
      counts.set(targetOf(definition), {
        hits: BigInt(hits),
        ...(missed !== undefined && { missed: BigInt(missed) }),
      });
    }
  }
  return counts;
}

/** What is installed: every definition, and of instances those of ours with what they enable. */
export function readInventory(kernel: FileCalls, root: string): Installed[] {
  return [
    ...readDefinitions(kernel, root).map(definitionItem),
    ...ourInstances(kernel, root).flatMap((instance) => instanceItems(kernel, root, instance)),
  ];
}

function definitionItem({ file, line, definition }: Listed): Installed {
  const item = { kind: "definition", target: targetOf(definition), text: line } as const;
  const owner = ownerOfGroup(definition.group);
  if (owner === undefined) return item;
  const undo = formatDelete(definition.group, definition.event);
  return { ...item, owner, undo: { call: "append", file, text: undo } };
}

function ourInstances(kernel: FileCalls, root: string): string[] {
  return list(kernel, `${root}/instances`).filter((name) => ownerOfInstance(name) !== undefined);
}

function instanceItems(kernel: FileCalls, root: string, instance: string): Installed[] {
  const owner = ownerOfInstance(instance)!;
  const directory = `instances/${instance}`;
  return [
    {
      kind: "instance",
      target: directory,
      owner,
      text: directory,
      undo: { call: "rmdir", path: directory },
    },
    ...enabledEvents(kernel, `${root}/${directory}`).map((event): Installed => {
      const file = `${directory}/events/${event}/enable`;
      return {
        kind: "enable",
        target: file,
        owner,
        text: event,
        undo: { call: "write", file, text: "0" },
      };
    }),
  ];
}

/** The enabled events of an instance, as `system/event`. */
function enabledEvents(kernel: FileCalls, directory: string): string[] {
  const text = readTextIfPresent(kernel, `${directory}/set_event`) ?? "";
  return text.split("\n").filter((line) => line.includes(":")).map((line) =>
    line.replace(":", "/")
  );
}

function readDefinitions(kernel: FileCalls, root: string): Listed[] {
  return DEFINITION_FILES.flatMap((file) =>
    parseListing(file, readTextIfPresent(kernel, `${root}/${file}`) ?? "")
  );
}

function parseListing(file: string, text: string): Listed[] {
  return text.split("\n").filter((line) => line !== "").map((line) => ({
    file,
    line,
    definition: parseDefinition(line),
  }));
}

function targetOf(definition: ParsedDefinition): string {
  return `${definition.group}/${definition.event}`;
}

/** Names in a directory; none where there is no such directory. */
function list(kernel: FileCalls, path: string): string[] {
  return isThere(kernel, path) ? kernel.list(path) : [];
}

/** Whether there is such a file. @throws {KernelError} if that cannot be told. */
function isThere(kernel: FileCalls, path: string): boolean {
  try {
    kernel.stat(path);
    return true;
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return false;
    throw error;
  }
}
