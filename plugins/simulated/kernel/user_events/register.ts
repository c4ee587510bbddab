import { REG_MULTI_FORMAT, REG_PERSIST } from "./abi.ts";
import { fieldWords, splitCommand } from "./command.ts";
import { UserEvent } from "./event.ts";
import { type Group, MULTI_SYSTEM } from "./group.ts";
import type { Task } from "./host.ts";
import { fieldsMatch, parseLayout } from "./layout.ts";
import { refuse } from "./refusal.ts";
import { MAX_EVENTS } from "./status_page.ts";

/**
 * Finds or makes the event of a command in a version 1 group, and takes a reference to it for
 * the caller. For an event that is there, the rest of the command may say anything.
 *
 * Source: `user_event_parse` in kernel/trace/trace_events_user.c (6.1).
 *
 * @throws KernelError EMFILE, EINVAL, ENODEV, in that order
 */
export function registerV1(group: Group, command: string): UserEvent {
  const { name, args } = splitCommand(command);
  const [known] = group.table.candidates(name);
  if (known !== undefined) return known.get();
  const index = group.page.firstFree(Math.min(group.limit + 1, MAX_EVENTS)) ?? refuse("EMFILE");
  const layout = parseLayout(args, false);
  const id = group.host.allocateEventId() ?? refuse("ENODEV");
  const event = new UserEvent({
    group,
    registeredName: name,
    name,
    system: group.systemName,
    layout,
    id,
    index,
    multiFormat: false,
    persistent: true,
  });
  group.add(event);
  return event;
}

/**
 * Finds or makes the event of a command in a version 2 group, and takes a reference to it for
 * the caller.
 *
 * Source: `user_event_parse` in kernel/trace/trace_events_user.c (6.12).
 *
 * @param flags {@link REG_PERSIST} and {@link REG_MULTI_FORMAT}
 * @throws KernelError EINVAL, EPERM, EADDRINUSE (the name is there with other fields), EINVAL,
 * EMFILE, ENODEV, in that order
 */
export function registerV2(
  group: Group,
  command: string,
  flags: number,
  task: Task,
): UserEvent {
  const { name, flags: textFlags, args } = splitCommand(command);
  const multiFormat = (flags & REG_MULTI_FORMAT) !== 0;
  const persistent = (flags & REG_PERSIST) !== 0;
  if (textFlags !== null) refuse("EINVAL");
  if (persistent && !group.host.capable(task, "CAP_PERFMON")) refuse("EPERM");

  const words = fieldWords(args);
  const rivals = group.table.candidates(name).filter((e) => e.multiFormat === multiFormat);
  const known = rivals.find((event) => fieldsMatch(event.fields, words));
  if (known !== undefined) return known.get();
  if (rivals.length > 0 && !multiFormat) refuse("EADDRINUSE");

  // The number is used up even if the fields are refused.
  const number = multiFormat ? group.nextMultiId() : "";
  const layout = parseLayout(args, true);
  if (group.facility.eventCount >= group.facility.maxEvents) refuse("EMFILE");
  const id = group.host.allocateEventId() ?? refuse("ENODEV");
  const event = new UserEvent({
    group,
    registeredName: name,
    name: multiFormat ? `${name}.${number}` : name,
    system: multiFormat ? MULTI_SYSTEM : group.systemName,
    layout,
    id,
    index: 0,
    multiFormat,
    persistent,
  });
  group.add(event);
  return event;
}
