import { SUBSYSTEM_FILTER_TEXT } from "../../../../core/filter/file.ts";
import { formatText, isInternal, type TraceEvent } from "../trace/event.ts";
import type { TraceInstance } from "../trace/instance.ts";
import type { Tracing } from "../trace/tracing.ts";
import { type DirectoryNode, fixedDirectory, liveDirectory, type Node, textFile } from "../vfs.ts";
import { held } from "./held.ts";
import { parseSwitch } from "./numbers.ts";

/** Text of `events/header_page` on 64-bit machines with 4 KiB sub-buffers (kernel/trace/ring_buffer.c). */
const HEADER_PAGE = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n" +
  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n" +
  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n" +
  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

/** Text of `events/header_event` (kernel/trace/ring_buffer.c, `ring_buffer_print_entry_header`). */
const HEADER_EVENT = "# compressed entry header\n" +
  "\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n\tarray       :   32 bits\n\n" +
  "\tpadding     : type == 29\n\ttime_extend : type == 30\n\ttime_stamp : type == 31\n" +
  "\tdata max type_len  == 28\n";

/** `events/` of an instance. */
export function eventsDirectory(tracing: Tracing, instance: TraceInstance): DirectoryNode {
  const { registry } = tracing;
  const fixed: Readonly<Record<string, Node>> = {
    enable: held(instance, enableFile(instance, () => registry.all())),
    header_page: textFile({ read: () => HEADER_PAGE }),
    header_event: textFile({ read: () => HEADER_EVENT }),
  };
  return liveDirectory(
    () => [...Object.keys(fixed), ...registry.systems()],
    (name) => {
      if (Object.hasOwn(fixed, name)) return fixed[name];
      return registry.eventsOf(name).length === 0
        ? undefined
        : systemDirectory(tracing, instance, name);
    },
  );
}

function systemDirectory(tracing: Tracing, instance: TraceInstance, system: string): DirectoryNode {
  const { registry } = tracing;
  // That of ftrace's own events has no such files (`event_subsystem_dir`).
  const fixed: Readonly<Record<string, Node>> = registry.eventsOf(system).some(isInternal) ? {} : {
    enable: held(instance, enableFile(instance, () => registry.eventsOf(system))),
    filter: held(instance, systemFilterFile(tracing, instance, system)),
  };
  return liveDirectory(
    () => [...Object.keys(fixed), ...registry.eventsOf(system).map(({ name }) => name)],
    (name) => {
      if (Object.hasOwn(fixed, name)) return fixed[name];
      const event = registry.find(system, name);
      return event && eventDirectory(instance, event);
    },
  );
}

function eventDirectory(instance: TraceInstance, event: TraceEvent): DirectoryNode {
  const file = instance.file(event);
  const format = textFile({ read: () => formatText(event) });
  const hist = textFile({ mode: 0o444, read: () => file.triggers.readHist() });
  if (isInternal(event)) return fixedDirectory({ format, hist });
  return fixedDirectory({
    enable: held(
      instance,
      textFile({
        read: () => file.enableText,
        write: (text) => {
          const on = parseSwitch(text);
          instance.expand();
          instance.enable(event, on);
        },
      }),
    ),
    filter: held(
      instance,
      textFile({ read: () => file.filterText, write: (text) => file.setFilter(text) }),
    ),
    format,
    id: textFile({ read: () => `${event.id}\n` }),
    hist,
    trigger: textFile({
      read: () => file.triggers.read(),
      write: (text) => file.triggers.write(text),
      truncate: () => file.triggers.truncate(),
    }),
  });
}

/** `enable` of a system or of all: `0`, `1`, or `X` where they differ (`system_enable_read`). */
function enableFile(instance: TraceInstance, events: () => TraceEvent[]): Node {
  const able = () => events().filter((event) => !isInternal(event));
  return textFile({
    read: () => {
      const states = new Set(able().map((event) => instance.isEnabled(event)));
      return states.size === 2
        ? "X\n"
        : states.size === 0
        ? "?\n"
        : states.has(true)
        ? "1\n"
        : "0\n";
    },
    write: (text) => {
      const on = parseSwitch(text);
      instance.expand();
      instance.enableAll(able(), on);
    },
  });
}

/** A system's filter goes to each of its events; those that it does not fit say so in their own file. */
function systemFilterFile(tracing: Tracing, instance: TraceInstance, system: string): Node {
  return textFile({
    read: () => SUBSYSTEM_FILTER_TEXT,
    write: (text) => {
      for (const event of tracing.registry.eventsOf(system)) {
        instance.file(event).setSystemFilter(text);
      }
    },
  });
}
