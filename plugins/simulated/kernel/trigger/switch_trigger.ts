import { KernelError } from "../../../../core/kernel/error.ts";
import { separateFilter, type TriggerCommand, TriggerCount } from "./command.ts";
import type { FiredEvent, TriggerEvent, TriggerHost } from "./host.ts";
import { filterSuffix, parseTriggerFilter, type Trigger, type TriggerFilter } from "./trigger.ts";

/** A command that needs no parameter, and what it does. */
interface SwitchCommand {
  readonly kind: Trigger["kind"];
  readonly isLate: boolean;
  /** Whether the trigger would change nothing; then its count stays. */
  isDone(host: TriggerHost): boolean;
  act(host: TriggerHost, fired: FiredEvent): void;
}

const COMMANDS: Readonly<Record<string, SwitchCommand>> = {
  traceon: {
    kind: "onoff",
    isLate: false,
    isDone: (host) => host.isTracingOn(),
    act: (host) => host.setTracing(true),
  },
  traceoff: {
    kind: "onoff",
    isLate: true,
    isDone: (host) => !host.isTracingOn(),
    act: (host) => host.setTracing(false),
  },
  snapshot: {
    kind: "snapshot",
    isLate: false,
    isDone: () => false,
    act: (host) => host.takeSnapshot(),
  },
  stacktrace: {
    kind: "stacktrace",
    isLate: true,
    isDone: () => false,
    act: (host, fired) => host.recordStack(fired),
  },
};

/** Whether `name` is one of the commands of {@link SwitchTrigger}. */
export function isSwitchCommand(name: string): boolean {
  return Object.hasOwn(COMMANDS, name);
}

/** What kind of trigger the command makes. */
export function switchKind(name: string): Trigger["kind"] {
  return COMMANDS[name].kind;
}

/** `traceon`, `traceoff`, `snapshot` and `stacktrace`, each with `:COUNT` and `if FILTER`. */
export class SwitchTrigger implements Trigger {
  readonly kind: Trigger["kind"];
  readonly isLate: boolean;
  readonly filter: TriggerFilter | undefined;
  readonly #name: string;
  readonly #host: TriggerHost;
  readonly #count: TriggerCount;
  paused = false;

  /** @throws {KernelError} */
  constructor({ name, rest }: TriggerCommand, event: TriggerEvent, host: TriggerHost) {
    const { parameter, filter } = separateFilter(rest, false);
    this.#name = name;
    this.#host = host;
    this.kind = COMMANDS[name].kind;
    this.isLate = COMMANDS[name].isLate;
    this.#count = new TriggerCount(parameter);
    this.filter = parseTriggerFilter(filter, event, host);
  }

  /**
   * Takes what the trigger needs, before it goes on its event's list beside
   * `others`. @throws {KernelError} EEXIST if there is one of its kind
   */
  register(others: readonly Trigger[]): void {
    if (this.kind === "snapshot") this.#host.armSnapshot();
    if (!others.some(({ kind }) => kind === this.kind)) return;
    if (this.kind === "snapshot") this.#host.disarmSnapshot();
    throw new KernelError("EEXIST", "write");
  }

  fire(fired: FiredEvent): void {
    const command = COMMANDS[this.#name];
    if (command.isDone(this.#host) || !this.#count.take()) return;
    command.act(this.#host, fired);
  }

  print(): string {
    return `${this.#name}${this.#count.print()}${filterSuffix(this.filter)}\n`;
  }

  release(): void {
    if (this.kind === "snapshot") this.#host.disarmSnapshot();
  }
}
