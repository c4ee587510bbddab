import { KernelError } from "../../../core/kernel/error.ts";
import type { SimulatedKernel } from "./simulated_kernel.ts";
import type { SimulatedProcess } from "./process.ts";
import { type DirectoryNode, fixedDirectory, liveDirectory, type Node, textFile } from "./vfs.ts";

const MOUNTINFO = "21 1 0:21 / /proc rw - proc proc rw\n" +
  "22 1 0:22 / /sys rw - sysfs sysfs rw\n" +
  "23 22 0:11 / /sys/kernel/tracing rw - tracefs tracefs rw\n";

const FILESYSTEMS = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\ttracefs\n";

/** Any fixed value will do: a simulated kernel never boots twice. */
const BOOT_ID = "5a0de5a0-0000-4000-8000-000000000001";

/** `/proc`, as far as tracers look at it. */
export function procDirectory(kernel: SimulatedKernel): DirectoryNode {
  const fixed: Readonly<Record<string, Node>> = {
    self: fixedDirectory({
      mountinfo: readable(() => MOUNTINFO),
      ns: fixedDirectory({
        pid: { kind: "link", mode: 0o777, target: "pid:[4026531836]" },
      }, 0o755),
    }, 0o755),
    kallsyms: readable(() => kernel.profile.kallsyms()),
    filesystems: readable(() => FILESYSTEMS),
    modules: readable(() =>
      kernel.profile.modules.map((name) => `${name} 16384 0 - Live 0x0\n`).join("")
    ),
    sys: fixedDirectory({
      kernel: fixedDirectory({
        random: fixedDirectory({ boot_id: readable(() => `${BOOT_ID}\n`) }, 0o755),
        kptr_restrict: readable(() => "0\n"),
        ...userEventsMax(kernel),
        ...kernel.perf.settings.files(),
      }, 0o755),
    }, 0o755),
  };
  return liveDirectory(
    () => [...Object.keys(fixed), ...kernel.processes.map(({ pid }) => String(pid))],
    (name) => {
      if (Object.hasOwn(fixed, name)) return fixed[name];
      const process = kernel.process(Number(name));
      return process && processDirectory(process);
    },
    {},
    0o755,
  );
}

/** The limit of user_events, which version 2 has (kernel/trace/trace_events_user.c). */
function userEventsMax(kernel: SimulatedKernel): Record<string, Node> {
  const { userEvents } = kernel.tracing;
  if (userEvents === undefined || userEvents.era !== "6.12") return {};
  return {
    user_events_max: textFile({
      mode: 0o644,
      read: () => `${userEvents.maxEvents}\n`,
      write: (text) => {
        if (!/^\d{1,10}\n?$/.test(text)) throw new KernelError("EINVAL", "write");
        userEvents.maxEvents = Number(text);
      },
    }),
  };
}

function processDirectory(process: SimulatedProcess): DirectoryNode {
  const { pid, comm } = process;
  return fixedDirectory({
    comm: readable(() => `${comm}\n`),
    // Field 22 is the start time, in ticks (proc_pid_stat(5)).
    stat: readable(() => `${pid} (${comm}) S 1 ${"0 ".repeat(17)}${process.startTicks} 0\n`),
  }, 0o555);
}

function readable(read: () => string): Node {
  return textFile({ mode: 0o444, read });
}
