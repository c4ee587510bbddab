import { fromByteString } from "../../../../core/filter/bytes.ts";
import type { Place } from "../dynamic/event.ts";
import { refuse } from "../dynamic/probe_log.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";

/** Where a uprobe sits. */
export type UprobePlace = Extract<Place, { kind: "uprobe" }>;

/**
 * Checks whether a uprobe can be armed, which is later than it is defined (`uprobe_register`,
 * kernel/events/uprobes.c).
 *
 * @throws {KernelError} EINVAL beyond the end of the file, EIO for a file without pages
 */
export function checkUprobePlace(kernel: SimulatedKernel, place: UprobePlace): void {
  const size = kernel.fileSize(fromByteString(place.path));
  if (size === "kernel file") refuse("EIO");
  if (size !== undefined && BigInt.asIntN(64, place.offset) > BigInt(size)) refuse("EINVAL");
  if (kernel.arch === "aarch64" && place.offset % 4n !== 0n) refuse("EINVAL");
  if (place.refCounter % 2n !== 0n) refuse("EINVAL");
}
