import type { BufferCounts, Capture, RawPage, TraceRequest } from "../../core/backend.ts";
import { parseHeaderPage } from "../../core/event/header_page.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { readText, tryReadText } from "../../core/kernel/files.ts";
import type { Fd, Kernel } from "../../core/kernel/port.ts";
import { eventName, UserEventWatch } from "./user_events.ts";
import { instanceDirectory } from "./operations.ts";

/** Pages read of one CPU before the next has its turn. */
const PAGES_PER_TURN = 256;

interface CpuPipe {
  readonly cpu: number;
  readonly fd: Fd;
}

/** Opens the per-CPU `trace_pipe_raw` files of a trace's instance. */
export function openCapture(kernel: Kernel, root: string, request: TraceRequest): Capture {
  const directory = `${root}/${instanceDirectory(request.name)}`;
  const headerPage = readText(kernel, `${root}/events/header_page`);
  const watch = new UserEventWatch(kernel, root, directory, request.probes);
  const events = request.probes.filter(({ kind }) => kind !== "user_event").map((probe) => ({
    probe: probe.id,
    event: eventName(probe),
    format: readText(kernel, `${directory}/events/${probe.group}/${probe.event}/format`),
  }));
  const pipes = openPipes(kernel, directory);
  const page = new Uint8Array(parseHeaderPage(headerPage).size);

  return {
    events: [...events, ...watch.look()],
    discover: () => watch.look(),
    headerPage,
    clock: /\[(\S+)\]/.exec(tryReadText(kernel, `${directory}/trace_clock`) ?? "")?.[1] ?? "local",
    read: (take) => pipes.reduce((sum, pipe) => sum + readPipe(kernel, pipe, page, take), 0),
    wait: (milliseconds) => kernel.sleep(milliseconds),
    counts: () => pipes.map(({ cpu }) => readCounts(kernel, directory, cpu)),
    savedCommands: `${root}/saved_cmdlines`,
    finished: false,
    close: () => pipes.splice(0).forEach(({ fd }) => kernel.close(fd)),
  };
}

function openPipes(kernel: Kernel, directory: string): CpuPipe[] {
  const pipes: CpuPipe[] = [];
  try {
    for (const name of kernel.list(`${directory}/per_cpu`)) {
      const path = `${directory}/per_cpu/${name}/trace_pipe_raw`;
      const fd = kernel.open(path, { access: "read", nonblock: true });
      pipes.push({ cpu: Number(name.slice("cpu".length)), fd });
    }
  } catch (error) {
    pipes.forEach(({ fd }) => kernel.close(fd));
    throw error;
  }
  return pipes;
}

function readPipe(
  kernel: Kernel,
  pipe: CpuPipe,
  page: Uint8Array,
  take: (page: RawPage) => void,
): number {
  for (let count = 0; count < PAGES_PER_TURN; count++) {
    try {
      const length = kernel.read(pipe.fd, page);
      if (length === 0) return count;
      take({ cpu: pipe.cpu, bytes: page.subarray(0, length) });
    } catch (error) {
      if (isKernelError(error, "EAGAIN")) return count;
      if (!isKernelError(error, "EINTR")) throw error;
    }
  }
  return PAGES_PER_TURN;
}

/** `overrun` counts what was overwritten, `dropped events` what found no room. */
function readCounts(kernel: Kernel, directory: string, cpu: number): BufferCounts {
  const stats = tryReadText(kernel, `${directory}/per_cpu/cpu${cpu}/stats`) ?? "";
  const value = (name: string) =>
    Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(stats)?.[1] ?? 0);
  return { cpu, lost: value("overrun") + value("dropped events") };
}
