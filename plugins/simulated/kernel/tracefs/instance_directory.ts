import { fromByteString } from "../../../../core/filter/bytes.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import type { TraceInstance } from "../trace/instance.ts";
import type { Tracing } from "../trace/tracing.ts";
import { type DirectoryNode, type FileNode, fixedDirectory, type Node, textFile } from "../vfs.ts";
import { eventsDirectory } from "./event_directory.ts";
import { held } from "./held.ts";
import { setEventFile } from "./set_event_file.ts";
import { bufferSizeFile, settingFiles } from "./setting_files.ts";

/** The files that the top and every instance have (kernel/trace/trace.c, `init_tracer_tracefs`). */
export function instanceEntries(tracing: Tracing, instance: TraceInstance): Record<string, Node> {
  const files: Record<string, Node> = {
    ...settingFiles(instance),
    error_log: textFile({
      read: () => fromByteString(instance.errors.text()),
      write: () => {},
      truncate: () => instance.errors.clear(),
    }),
    per_cpu: perCpuDirectory(tracing, instance),
    set_event: setEventFile(tracing, instance),
    trace: traceFile(instance),
  };
  const kept = Object.entries(files).map(([name, node]) => [name, held(instance, node)]);
  return { ...Object.fromEntries(kept), events: eventsDirectory(tracing, instance) };
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
      return {
        read: (into) => {
          const count = pipe.read(into);
          // A blocking reader would sleep for ever: nothing happens while it does.
          if (count === undefined) throw new KernelError("EAGAIN", "read");
          return count;
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
