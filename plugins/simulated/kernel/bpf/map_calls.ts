/**
 * The commands of bpf(2) on maps (kernel/bpf/syscall.c).
 * @module
 */
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { MAP_FLAG, MAP_TYPE, UPDATE } from "./abi.ts";
import { ArrayMap, checkArray } from "./array_map.ts";
import type { BpfAttr } from "./attr.ts";
import { checkDescriptorArray, EventArray, ProgramArray } from "./descriptor_array.ts";
import { checkHash, HashMap } from "./hash_map.ts";
import { type BpfMap, MapFile, type MapSpec } from "./map.ts";
import { refuse } from "./refusal.ts";
import { checkRing, RingMap } from "./ring_map.ts";
import { checkStackMap, StackMap } from "./stack_map.ts";

/** Offsets of the fields of MAP_CREATE. */
const CREATE = { type: 0, keySize: 4, valueSize: 8, maxEntries: 12, flags: 16, numaNode: 24 };
const CREATE_NAME = 28;
const CREATE_BTF_KEY = 52;
const CREATE_BTF_VALUE = 56;
const CREATE_BTF_VMLINUX = 60;
const CREATE_EXTRA = 64;
const CREATE_END = { "6.1": 72, "6.12": 80 } as const;

/** Types that need more than a descriptor: CAP_BPF, which only root has here. */
type MakeMap = (id: number, spec: MapSpec, owner: SimulatedProcess) => BpfMap;

interface MapKind {
  check(spec: MapSpec, caller: SimulatedProcess, kernel: SimulatedKernel): void;
  readonly make: MakeMap;
}

const array: MapKind = { check: checkArray, make: (id, spec) => new ArrayMap(id, spec) };
const hash: MapKind = { check: checkHash, make: (id, spec) => new HashMap(id, spec) };

const KINDS: Readonly<Record<number, MapKind>> = {
  [MAP_TYPE.array]: array,
  [MAP_TYPE.percpuArray]: array,
  [MAP_TYPE.hash]: hash,
  [MAP_TYPE.percpuHash]: hash,
  [MAP_TYPE.lruHash]: hash,
  [MAP_TYPE.lruPercpuHash]: hash,
  [MAP_TYPE.progArray]: {
    check: checkDescriptorArray,
    make: (id, spec, owner) => new ProgramArray(id, spec, owner),
  },
  [MAP_TYPE.perfEventArray]: {
    check: checkDescriptorArray,
    make: (id, spec, owner) => new EventArray(id, spec, owner),
  },
  [MAP_TYPE.ringBuffer]: { check: checkRing, make: (id, spec) => new RingMap(id, spec) },
  [MAP_TYPE.stackTrace]: {
    check: (spec, _caller, kernel) => checkStackMap(spec, kernel.perf.settings.maxStack),
    make: (id, spec) => new StackMap(id, spec),
  },
};

/** Types whose limits are checked after the permission: when the map is made. */
const CHECKED_LATE: readonly number[] = [MAP_TYPE.ringBuffer, MAP_TYPE.stackTrace];

/** MAP_CREATE. @returns a descriptor @throws {KernelError} */
export function createMap(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
): number {
  attr.requireEnd(CREATE_END[kernel.version]);
  const btf = [CREATE_BTF_KEY, CREATE_BTF_VALUE, CREATE_BTF_VMLINUX].map((at) => attr.u32(at));
  if (btf[2] !== 0 || (btf[0] !== 0 && btf[1] === 0)) refuse("EINVAL");
  if (attr.u64(CREATE_EXTRA) !== 0n) refuse("EINVAL");
  const flags = attr.u32(CREATE.flags);
  const access = MAP_FLAG.readOnly | MAP_FLAG.writeOnly;
  if ((flags & access) === access) refuse("EINVAL");
  // There is one node.
  if (flags & MAP_FLAG.numaNode && attr.u32(CREATE.numaNode) !== 0) refuse("EINVAL");
  const kind = KINDS[attr.u32(CREATE.type)] ?? refuse("EINVAL");
  const spec = {
    type: attr.u32(CREATE.type),
    keySize: attr.u32(CREATE.keySize),
    valueSize: attr.u32(CREATE.valueSize),
    maxEntries: attr.u32(CREATE.maxEntries),
    flags,
    cpus: kernel.cpus,
  };
  const isLate = CHECKED_LATE.includes(spec.type);
  if (!isLate) kind.check({ ...spec, name: "" }, caller, kernel);
  if (!caller.privileged) refuse("EPERM");
  if (isLate) kind.check({ ...spec, name: "" }, caller, kernel);
  const name = attr.name(CREATE_NAME);
  // BTF is not modelled: there is none behind any descriptor.
  if (btf[0] !== 0 || btf[1] !== 0) refuse("EBADF");
  caller.requireFreeDescriptor("bpf");
  const map = kernel.bpf.addMap((id) => kind.make(id, { ...spec, name }, caller));
  return caller.install(new MapFile(map), "anon_inode:bpf-map", accessOf(flags));
}

function accessOf(flags: number) {
  const access = flags & MAP_FLAG.readOnly
    ? "read"
    : flags & MAP_FLAG.writeOnly
    ? "write"
    : "read-write";
  return { access } as const;
}

/** The map behind a descriptor. @throws {KernelError} EBADF, or EINVAL for another kind of file */
export function mapOf(process: SimulatedProcess, fd: number): BpfMap {
  const { file } = process.descriptor(fd, "bpf");
  return file instanceof MapFile ? file.map : refuse("EINVAL");
}

function mapWith(caller: SimulatedProcess, attr: BpfAttr, access: "read" | "write"): BpfMap {
  const map = mapOf(caller, attr.i32(0));
  const { flags } = caller.descriptor(attr.i32(0), "bpf");
  if (flags.access !== "read-write" && flags.access !== access) refuse("EPERM");
  return map;
}

/** The key that an element command names (`__bpf_copy_key`). */
function keyOf(caller: SimulatedProcess, map: BpfMap, address: bigint): Uint8Array {
  if (map.spec.keySize > 0) {
    return caller.memory.read(address, map.spec.keySize) ?? refuse("EFAULT");
  }
  return address === 0n ? new Uint8Array() : refuse("EINVAL");
}

/** MAP_LOOKUP_ELEM. @throws {KernelError} */
export function lookupElement(caller: SimulatedProcess, attr: BpfAttr): number {
  attr.requireEnd(32);
  const flags = attr.u64(24);
  if (flags & ~UPDATE.lock) refuse("EINVAL");
  const map = mapWith(caller, attr, "read");
  // No map has a lock in its values: that takes BTF.
  if (flags & UPDATE.lock) refuse("EINVAL");
  const value = map.lookup(keyOf(caller, map, attr.u64(8)));
  if (!caller.memory.write(attr.u64(16), value)) refuse("EFAULT");
  return 0;
}

/** MAP_UPDATE_ELEM. @throws {KernelError} */
export function updateElement(caller: SimulatedProcess, attr: BpfAttr): number {
  attr.requireEnd(32);
  const map = mapWith(caller, attr, "write");
  if (attr.u64(24) & UPDATE.lock) refuse("EINVAL");
  const key = keyOf(caller, map, attr.u64(8));
  const value = caller.memory.read(attr.u64(16), map.valueBytes) ?? refuse("EFAULT");
  map.update(key, value, attr.u64(24));
  return 0;
}

/** MAP_DELETE_ELEM. @throws {KernelError} */
export function deleteElement(caller: SimulatedProcess, attr: BpfAttr): number {
  attr.requireEnd(16);
  const map = mapWith(caller, attr, "write");
  map.delete(keyOf(caller, map, attr.u64(8)));
  return 0;
}

/** MAP_GET_NEXT_KEY. @throws {KernelError} */
export function nextKey(caller: SimulatedProcess, attr: BpfAttr): number {
  attr.requireEnd(24);
  const map = mapWith(caller, attr, "read");
  const address = attr.u64(8);
  const next = map.nextKey(address === 0n ? null : keyOf(caller, map, address));
  if (!caller.memory.write(attr.u64(16), next)) refuse("EFAULT");
  return 0;
}
