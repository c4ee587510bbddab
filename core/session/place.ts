import type { Backend, TraceRequest, Unplaceable } from "../backend.ts";
import type { Config } from "../config/config.ts";
import {
  type Candidate,
  type DesiredProbe,
  isUnresolved,
  resolveUprobe,
  type UprobeTarget,
} from "../config/desired.ts";
import { resolveInFile } from "../elf/debug_file.ts";
import { ElfError } from "../elf/elf.ts";
import { withElf } from "../elf/file.ts";
import { fileOffsetOf } from "../elf/resolve.ts";
import { KernelError } from "../kernel/error.ts";
import type { FileCalls } from "../kernel/port.ts";
import type { Probe, UserPlace } from "../probe/probe.ts";

/** A declared probe that this kernel has no place for. */
export interface UnplacedProbe extends Unplaceable {
  readonly desired: DesiredProbe;
}

/** What became of the declared probes. */
export interface Placement {
  readonly placed: readonly Probe[];
  readonly unplaced: readonly UnplacedProbe[];
}

/** What a config asks of a backend, with the probes that have a place. */
export function traceRequest(config: Config, probes: readonly Probe[]): TraceRequest {
  const { size } = config.buffer;
  return {
    name: config.metadata.name,
    probes,
    ...(size !== undefined && { bufferKiB: Math.ceil(size / 1024) }),
  };
}

/** Looks for each declared probe the first candidate that this kernel has a place for. */
export async function placeProbes(
  backend: Backend,
  desired: readonly DesiredProbe[],
): Promise<Placement> {
  const placed: Probe[] = [];
  const unplaced: UnplacedProbe[] = [];
  for (const probe of desired) {
    const found = await placeFirst(backend, probe);
    if ("probe" in found) placed.push(found.probe);
    else unplaced.push({ ...found, desired: probe });
  }
  return { placed, unplaced };
}

/** The first candidate with a place; else why the first of them has none. */
async function placeFirst(
  backend: Backend,
  desired: DesiredProbe,
): Promise<{ readonly probe: Probe } | Unplaceable> {
  const refusals: Unplaceable[] = [];
  for (const candidate of desired.candidates) {
    const found = await place(backend, candidate);
    if ("probe" in found) return found;
    refusals.push(found);
  }
  const [first, ...others] = refusals;
  const reason = [first.reason, ...others.map((refusal) => refusal.reason)].join("; ");
  return { ...first, reason };
}

async function place(
  backend: Backend,
  candidate: Candidate,
): Promise<{ readonly probe: Probe } | Unplaceable> {
  let probe: Probe;
  if (isUnresolved(candidate)) {
    const found = findPlace(backend.kernel, candidate.target);
    if ("reason" in found) return found;
    probe = resolveUprobe(candidate, found);
  } else {
    probe = candidate;
  }
  return await backend.locate(probe) ?? { probe };
}

/** The file offset of a symbol or an address of an executable. */
function findPlace(kernel: FileCalls, target: UprobeTarget): UserPlace | Unplaceable {
  const { path, at, refCounter } = target;
  const counted = refCounter === undefined ? {} : { refCounter };
  try {
    const offset = "symbol" in at
      ? resolveInFile(kernel, path, at.symbol).fileOffset
      : withElf(kernel, path, (elf) => fileOffsetOf(elf, at.address));
    return { path, offset, ...counted };
  } catch (error) {
    if (error instanceof ElfError) {
      return { reason: `"${path}": ${error.message}`, hint: error.hint };
    }
    if (!(error instanceof KernelError)) throw error;
    return { reason: fileFault(path, error) };
  }
}

function fileFault(path: string, { code }: KernelError): string {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return `There is no file "${path}"`;
    case "EISDIR":
      return `"${path}" is a directory`;
    case "EACCES":
      return `"${path}" may not be read`;
    default:
      return `"${path}" cannot be read: ${code}`;
  }
}
