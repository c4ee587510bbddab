import { KernelError } from "../../../../core/kernel/error.ts";
import type { TraceInstance } from "../trace/instance.ts";
import { selectEvents } from "../trace/selection.ts";
import type { Tracing } from "../trace/tracing.ts";
import { type Node, textFile } from "../vfs.ts";

/** Bytes of a word at most (`EVENT_BUF_SIZE`, kernel/trace/trace_events.c). */
const MAX_WORD = 127;

/**
 * `set_event`: the enabled events. A write takes one word, which enables events or with a `!` in
 * front disables them; what follows it is left to the next write.
 */
export function setEventFile(tracing: Tracing, instance: TraceInstance): Node {
  const events = () => tracing.registry.listedSince(instance.generation);
  return textFile({
    read: () =>
      instance.enabledOf(events()).map(({ system, name }) => `${system}:${name}\n`).join(""),
    write: (text) => {
      if (text === "") return 0;
      instance.expand();
      const { word, taken } = nextWord(text);
      if (word === "") return taken;
      const on = !word.startsWith("!");
      const chosen = selectEvents(events(), on ? word : word.slice(1));
      instance.enableAll(chosen, on);
      return taken;
    },
    truncate: () => {
      for (const event of tracing.registry.all()) instance.enable(event, false);
    },
  });
}

/** The first word, and the bytes up to it and one behind it (`trace_get_user`). */
function nextWord(text: string): { readonly word: string; readonly taken: number } {
  const [all, word] = /^[\t-\r ]*([^\t-\r \0]*)[\t-\r \0]?/.exec(text)!;
  if (word.length > MAX_WORD) throw new KernelError("EINVAL", "write");
  return { word, taken: new TextEncoder().encode(all).length };
}
