import { isGoodName, isGoodSystemName, MAX_EVENT_NAME_LEN } from "./ctype.ts";
import type { ProbeLog } from "./probe_log.ts";

/** A name as a definition gives it. */
export interface EventName {
  /** Absent if the text has no `/` and no `.`. */
  readonly group?: string;
  /** Absent if nothing follows the group. */
  readonly event?: string;
}

/**
 * Parses `[group/][event]` or `[group.][event]` (`traceprobe_parse_event_name`,
 * kernel/trace/trace_probe.c).
 *
 * @param offset characters from the start of the word to the name
 * @throws {KernelError} EINVAL if it is no name
 */
export function parseEventName(text: string, offset: number, log: ProbeLog): EventName {
  const slash = text.indexOf("/");
  const end = slash >= 0 ? slash : text.indexOf(".");
  if (end < 0) {
    if (text === "") log.fail(offset, "NO_EVENT_NAME");
    return { event: checkEvent(text, offset, log) };
  }
  const group = text.slice(0, end);
  if (group === "") log.fail(offset, "NO_GROUP_NAME");
  if (group.length >= MAX_EVENT_NAME_LEN) log.fail(offset, "GROUP_TOO_LONG");
  if (!isGoodSystemName(group)) log.fail(offset, "BAD_GROUP_NAME");
  const event = text.slice(end + 1);
  return event === "" ? { group } : { group, event: checkEvent(event, offset + end + 1, log) };
}

function checkEvent(event: string, offset: number, log: ProbeLog): string {
  if (event.length >= MAX_EVENT_NAME_LEN) log.fail(offset, "EVENT_TOO_LONG");
  if (!isGoodName(event)) log.fail(offset, "BAD_EVENT_NAME");
  return event;
}
