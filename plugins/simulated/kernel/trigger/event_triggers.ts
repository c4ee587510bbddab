import { Buffer } from "node:buffer";
import { fromByteString } from "../../../../core/filter/bytes.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import { parseCommand, type TriggerCommand } from "./command.ts";
import {
  EnableTrigger,
  findEnableTrigger,
  isEnableCommand,
  parseEnableTarget,
} from "./enable_trigger.ts";
import { isReferred, runHistCommand } from "./hist/hist_command.ts";
import { HistTrigger } from "./hist/hist_trigger.ts";
import { showHist } from "./hist/show.ts";
import type { FiredEvent, TriggerEvent, TriggerHost } from "./host.ts";
import { isSwitchCommand, switchKind, SwitchTrigger } from "./switch_trigger.ts";
import { passesFilter, type Trigger } from "./trigger.ts";

/** Bytes that a write may have: one less than a page. */
const MAX_WRITE = 4095;

const AVAILABLE = "# Available triggers:\n# traceon traceoff snapshot stacktrace enable_event " +
  "disable_event enable_hist disable_hist hist\n";

/**
 * The triggers of an event in one instance: its files `trigger` and `hist`
 * (kernel/trace/trace_events_trigger.c and trace_events_hist.c).
 */
export class EventTriggers {
  readonly event: TriggerEvent;
  readonly #host: TriggerHost;
  readonly #triggers: Trigger[] = [];

  /** @param event the event, whose `triggers` this is to be */
  constructor(event: TriggerEvent, host: TriggerHost) {
    this.event = event;
    this.#host = host;
  }

  /** Whether the event has no trigger; one that has cannot be deleted. */
  get isEmpty(): boolean {
    return this.#triggers.length === 0;
  }

  /** The `hist` triggers, in order. */
  get hists(): readonly HistTrigger[] {
    return this.#triggers.filter((trigger) => trigger instanceof HistTrigger);
  }

  /** One write(2) to the `trigger` file. @throws {KernelError} */
  write(text: string): void {
    if (text === "") return;
    if (Buffer.byteLength(text) > MAX_WRITE) throw new KernelError("EINVAL", "write");
    const command = parseCommand(text);
    const { name, remove, rest } = command;
    if (name === "hist") {
      const { event } = this;
      runHistCommand({ event, host: this.#host, remove, text: rest, isInner: false });
    } else if (isSwitchCommand(name)) {
      if (remove) this.#removeKind(switchKind(name));
      else this.#add(new SwitchTrigger(command, this.event, this.#host));
    } else if (isEnableCommand(name)) {
      if (remove) this.#removeEnable(command);
      else this.#add(new EnableTrigger(command, this.event, this.#host));
    } else {
      throw new KernelError("EINVAL", "write");
    }
  }

  /**
   * What opening the `trigger` file with O_TRUNC does: `hist`, `enable_hist` and
   * `disable_hist` triggers go. The histograms stay if any is referred to.
   */
  truncate(): void {
    for (const trigger of this.#triggers.filter(({ kind }) => kind === "hist_enable")) {
      this.remove(trigger);
    }
    if (this.hists.some(({ hist }) => isReferred(hist, this.#host))) return;
    for (const trigger of this.hists) {
      this.remove(trigger);
      const { synthetic } = this.event;
      if (synthetic !== undefined) this.#host.releaseSynthetic(synthetic);
    }
  }

  /** All triggers go, as when the instance is removed. */
  clear(): void {
    for (const trigger of [...this.#triggers]) this.remove(trigger);
  }

  /** The `trigger` file. */
  read(): string {
    if (this.isEmpty) return AVAILABLE;
    return fromByteString(this.#triggers.map((trigger) => trigger.print()).join(""));
  }

  /** The `hist` file. */
  readHist(): string {
    const texts = this.hists.map((trigger) => showHist(trigger.hist, trigger.print(), this.#host));
    return fromByteString(texts.join("\n\n"));
  }

  /**
   * The event fires, recorded or not; its own filter has no say in this. Call it
   * before the entry is written, and what it returns afterwards: some triggers act
   * then (`event_triggers_call()`).
   */
  fire(fired: FiredEvent): () => void {
    const late: Trigger[] = [];
    for (const trigger of [...this.#triggers]) {
      if (trigger.paused || !passesFilter(trigger.filter, fired)) continue;
      if (trigger.isLate) late.push(trigger);
      else trigger.fire(fired);
    }
    return () => late.forEach((trigger) => trigger.fire(fired));
  }

  /** Puts a trigger that is ready at the end of the list. */
  append(trigger: Trigger): void {
    this.#triggers.push(trigger);
    this.#host.arm(this.event);
  }

  /** Takes a trigger off the list. */
  remove(trigger: Trigger): void {
    const at = this.#triggers.indexOf(trigger);
    if (at < 0) return;
    this.#triggers.splice(at, 1);
    this.#host.disarm(this.event);
    trigger.release();
  }

  /** Pauses or continues all histograms. */
  pauseHists(paused: boolean): void {
    for (const trigger of this.hists) trigger.paused = paused;
  }

  /** Removes a histogram that another one had made here; the command is the one that made it. */
  removeMadeHist(command: string): void {
    const { event } = this;
    try {
      runHistCommand({ event, host: this.#host, remove: true, text: command, isInner: false });
    } catch (error) {
      // Somebody refers to it by now: the kernel warns, and leaves it there.
      if (!(error instanceof KernelError)) throw error;
    }
  }

  #add(trigger: SwitchTrigger | EnableTrigger): void {
    trigger.register(this.#triggers);
    this.#triggers.unshift(trigger);
    this.#host.arm(this.event);
  }

  #removeKind(kind: Trigger["kind"]): void {
    const found = this.#triggers.find((trigger) => trigger.kind === kind);
    if (found !== undefined) this.remove(found);
  }

  #removeEnable(command: TriggerCommand): void {
    const target = parseEnableTarget(command, this.#host);
    const found = findEnableTrigger(this.#triggers, target);
    if (found !== undefined) this.remove(found);
  }
}
