/** The files that an instance is set up with (kernel/trace/trace.c, `init_tracer_tracefs`). */
import { KernelError } from "../../../../core/kernel/error.ts";
import { TRACE_CLOCKS, type TraceClock, type TraceInstance } from "../trace/instance.ts";
import { strip } from "../trace/options.ts";
import { fixedDirectory, type Node, textFile } from "../vfs.ts";
import { parseSwitch, parseUlong } from "./numbers.ts";

/** Bytes that `trace_clock` and `trace_options` take at most. */
const MAX_WORD = 63;

/** The settings of an instance, by file. */
export function settingFiles(instance: TraceInstance): Record<string, Node> {
  const { options } = instance;
  return {
    buffer_percent: textFile({
      read: () => `${instance.bufferPercent}\n`,
      write: (text) => {
        const percent = parseUlong(text);
        if (percent > 100n) throw new KernelError("EINVAL", "write");
        instance.bufferPercent = Number(percent);
      },
    }),
    buffer_size_kb: bufferSizeFile(instance),
    buffer_total_size_kb: textFile({ read: () => `${instance.totalSizeText()}\n` }),
    current_tracer: textFile({
      read: () => "nop\n",
      write: (text) => {
        instance.expand();
        if (strip(text) !== "nop") throw new KernelError("EINVAL", "write");
      },
    }),
    options: fixedDirectory(
      Object.fromEntries(options.files.map((name) => [name, optionFile(instance, name)])),
    ),
    trace_clock: textFile({
      read: () => clocksText(instance),
      write: (text) => instance.setClock(clockOf(text)),
    }),
    trace_options: textFile({
      read: () => options.text(),
      write: (text) => {
        if (text.length > MAX_WORD) throw new KernelError("EINVAL", "write");
        options.write(text);
      },
    }),
    tracing_on: textFile({
      read: () => `${Number(instance.ring.recording)}\n`,
      write: (text) => {
        instance.ring.recording = parseUlong(text) !== 0n;
      },
    }),
  };
}

/** `buffer_size_kb` of one CPU or of all. */
export function bufferSizeFile(instance: TraceInstance, cpu?: number): Node {
  return textFile({
    read: () => `${instance.sizeText(cpu)}\n`,
    write: (text) => {
      const kib = parseUlong(text);
      if (kib === 0n) throw new KernelError("EINVAL", "write");
      instance.resize(kib, cpu);
    },
  });
}

function optionFile(instance: TraceInstance, name: string): Node {
  const { options } = instance;
  return textFile({
    read: () => `${Number(options.isSet(name))}\n`,
    write: (text) => options.setByFile(name, parseSwitch(text)),
  });
}

function clocksText(instance: TraceInstance): string {
  return TRACE_CLOCKS.map((clock) => clock === instance.clock ? `[${clock}]` : clock).join(" ") +
    "\n";
}

function clockOf(text: string): TraceClock {
  const clock = TRACE_CLOCKS.find((name) => name === strip(text));
  if (clock === undefined || text.length > MAX_WORD) throw new KernelError("EINVAL", "write");
  return clock;
}
