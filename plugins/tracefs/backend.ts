import type { Backend } from "../../core/backend.ts";
import type { Kernel } from "../../core/kernel/port.ts";
import { openCapture } from "./capture.ts";
import { inspectTracefs } from "./facilities.ts";
import { checkOperations, readInventory, readStatus } from "./listing.ts";
import { Locator } from "./locate.ts";
import { listPlaces } from "./places.ts";
import { findTracefs } from "./mount.ts";
import { traceOperations } from "./operations.ts";
import { eventPlaces } from "./user_events.ts";
import { performAll, undoStep } from "./perform.ts";

/** tracefs is not there; {@link Backend.inspect} says why without throwing. */
export class NoTracefsError extends Error {
  /** What to do about it. */
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = "NoTracefsError";
    this.hint = hint;
  }
}

/**
 * The backend over the kernel's files alone: no FFI, so it runs wherever tracefs is.
 *
 * @throws {NoTracefsError} from every call but `inspect` where there is no tracefs.
 */
export function tracefsBackend(kernel: Kernel): Backend {
  const mount = findTracefs(kernel);
  const root = (): string => {
    if ("missing" in mount) throw new NoTracefsError(mount.missing, mount.remedy);
    return mount.root;
  };
  let locator: Locator | undefined;

  return {
    name: "tracefs",
    kernel,
    inspect: async () => await inspectTracefs(kernel, mount),
    locate: async (probe) => await (locator ??= new Locator(kernel, root())).locate(probe),
    places: async (kind) => await listPlaces(kernel, root(), kind),
    inventory: async () => await readInventory(kernel, root()),
    operations: (request) => {
      const tracefs = root();
      return traceOperations(
        request,
        kernel.machine,
        (probe) => eventPlaces(kernel, tracefs, probe),
      );
    },
    check: async (operations) => await checkOperations(kernel, root(), operations),
    perform: async (operations) => await performAll(kernel, root(), operations),
    undo: async (step) => await undoStep(kernel, root(), step),
    status: async (name, expected) => await readStatus(kernel, root(), name, expected),
    capture: async (request) => await openCapture(kernel, root(), request),
    close: async () => {},
  };
}
