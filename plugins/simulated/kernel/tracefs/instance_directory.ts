import { fromByteString } from "../../../../core/filter/bytes.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import { TRACE_CLOCKS, type TraceClock, type TraceInstance } from "../trace/instance.ts";
import type { Tracing } from "../trace/tracing.ts";
import { type DirectoryNode, type FileNode, fixedDirectory, type Node, textFile } from "../vfs.ts";
import { eventsDirectory, parseNumber, parseSwitch } from "./event_directory.ts";

/** The files that the top and every instance have (kernel/trace/trace.c, `init_tracer_tracefs`). */
export function instanceEntries(tracing: Tracing, instance: TraceInstance): Record<string, Node> {
  return {
    buffer_percent: textFile({
      read: () => `${instance.bufferPercent}\n`,
      write: (text) => {
        const percent = parseNumber(text);
        if (percent > 100) throw new KernelError("EINVAL", "write");
        instance.bufferPercent = percent;
      },
    }),
    buffer_size_kb: bufferSizeFile(instance),
    current_tracer: textFile({
      read: () => "nop\n",
      write: (text) => {
        if (text.trim() !== "nop") throw new KernelError("EINVAL", "write");
      },
    }),
    error_log: textFile({
      read: () => fromByteString(instance.errors.text()),
      write: () => {},
      truncate: () => instance.errors.clear(),
    }),
    events: eventsDirectory(tracing, instance),
    per_cpu: perCpuDirectory(tracing, instance),
    set_event: setEventFile(tracing, instance),
    trace: traceFile(instance),
    trace_clock: textFile({
      read: () => clocksText(instance),
      write: (text) => {
        const clock = text.trim();
        if (!(TRACE_CLOCKS as readonly string[]).includes(clock)) {
          throw new KernelError("EINVAL", "write");
        }
        instance.setClock(clock as TraceClock);
      },
    }),
    tracing_on: textFile({
      read: () => `${Number(instance.ring.recording)}\n`,
      write: (text) => {
        instance.ring.recording = parseNumber(text) !== 0;
      },
    }),
    options: fixedDirectory({
      overwrite: textFile({
        read: () => `${Number(instance.ring.overwrite)}\n`,
        write: (text) => {
          instance.ring.overwrite = parseSwitch(text);
        },
      }),
    }),
  };
}

function bufferSizeFile(instance: TraceInstance, cpu?: number): Node {
  return textFile({
    read: () => `${instance.sizeText(cpu)}\n`,
    write: (text) => {
      const kib = parseNumber(text);
      if (kib === 0) throw new KernelError("EINVAL", "write");
      instance.resize(kib, cpu);
    },
  });
}

function clocksText(instance: TraceInstance): string {
  return TRACE_CLOCKS.map((clock) => clock === instance.clock ? `[${clock}]` : clock).join(" ") +
    "\n";
}

/** Enabled events, `system:name` a line; an append adds, a leading `!` takes away. */
function setEventFile(tracing: Tracing, instance: TraceInstance): Node {
  const { registry } = tracing;
  return textFile({
    read: () =>
      instance.enabledOf(registry.all()).map(({ system, name }) => `${system}:${name}\n`).join(""),
    write: (text) => {
      for (const word of text.split(/\s+/).filter((part) => part !== "")) {
        const on = !word.startsWith("!");
        const [system, name] = word.replace(/^!/, "").split(":");
        const events = name === undefined || name === "*"
          ? registry.eventsOf(system)
          : [registry.find(system, name)].filter((event) => event !== undefined);
        if (events.length === 0) throw new KernelError("EINVAL", "write");
        for (const event of events) instance.enable(event, on);
      }
    },
    truncate: () => {
      for (const event of registry.all()) instance.enable(event, false);
    },
  });
}

function perCpuDirectory(tracing: Tracing, instance: TraceInstance): DirectoryNode {
  const entries = Array.from({ length: tracing.cpus }, (_, cpu): [string, Node] => [
    `cpu${cpu}`,
    fixedDirectory({
      buffer_size_kb: bufferSizeFile(instance, cpu),
      stats: textFile({ read: () => instance.ring.stats(cpu, tracing.now()) }),
      trace: traceFile(instance, cpu),
      trace_pipe_raw: rawPipeFile(instance, cpu),
    }),
  ]);
  return fixedDirectory(Object.fromEntries(entries));
}

function rawPipeFile(instance: TraceInstance, cpu: number): FileNode {
  return {
    kind: "file",
    mode: 0o440,
    open: () => {
      const pipe = instance.ring.openRaw(cpu);
      instance.users++;
      return {
        read: (into) => {
          const count = pipe.read(into);
          // A blocking reader would sleep for ever: nothing happens while it does.
          if (count === undefined) throw new KernelError("EAGAIN", "read");
          return count;
        },
        close: () => {
          instance.users--;
        },
      };
    },
  };
}

/** `trace`: opening it with O_TRUNC throws the buffer away. */
function traceFile(instance: TraceInstance, cpu?: number): FileNode {
  return textFile({
    mode: 0o640,
    read: () => "# tracer: nop\n#\n",
    write: () => {},
    truncate: () => instance.ring.reset(cpu),
  });
}
