import type { Backend, Capture, CapturedEvent, TraceRequest } from "../../core/backend.ts";
import { isKernelError } from "../../core/kernel/error.ts";
import { tryReadText } from "../../core/kernel/files.ts";
import { wantedEvents } from "./operations.ts";
import { HEADER_PAGE } from "./page_writer.ts";
import { capturedEvent, type TraceEvents } from "./trace_events.ts";

/** Opens the rings of a trace that is installed. They are closed with the events. */
export function openCapture(
  base: Backend,
  root: string,
  events: TraceEvents,
  request: TraceRequest,
): Capture {
  const { kernel } = base;
  const rings = events.rings(request.name);
  return {
    events: events.ofTrace(request.name).map(capturedEvent),
    discover: () => discover(base, root, events, request),
    headerPage: HEADER_PAGE,
    clock: "mono",
    read: (take) => rings.read(take),
    wait: (milliseconds) => kernel.sleep(milliseconds),
    counts: () => rings.counts(),
    savedCommands: `${root}/saved_cmdlines`,
    finished: false,
    close: () => {},
  };
}

/** Opens the user_events that programs have registered meanwhile. */
function discover(
  base: Backend,
  root: string,
  events: TraceEvents,
  request: TraceRequest,
): CapturedEvent[] {
  const probes = request.probes.filter(({ kind }) => kind === "user_event");
  const route = { via: "event", reason: "by its id" } as const;
  return probes.flatMap((probe) =>
    wantedEvents(base, request.name, probe, route).flatMap((wanted) => {
      const id = tryReadText(base.kernel, `${root}/events/${wanted.place}/id`);
      // An event may go and come again, with another id.
      if (id === undefined || events.find(wanted.name)?.entryId === Number(id)) return [];
      try {
        const open = events.openEvent(wanted, root);
        open.perf.enable();
        return [capturedEvent(open)];
      } catch (error) {
        // It may go at any moment: the id is not one any more then.
        if (isKernelError(error, "ENOENT", "ENODEV", "EINVAL")) return [];
        throw error;
      }
    })
  );
}
