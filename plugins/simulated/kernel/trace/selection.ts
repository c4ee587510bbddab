import { isInternal, type TraceEvent } from "./event.ts";

/**
 * The events that a word of `set_event` means: `system:event`, where either may be missing or `*`,
 * or a name alone, of a system or of an event in any (`ftrace_set_clr_event`,
 * kernel/trace/trace_events.c). There are no other patterns.
 */
export function selectEvents(events: readonly TraceEvent[], word: string): readonly TraceEvent[] {
  const colon = word.indexOf(":");
  const able = events.filter((event) => !isInternal(event));
  if (colon < 0) return able.filter(({ system, name }) => name === word || system === word);
  const system = word.slice(0, colon);
  const name = word.slice(colon + 1);
  return able.filter((event) =>
    (isAny(system) || event.system === system) && (isAny(name) || event.name === name)
  );
}

function isAny(part: string): boolean {
  return part === "" || part === "*";
}
