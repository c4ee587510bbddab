import type { OperationState, ProbeState } from "../../core/backend.ts";
import { exists, tryReadText } from "../../core/kernel/files.ts";
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
    if (step.call === "mkdir") return exists(kernel, `${root}/${step.path}`) ? "done" : "missing";
    if (step.call === "append") {
      const line = definitions.get(operation.target);
      if (line === undefined) return "missing";
      return sameDefinition(step.text, line) ? "done" : "different";
    }
    if (step.call !== "write") return "missing";
    const text = tryReadText(kernel, `${root}/${step.file}`);
    if (operation.kind === "filter" && step.text === NO_FILTER) {
      return text === undefined || text.trim() === "none" ? "done" : "missing";
    }
    return text !== undefined && holds(text, step.text) ? "done" : "missing";
  });
}

/** Whether a settings file that reads `text` is set to `value`; a clock is shown among all, in brackets. */
function holds(text: string, value: string): boolean {
  const shown = text.trim();
  return shown === value || shown.includes(`[${value}]`);
}

/** State of every event of trace `name`: those of its group and those that its instance enables. */
export function readStatus(kernel: FileCalls, root: string, name: string): ProbeState[] {
  const directory = `${root}/${instanceDirectory(name)}`;
  const enabled = new Set(enabledEvents(kernel, directory));
  const own = readDefinitions(kernel, root).filter(({ definition }) =>
    definition.group === groupOf(name)
  );
  const definitions = new Map(own.map((listed) => [targetOf(listed.definition), listed.line]));
  const profile = readProfile(kernel, root);
  return [...new Set([...definitions.keys(), ...enabled])].map((event) => ({
    event,
    active: enabled.has(event),
    definition: definitions.get(event),
    filter: readFilter(kernel, directory, event),
    ...(definitions.has(event) ? profile.get(event.split("/")[1]) : undefined),
  }));
}

function readFilter(kernel: FileCalls, directory: string, event: string): string | undefined {
  const text = tryReadText(kernel, `${directory}/events/${event}/filter`)?.trim();
  return text === "none" || text === "" ? undefined : text;
}

/** Hits and misses by event name (`kprobe_profile`: event, hits, misses; `uprobe_profile`: path, event, hits). */
function readProfile(
  kernel: FileCalls,
  root: string,
): Map<string, { hits: bigint; missed?: bigint }> {
  const profile = new Map<string, { hits: bigint; missed?: bigint }>();
  for (const line of (tryReadText(kernel, `${root}/kprobe_profile`) ?? "").split("\n")) {
    const match = /^ *(\S+) +(\d+) +(\d+)$/.exec(line);
    if (match) profile.set(match[1], { hits: BigInt(match[2]), missed: BigInt(match[3]) });
  }
  for (const line of (tryReadText(kernel, `${root}/uprobe_profile`) ?? "").split("\n")) {
    const match = /(\S+) +(\d+)$/.exec(line);
    if (match) profile.set(match[1], { hits: BigInt(match[2]) });
  }
  return profile;
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
  const text = tryReadText(kernel, `${directory}/set_event`) ?? "";
  return text.split("\n").filter((line) => line.includes(":")).map((line) =>
    line.replace(":", "/")
  );
}

function readDefinitions(kernel: FileCalls, root: string): Listed[] {
  return DEFINITION_FILES.flatMap((file) =>
    parseListing(file, tryReadText(kernel, `${root}/${file}`) ?? "")
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
  return exists(kernel, path) ? kernel.list(path) : [];
}
