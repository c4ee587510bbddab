/**
 * The helpers that programs call (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
 * @module
 */
import { ERRNO, type ErrnoCode } from "../../../../core/kernel/errno.ts";
import { isKernelError } from "../../../../core/kernel/error.ts";
import { EventArray, ProgramArray } from "./descriptor_array.ts";
import type { HelperName } from "./helper_ids.ts";
import { type Machine, ProgramFault } from "./machine.ts";
import type { Program } from "./program.ts";
import { RingMap } from "./ring_map.ts";

/** A helper: its parameters in r1 to r5, its answer for r0. */
type Helper = (machine: Machine, ...parameters: bigint[]) => bigint;

const CURRENT_CPU = 0xffff_ffffn;
const COMM_SIZE = 16;

/** An error as a helper answers it. */
function error(code: ErrnoCode): bigint {
  return BigInt(-ERRNO[code]);
}

/** Carries out what may fail as bpf(2) fails. */
function answering(body: () => void): bigint {
  try {
    body();
    return 0n;
  } catch (failure) {
    if (!isKernelError(failure)) throw failure;
    return BigInt(-failure.errno);
  }
}

/** Bytes that a helper may be asked to move. */
function lengthOf(size: bigint): number {
  const length = Number(BigInt.asUintN(32, size));
  if (length > 1 << 29) throw new ProgramFault(`a helper was asked for ${length} bytes`);
  return length;
}

/** `bpf_probe_read*`: what cannot be read is zeros, and an error. */
function probeRead(user: boolean | "either"): Helper {
  return (machine, to, size, from) => {
    const into = machine.view(to, lengthOf(size));
    const bytes = readMemory(machine, from, into.length, user);
    into.fill(0);
    if (bytes === null) return error("EFAULT");
    into.set(bytes);
    return 0n;
  };
}

/** `bpf_probe_read*_str`: up to a NUL, which is always there; the length with it. */
function probeReadString(user: boolean | "either"): Helper {
  return (machine, to, size, from) => {
    const into = machine.view(to, lengthOf(size));
    const bytes = readMemory(machine, from, into.length, user);
    if (bytes === null) {
      into.fill(0);
      return error("EFAULT");
    }
    const end = bytes.indexOf(0);
    const length = Math.min(end < 0 ? into.length : end + 1, into.length);
    if (length === 0) return 0n;
    into.set(bytes.subarray(0, length - 1));
    into[length - 1] = 0;
    return BigInt(length);
  };
}

/** Older helpers tell from the address whose memory it is. */
function readMemory(
  { occurrence }: Machine,
  address: bigint,
  length: number,
  user: boolean | "either",
): Uint8Array | null {
  if (length === 0) return new Uint8Array();
  return occurrence.readMemory(address, length, user === "either" ? address >> 63n === 0n : user);
}

function ringAt(machine: Machine, address: bigint): RingMap {
  const map = machine.mapAt(address);
  if (!(map instanceof RingMap)) {
    throw new ProgramFault("a helper got another map for a ring buffer");
  }
  return map;
}

/** The end of a reservation. */
function ringCommit(discard: boolean): Helper {
  return (machine, record) => {
    const { map, offset } = machine.valueAt(record);
    if (!(map instanceof RingMap) || map.reserved(offset) === undefined) {
      throw new ProgramFault("a helper got something else for a record");
    }
    map.commit(offset, discard);
    return 0n;
  };
}

/** `bpf_perf_event_output`: a sample of an event that is there for this. */
const perfEventOutput: Helper = (machine, _context, map, flags, data, size) => {
  const array = machine.mapAt(map);
  if (!(array instanceof EventArray)) throw new ProgramFault("a helper got another map for events");
  if (flags > CURRENT_CPU) return error("EINVAL");
  const { cpu } = machine.occurrence.task;
  const index = flags === CURRENT_CPU ? cpu : Number(flags);
  if (!array.has(index)) return error("E2BIG");
  const file = array.at(index);
  if (file === undefined) return error("ENOENT");
  const { event } = file;
  if (event.source.pmu !== "software" || event.source.counts !== "output") return error("EINVAL");
  if (!event.isActive || event.cpu !== cpu) return error("EOPNOTSUPP");
  const raw = machine.view(data, lengthOf(size)).slice();
  return event.emit(raw, machine.occurrence) ? 0n : error("ENOSPC");
};

/** The program that a tail call goes on with; nothing if there is none. */
export function tailCallTarget(
  machine: Machine,
  map: bigint,
  index: bigint,
): Program | undefined {
  const array = machine.mapAt(map);
  if (!(array instanceof ProgramArray)) throw new ProgramFault("a tail call got another map");
  return array.at(Number(BigInt.asUintN(32, index)));
}

/** Helpers by name; those that follow stacks find none. */
export const HELPERS: Readonly<Record<HelperName, Helper>> = {
  mapLookup: (machine, map, key) => {
    const found = machine.mapAt(map);
    const offset = found.find(machine.view(key, found.spec.keySize), machine.occurrence.task.cpu);
    return offset === undefined ? 0n : machine.valueAddress(found, offset);
  },
  mapUpdate: (machine, map, key, value, flags) => {
    const found = machine.mapAt(map);
    const { keySize, valueSize } = found.spec;
    const [keyBytes, valueBytes] = [machine.view(key, keySize), machine.view(value, valueSize)];
    return answering(() => found.put(keyBytes, valueBytes, flags, machine.occurrence.task.cpu));
  },
  mapDelete: (machine, map, key) => {
    const found = machine.mapAt(map);
    return answering(() => found.delete(machine.view(key, found.spec.keySize)));
  },
  probeRead: probeRead("either"),
  ktimeGetNs: ({ objects }) => objects.kernel.now("monotonic"),
  tracePrintk: (_machine, _format, size) => BigInt.asUintN(32, size),
  // Any number will do, and the same one each time makes runs alike.
  getPrandom: ({ objects }) => (objects.kernel.now("monotonic") * 2654435761n) & 0xffff_ffffn,
  getProcessorId: ({ occurrence }) => BigInt(occurrence.task.cpu),
  tailCall: () => 0n,
  getPidTgid: ({ occurrence: { task } }) => BigInt(task.pid) << 32n | BigInt(task.tid),
  getUidGid: ({ objects, occurrence }) => {
    const id = BigInt(objects.kernel.process(occurrence.task.pid)?.uid ?? 0);
    return id << 32n | id;
  },
  getComm: (machine, to, size) => {
    const into = machine.view(to, lengthOf(size)).fill(0);
    const comm = new TextEncoder().encode(machine.occurrence.task.comm);
    into.set(comm.subarray(0, Math.min(into.length, COMM_SIZE) - 1));
    return 0n;
  },
  perfEventOutput,
  getStackId: () => error("EFAULT"),
  probeReadStr: probeReadString("either"),
  getStack: () => error("EFAULT"),
  probeReadUser: probeRead(true),
  probeReadKernel: probeRead(false),
  probeReadUserStr: probeReadString(true),
  probeReadKernelStr: probeReadString(false),
  ktimeGetBootNs: ({ objects }) => objects.kernel.now("boottime"),
  ringOutput: (machine, map, data, size, flags) => {
    if (flags > 3n) return error("EINVAL");
    const ring = ringAt(machine, map);
    const bytes = machine.view(data, lengthOf(size));
    const record = ring.reserve(bytes.length);
    if (record === undefined) return error("EAGAIN");
    ring.view(record, bytes.length)!.set(bytes);
    ring.commit(record, false);
    return 0n;
  },
  ringReserve: (machine, map, size, flags) => {
    const ring = ringAt(machine, map);
    const record = flags === 0n ? ring.reserve(lengthOf(size)) : undefined;
    return record === undefined ? 0n : machine.valueAddress(ring, record);
  },
  ringSubmit: ringCommit(false),
  ringDiscard: ringCommit(true),
  ringQuery: (machine, map, what) => ringAt(machine, map).query(what),
  getFuncIp: ({ occurrence }) => occurrence.functionAddress,
  getAttachCookie: ({ cookie }) => cookie,
};
