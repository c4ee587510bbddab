import type { TriggerEvent, TriggerHost } from "../host.ts";
import type { Report } from "./attributes.ts";
import type { HistData } from "./data.ts";

/** A histogram that is being made, and what is needed for it. */
export interface Builder {
  readonly hist: HistData;
  readonly host: TriggerHost;
  readonly report: Report;
  /** Variables of the command: `name=expression`, as far as they have not been made. */
  readonly definitions: Definition[];
  /** Gives a command to an event, as the kernel does itself. @throws {KernelError} */
  readonly command: (event: TriggerEvent, text: string) => void;
}

/** A variable of a command. */
export interface Definition {
  readonly name: string;
  /** What is left of it: the kernel cuts it up in place when it makes the variable. */
  expression: string;
}
