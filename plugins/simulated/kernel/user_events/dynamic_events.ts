/**
 * user_events as `dynamic_events` sees them: one of the kinds of events that are made, listed
 * and deleted there.
 *
 * Sources: `user_event_dops` in kernel/trace/trace_events_user.c, kernel/trace/trace_dynevent.c.
 * @module
 */
import { REG_PERSIST } from "./abi.ts";
import { skipSpaces } from "../dynamic/ctype.ts";
import type { UserEvent } from "./event.ts";
import { type Group, MULTI_SYSTEM, SYSTEM } from "./group.ts";
import type { Task } from "./host.ts";
import { fieldsMatch } from "./layout.ts";
import { registerV1, registerV2 } from "./register.ts";

const PREFIX = "u:";

/**
 * Carries out a command that makes an event, always in the root group.
 *
 * @param command one line without newline and comment, a byte string
 * @returns null if it is not for user_events, which the kernel says with ECANCELED; otherwise 0
 * @throws KernelError as a registration. Some sizes of structs make error numbers above 4095,
 * which user space sees as a negative result of its write
 */
export function createByCommand(root: Group, command: string, task: Task): 0 | null {
  if (!command.startsWith(PREFIX)) return null;
  const text = skipSpaces(command.slice(PREFIX.length));
  const event = root.facility.era === "6.12"
    ? registerV2(root, text, REG_PERSIST, task)
    : registerV1(root, text);
  event.put();
  return 0;
}

/**
 * Whether a command that deletes `[system/]name [fields]` means `event`.
 *
 * Version 1 knows one system name, whatever the event's own, and takes no fields for any fields.
 * Version 2 takes them for an event without fields.
 *
 * @param words the words of the command behind the name
 */
export function matchesCommand(
  event: UserEvent,
  system: string | null,
  name: string,
  words: readonly string[],
): boolean {
  if (event.registeredName !== name) return false;
  if (event.group.facility.era === "6.12") {
    if (system !== null && system !== SYSTEM && system !== MULTI_SYSTEM) return false;
    return fieldsMatch(event.fields, words);
  }
  if (system !== null && system !== SYSTEM) return false;
  return words.length === 0 || fieldsMatch(event.fields, words);
}

/**
 * Deletes an event that a command means, or that goes with all others (`O_TRUNC`, for which
 * none may be busy: see `UserEvent.idle`).
 *
 * @throws KernelError EBUSY if anybody holds it; EPERM
 */
export function deleteByCommand(event: UserEvent, task: Task): void {
  event.group.delete(event, task);
}
