import {
  type Place,
  PlacedProbe,
  type PlaceIdentity,
  ProbeEvent,
  type ProbeKind,
} from "./event.ts";
import type { ProbeArgument } from "./fetch_program.ts";
import { refuse } from "./probe_log.ts";
import type { ProbeLog } from "./probe_log.ts";
import type { DeleteTarget, DynamicEntry, DynamicParser, Registry } from "./registry.ts";

/** A probe that was parsed and can be registered. */
export interface ParsedProbe {
  readonly kind: ProbeKind;
  readonly group: string;
  readonly event: string;
  readonly isReturn: boolean;
  readonly arguments: readonly ProbeArgument[];
}

/** A probe that was registered, and how it is listed. */
export interface RegisteredProbe {
  readonly place: Place;
  /** What stands before `:group/event`. */
  readonly head: string;
  /** What stands behind it. */
  readonly placeText: string;
  /** Whether a word of a delete command names the place. */
  matchesPlace(word: string): boolean;
  /** Runs when the probe is gone. */
  onFree?(): unknown;
}

/** A line of a probe event. */
class ProbeEntry implements DynamicEntry {
  readonly parser: DynamicParser;
  readonly #registry: Registry;
  readonly #event: ProbeEvent;
  readonly #probe: PlacedProbe;
  readonly #registered: RegisteredProbe;

  constructor(
    registry: Registry,
    parser: DynamicParser,
    event: ProbeEvent,
    probe: PlacedProbe,
    registered: RegisteredProbe,
  ) {
    this.#registry = registry;
    this.parser = parser;
    this.#event = event;
    this.#probe = probe;
    this.#registered = registered;
  }

  show(): string {
    const { head, placeText } = this.#registered;
    const name = `${head}:${this.#event.group}/${this.#event.name}`;
    const words = this.#probe.arguments.map((argument) => `${argument.name}=${argument.text}`);
    return [name, placeText, ...words].join(" ");
  }

  matches(target: DeleteTarget): boolean {
    if (target.event !== "" && target.event !== this.#event.name) return false;
    if (target.group !== undefined && target.group !== this.#event.group) return false;
    const [place, ...words] = target.words;
    if (place === undefined) return true;
    const own = this.#probe.arguments;
    return this.#registered.matchesPlace(place) && words.length <= own.length &&
      words.every((word, i) => word === `${own[i]?.name}=${own[i]?.text}`);
  }

  isBusy(): boolean {
    return this.#registry.usage(this.#event).enabled;
  }

  free(): void {
    // One of several probes goes even if the event is enabled.
    if (this.#event.probes.length === 1) this.#freeEvent();
    this.#registry.erase(this);
    this.#event.removeProbe(this.#probe);
    this.#registered.onFree?.();
  }

  #freeEvent(): void {
    const { enabled, referenced } = this.#registry.usage(this.#event);
    // uprobe events find out about being enabled later: kernel/trace/trace_uprobe.c.
    if (enabled && this.#event.kind !== "uprobe") refuse("EBUSY");
    if (referenced && this.#event.kind !== "eprobe") refuse("EBUSY");
    this.#registry.remove(this.parser, this.#event);
  }
}

/** What a kind of probe does to place one. */
export interface Placement {
  /** Where the new probe would sit. */
  readonly place: PlaceIdentity;
  /** Places the probe; throws if it cannot be. */
  readonly register: () => RegisteredProbe;
}

/**
 * Adds a probe to the event with its name, or makes that event. The order of
 * checks is the kernel's (`register_trace_kprobe` and its likes).
 *
 * @throws {KernelError} EEXIST if the name belongs to another kind of event, or if
 * the event has other arguments or this very probe
 */
export function addProbe(
  registry: Registry,
  parser: DynamicParser,
  parsed: ParsedProbe,
  log: ProbeLog,
  placement: Placement,
): void {
  const known = registry.find(parser, parsed.group, parsed.event);
  if (known instanceof ProbeEvent) {
    checkAppend(known, parsed, log, placement.place);
    insert(registry, parser, known, parsed, placement.register());
  } else {
    addProbeEvent(registry, parser, parsed, log, placement.register);
  }
}

/**
 * Makes an event with one probe.
 *
 * @throws {KernelError} EEXIST if its name is taken
 */
export function addProbeEvent(
  registry: Registry,
  parser: DynamicParser,
  parsed: ParsedProbe,
  log: ProbeLog,
  register: () => RegisteredProbe,
): void {
  if (registry.exists(parsed.group, parsed.event)) {
    log.index = 0;
    log.fail(0, "EVENT_EXIST", "EEXIST");
  }
  // 6.1 does not use the id again if the probe cannot be placed.
  const id = registry.allocateId();
  let registered: RegisteredProbe;
  try {
    registered = register();
  } catch (error) {
    registry.host.releaseEventId(id);
    throw error;
  }
  const event = new ProbeEvent({ ...parsed, name: parsed.event, id, arch: registry.host.arch });
  insert(registry, parser, event, parsed, registered);
  registry.add(parser, event);
}

function insert(
  registry: Registry,
  parser: DynamicParser,
  event: ProbeEvent,
  parsed: ParsedProbe,
  registered: RegisteredProbe,
): void {
  const probe = new PlacedProbe(event, registered.place, parsed.arguments);
  event.addProbe(probe);
  registry.insert(new ProbeEntry(registry, parser, event, probe, registered));
}

function checkAppend(
  event: ProbeEvent,
  parsed: ParsedProbe,
  log: ProbeLog,
  place: PlaceIdentity,
): void {
  if (event.isReturn !== parsed.isReturn || event.kind !== parsed.kind) {
    log.index = 0;
    log.fail(0, "DIFF_PROBE_TYPE", "EEXIST");
  }
  const own = event.probes[0]?.arguments ?? [];
  const different = firstDifference(parsed.arguments, own);
  if (different !== undefined) {
    log.index = different + 2;
    log.fail(0, "DIFF_ARG_TYPE", "EEXIST");
  }
  const same = event.probesAt(place).some((probe) =>
    probe.arguments.every((argument, i) => argument.text === parsed.arguments[i]?.text)
  );
  if (same) {
    log.index = 0;
    log.fail(0, "SAME_PROBE", "EEXIST");
  }
}

/** The first argument that differs in name or type; if they differ in number, the first one too many. */
function firstDifference(
  given: readonly ProbeArgument[],
  own: readonly ProbeArgument[],
): number | undefined {
  if (given.length !== own.length) return Math.min(given.length, own.length);
  const index = given.findIndex((argument, i) => {
    const other = own[i];
    return argument.type !== other?.type || argument.count !== other.count ||
      argument.name !== other.name;
  });
  return index < 0 ? undefined : index;
}
