import { KernelError } from "../../../../core/kernel/error.ts";
import { separateFilter, type TriggerCommand, TriggerCount } from "./command.ts";
import type { FiredEvent, TriggerEvent, TriggerHost } from "./host.ts";
import {
  filterSuffix,
  parseTriggerFilter,
  splitAt,
  type Trigger,
  type TriggerFilter,
} from "./trigger.ts";

/** The commands, and whether they concern the histograms of the other event and enable. */
const COMMANDS: Readonly<Record<string, { readonly hist: boolean; readonly enable: boolean }>> = {
  enable_event: { hist: false, enable: true },
  disable_event: { hist: false, enable: false },
  enable_hist: { hist: true, enable: true },
  disable_hist: { hist: true, enable: false },
};

/** Whether `name` is one of the commands of {@link EnableTrigger}. */
export function isEnableCommand(name: string): boolean {
  return Object.hasOwn(COMMANDS, name);
}

/** The event that a command names, and the count behind it. */
export interface EnableTarget {
  readonly kind: Trigger["kind"];
  readonly target: TriggerEvent;
  readonly count: string | undefined;
  readonly filter: string | undefined;
}

/**
 * Reads `SYSTEM:EVENT[:COUNT] [if FILTER]` (`event_enable_trigger_parse()`,
 * kernel/trace/trace_events_trigger.c). @throws {KernelError}
 */
export function parseEnableTarget(
  { name, rest }: TriggerCommand,
  host: TriggerHost,
): EnableTarget {
  const { parameter = "", filter } = separateFilter(rest, true);
  const [system, names] = splitAt(parameter, ":");
  if (names === undefined) throw new KernelError("EINVAL", "write");
  const [event, count] = splitAt(names, ":");
  const target = host.findEvent(system, event);
  if (target === undefined) throw new KernelError("EINVAL", "write");
  return { kind: COMMANDS[name].hist ? "hist_enable" : "event", target, count, filter };
}

/** `enable_event`, `disable_event`, `enable_hist` and `disable_hist`. */
export class EnableTrigger implements Trigger {
  readonly kind: Trigger["kind"];
  readonly isLate = false;
  readonly filter: TriggerFilter | undefined;
  /** The event that is enabled or disabled, or its histograms. */
  readonly target: TriggerEvent;
  readonly #name: string;
  readonly #host: TriggerHost;
  readonly #count: TriggerCount;
  paused = false;

  /** @throws {KernelError} */
  constructor(command: TriggerCommand, event: TriggerEvent, host: TriggerHost) {
    const { kind, target, count, filter } = parseEnableTarget(command, host);
    this.kind = kind;
    this.target = target;
    this.#name = command.name;
    this.#host = host;
    this.#count = new TriggerCount(count);
    this.filter = parseTriggerFilter(filter, event, host);
  }

  /**
   * Has the target fire, before the trigger goes on its event's list beside
   * `others`. @throws {KernelError} EEXIST if one of them has the same target
   */
  register(others: readonly Trigger[]): void {
    if (findEnableTrigger(others, this) !== undefined) throw new KernelError("EEXIST", "write");
    this.#host.arm(this.target);
  }

  fire(_fired: FiredEvent): void {
    const { hist, enable } = COMMANDS[this.#name];
    if (hist) {
      if (this.#count.take()) this.target.triggers.pauseHists(!enable);
      return;
    }
    const isDone = this.#host.isSoftDisabled(this.target) !== enable;
    if (!isDone && this.#count.take()) this.#host.setSoftDisabled(this.target, !enable);
  }

  print(): string {
    const { system, name } = this.target;
    const count = this.#count.print();
    return `${this.#name}:${system}:${name}${count}${filterSuffix(this.filter)}\n`;
  }

  release(): void {
    this.#host.disarm(this.target);
  }
}

/** The trigger of that kind on that event. */
export function findEnableTrigger(
  triggers: readonly Trigger[],
  { kind, target }: Pick<EnableTarget, "kind" | "target">,
): Trigger | undefined {
  return triggers.find((trigger) =>
    trigger instanceof EnableTrigger && trigger.kind === kind &&
    trigger.target.system === target.system && trigger.target.name === target.name
  );
}
