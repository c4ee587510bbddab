/**
 * Synthetic events: `synthetic_events`, and the `s:` lines of `dynamic_events`
 * (kernel/trace/trace_events_synth.c).
 * @module
 */
import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import { isGoodName, skipSpaces, splitWords } from "./ctype.ts";
import { refuse } from "./probe_log.ts";
import type { DeleteTarget, DynamicEntry, DynamicParser, Registry } from "./registry.ts";
import { SYNTHETIC_GROUP, SyntheticEvent } from "./synthetic_event.ts";
import { parseSyntheticField, type SyntheticField } from "./synthetic_field.ts";

/** Fields that an event can have (`SYNTH_FIELDS_MAX`). */
const MAX_FIELDS = 64;

const ERRORS = {
  BAD_NAME: "Illegal name",
  INVALID_CMD: "Command must be of the form: <name> field[;field] ...",
  INVALID_DYN_CMD: "Command must be of the form: s or -:[synthetic/]<name> field[;field] ...",
  EVENT_EXISTS: "Event already exists",
  TOO_MANY_FIELDS: "Too many fields",
  INCOMPLETE_TYPE: "Incomplete type",
  INVALID_TYPE: "Invalid type",
  INVALID_FIELD: "Invalid field",
  INVALID_ARRAY_SPEC: "Invalid array specification",
} as const;

/** Synthetic events as both files have them. */
export class SyntheticEvents implements DynamicParser {
  readonly name = SYNTHETIC_GROUP;
  readonly #registry: Registry;
  /** The command that errors are logged with. */
  #command = "";

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Carries out a line of `dynamic_events`: `s:[synthetic/]name fields`. */
  create(line: string): "not mine" | void {
    const command = skipSpaces(line);
    if (command === "") return;
    this.#command = command;
    if (!command.startsWith("s:")) return "not mine";
    const space = command.search(/[ \t]/);
    if (space < 0) this.#fail("INVALID_CMD");
    let start = 2;
    if (command.includes("/", start)) {
      if (!command.startsWith(`${SYNTHETIC_GROUP}/`, start)) this.#fail("INVALID_DYN_CMD");
      start += SYNTHETIC_GROUP.length + 1;
    }
    if (!isComplete(command.slice(start))) this.#fail("INVALID_CMD");
    this.#add(command.slice(start, space), skipSpaces(command.slice(space)));
  }

  /** Carries out a line of `synthetic_events`: `name fields`, or `!name` to delete. */
  createOrDelete(line: string): void {
    const command = skipSpaces(line);
    if (command === "") return;
    this.#command = command;
    const isDelete = command.startsWith("!");
    if (!isDelete && !isComplete(command)) this.#fail("INVALID_CMD");
    const space = command.search(/[ \t]/);
    const name = space < 0 ? command : command.slice(0, space);
    if (isDelete) return this.#delete(name.slice(1));
    if (space < 0) this.#fail("INVALID_CMD");
    this.#add(name, skipSpaces(command.slice(space)));
  }

  /** Logs `code` with the caret where `text` first stands, and fails the command. */
  #fail(code: keyof typeof ERRORS, text = "", errno: ErrnoCode = "EINVAL"): never {
    const position = Math.max(this.#command.indexOf(text), 0);
    this.#registry.errors.log("synthetic_events", this.#command, ERRORS[code], position);
    refuse(errno);
  }

  #add(name: string, fieldsText: string): void {
    if (name === "") this.#fail("INVALID_CMD");
    if (!isGoodName(name)) this.#fail("BAD_NAME", name);
    const registry = this.#registry;
    const known = registry.find(this, SYNTHETIC_GROUP, name);
    if (known !== undefined) this.#fail("EVENT_EXISTS", name, "EEXIST");
    const fields = this.#parseFields(fieldsText);
    const event = new SyntheticEvent(name, registry.allocateId(), fields, registry.host.version);
    registry.add(this, event);
    registry.insert(new SyntheticEntry(registry, this, event));
  }

  #parseFields(text: string): SyntheticField[] {
    const fields: SyntheticField[] = [];
    for (const part of text.split(";")) {
      let words = splitWords(part);
      while (words.length > 0) {
        const parsed = parseSyntheticField(words);
        if ("code" in parsed) this.#fail(parsed.code, parsed.text);
        if (fields.length === MAX_FIELDS) this.#fail("TOO_MANY_FIELDS");
        fields.push(parsed.field);
        words = words.slice(parsed.used);
      }
    }
    if (fields.length === 0) this.#fail("INVALID_CMD");
    return fields;
  }

  #delete(name: string): void {
    for (const entry of this.#registry.entries) {
      if (entry instanceof SyntheticEntry && entry.event.name === name) return entry.free();
    }
    refuse("ENOENT");
  }
}

/** Whether a command has a name and a field before its first `;` (`check_command`). */
function isComplete(command: string): boolean {
  const [head = ""] = command.split(";", 1);
  return head.startsWith("!") || splitWords(head).length >= 3;
}

/** A line of a synthetic event. */
class SyntheticEntry implements DynamicEntry {
  readonly parser: SyntheticEvents;
  readonly event: SyntheticEvent;
  readonly #registry: Registry;

  constructor(registry: Registry, parser: SyntheticEvents, event: SyntheticEvent) {
    this.#registry = registry;
    this.parser = parser;
    this.event = event;
  }

  show(): string {
    return `s:${SYNTHETIC_GROUP}/${this.event.definition()}`;
  }

  matches(target: DeleteTarget): boolean {
    const { group, event } = target;
    return event === this.event.name && (group === undefined || group === SYNTHETIC_GROUP);
  }

  /** A `hist` action that writes the event counts, enabling it does not. */
  isBusy(): boolean {
    return this.#registry.host.usage(this.event).referenced;
  }

  free(): void {
    if (this.#registry.usage(this.event).referenced) refuse("EBUSY");
    this.#registry.remove(this.parser, this.event);
    this.#registry.erase(this);
  }
}
