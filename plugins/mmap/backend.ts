import type { Backend, Facility } from "../../core/backend.ts";
import { KernelError } from "../../core/kernel/error.ts";
import { endsWithProcess, type Operation, type Step } from "../../core/operation.ts";
import { openCapture } from "./capture.ts";
import { ringPages } from "./limits.ts";
import { planTrace } from "./operations.ts";
import { readPmu } from "./pmu.ts";
import { SyscallNames } from "./prefix.ts";
import { onlineCpus } from "./rings.ts";
import { TraceEvents } from "./trace_events.ts";

/** Options of {@link mmapBackend}. */
export interface MmapOptions {
  /** Thread to trace, with what it starts from then on; all threads if absent. */
  readonly pid?: number;
}

/**
 * The backend over perf events with mapped rings. It leaves nothing behind but, after a crash, the
 * definitions of probes that a PMU cannot carry out.
 *
 * @param base the tracefs backend: it finds places, defines probes and removes them
 */
export function mmapBackend(base: Backend, { pid = -1 }: MmapOptions = {}): Backend {
  const { kernel } = base;
  const events = new TraceEvents(kernel, pid);
  const names = new SyscallNames(base);
  const pmus = { kprobe: readPmu(kernel, "kprobe"), uprobe: readPmu(kernel, "uprobe") };
  const root = async () => facilityDetail(await base.inspect(), "tracefs");

  return {
    name: "mmap",
    kernel,
    inspect: async () => {
      const { usable, list } = await base.inspect();
      const own = [
        pmuFacility("kprobe", pmus.kprobe?.type),
        pmuFacility("uprobe", pmus.uprobe?.type),
      ];
      return { usable: usable && !("unavailable" in kernel.native), list: [...list, ...own] };
    },
    locate: async (probe) => {
      const { native } = kernel;
      if ("unavailable" in native) {
        return { reason: native.unavailable, hint: "Take --backend tracefs", lacksFeature: true };
      }
      return await names.locate(probe);
    },
    places: (kind) => base.places(kind),
    inventory: () => base.inventory(),
    operations: (request) => {
      const probes = request.probes.map((probe) => names.resolve(probe));
      const pages = ringPages(kernel, request.bufferKiB);
      const host = { cpus: onlineCpus(kernel), pages, pid };
      const plan = planTrace(base, { ...request, probes }, pmus, host);
      events.plan(request.name, plan.events, pages);
      return [...plan.operations];
    },
    check: async (operations) => {
      const states = await base.check(operations);
      return operations.map(({ step }, index) =>
        isPerfStep(step) ? (events.isDone(step) ? "done" : "missing") : states[index]
      );
    },
    perform: async (operations) => {
      const directory = await root();
      let pending: Operation[] = [];
      for (const operation of operations) {
        if (!isPerfStep(operation.step)) {
          pending.push(operation);
          continue;
        }
        // What belongs to one file is best given to it in one go.
        await base.perform(pending);
        pending = [];
        events.perform(operation, operation.step, directory);
      }
      await base.perform(pending);
    },
    undo: async (step) => {
      if (isPerfStep(step)) events.undo(step);
      else await base.undo(step);
    },
    status: async (name, expected) => {
      const open = events.ofTrace(name).map(({ wanted: { place }, perf }) => ({
        event: place,
        active: perf.enabled,
      }));
      const states = await base.status(name, expected);
      const listed = new Set(states.map(({ event }) => event));
      return [
        ...states.map((state) => ({
          ...state,
          ...open.find(({ event }) => event === state.event),
        })),
        ...open.filter(({ event }) => !listed.has(event)),
      ];
    },
    capture: async (request) => openCapture(base, await root(), events, request),
    close: async () => {
      events.close();
      await base.close();
    },
  };
}

function isPerfStep(step: Step): step is Extract<Step, { readonly event: string }> {
  return endsWithProcess(step);
}

/** What a facility that the tracefs backend has found is: of `tracefs`, its directory. */
function facilityDetail(
  { list }: { readonly list: readonly Facility[] },
  name: string,
): string {
  const found = list.find((facility) => facility.name === name && facility.available);
  if (found === undefined) throw new KernelError("ENOENT", name);
  return found.detail;
}

function pmuFacility(name: string, type: number | undefined): Facility {
  return type === undefined
    ? {
      name: `${name} PMU`,
      available: false,
      detail: `There is no "/sys/bus/event_source/devices/${name}"`,
      remedy: `Linux 4.17 and later have it; ${name}s are defined by tracefs without`,
    }
    : { name: `${name} PMU`, available: true, detail: `type ${type}` };
}
