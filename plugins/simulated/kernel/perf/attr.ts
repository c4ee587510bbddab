/**
 * `struct perf_event_attr` as the kernel reads it from a process.
 * @module
 */
import { FORMATS, PAGE_SIZE, SAMPLE, SAMPLE_TYPES } from "./abi.ts";
import { refuse } from "./refusal.ts";

/** The flag bits of an attribute, from bit 0 (include/uapi/linux/perf_event.h). */
const FLAG_BITS = {
  disabled: 0,
  inherit: 1,
  pinned: 2,
  exclusive: 3,
  excludeUser: 4,
  excludeKernel: 5,
  excludeHv: 6,
  freq: 10,
  enableOnExec: 12,
  watermark: 14,
  sampleIdAll: 18,
  excludeCallchainKernel: 21,
  excludeCallchainUser: 22,
  useClockId: 25,
  writeBackward: 27,
  namespaces: 28,
  auxOutput: 31,
  textPoke: 33,
  inheritThread: 35,
  removeOnExec: 36,
  sigtrap: 37,
} as const;

/** Flag bits from here on are reserved. */
const FIRST_RESERVED_FLAG = 38n;

export type AttrFlag = keyof typeof FLAG_BITS;

/** A decoded `struct perf_event_attr`. */
export interface PerfAttr {
  readonly type: number;
  readonly config: bigint;
  /** Events between two samples, or samples a second with `freq`; 0 counts only. */
  readonly samplePeriod: bigint;
  readonly sampleType: number;
  readonly readFormat: number;
  readonly flags: ReadonlySet<AttrFlag>;
  /** Samples, or bytes with `watermark`, after which a reader is woken. */
  readonly wakeup: number;
  /** `kprobe_func`, `uprobe_path`. */
  readonly config1: bigint;
  /** `kprobe_addr`, `probe_offset`. */
  readonly config2: bigint;
  readonly regsUser: bigint;
  readonly stackUser: number;
  readonly clockId: number;
  readonly regsIntr: bigint;
  readonly maxStack: number;
  readonly auxSampleSize: number;
  /** `aux_start_paused`, `aux_pause`, `aux_resume`, from bit 0; 6.12 only. */
  readonly auxAction: number;
}

/** What decoding an attribute asks of the kernel around it. */
export interface AttrReader {
  readonly version: "6.1" | "6.12";
  readonly arch: "x86_64" | "aarch64";
  /** `kernel.perf_event_max_stack`. */
  readonly maxStack: number;
  /** A copy of the caller's memory; null where it cannot be read. */
  read(address: bigint, length: number): Uint8Array | null;
  /** Stores to the caller's memory, if that can be written. */
  write(address: bigint, bytes: Uint8Array): void;
  /** @throws {KernelError} EACCES unless the caller may look at the kernel */
  allowKernel(): void;
}

/** Size of the first published version (`PERF_ATTR_SIZE_VER0`). */
const FIRST_SIZE = 64;
/** Size of the version that each kernel knows. */
const OWN_SIZE = { "6.1": 128, "6.12": 136 } as const;

const BRANCH_BITS = { "6.1": 19n, "6.12": 20n } as const;
/** `PERF_SAMPLE_BRANCH_USER`, `KERNEL` and `HV`. */
const BRANCH_LEVELS = 7n;
const BRANCH_PRIVILEGED = 6n;

/**
 * Reads and checks an attribute (`perf_copy_attr`, kernel/events/core.c).
 *
 * @throws {KernelError} EFAULT, EINVAL, EACCES, or E2BIG, in which case the size
 * that this kernel knows is stored in the caller's attribute
 */
export function copyAttr(address: bigint, reader: AttrReader): PerfAttr {
  const bytes = copyStruct(address, reader);
  const attr = decodeAttr(bytes);
  const view = new DataView(bytes.buffer);
  const reserved = view.getBigUint64(40, true) >> FIRST_RESERVED_FLAG !== 0n ||
    view.getUint16(110, true) !== 0 ||
    view.getUint32(116, true) >>> (reader.version === "6.12" ? 3 : 0) !== 0;
  if (reserved) refuse("EINVAL");
  if (view.getBigUint64(24, true) & ~BigInt(SAMPLE_TYPES)) refuse("EINVAL");
  if (view.getBigUint64(32, true) & ~BigInt(FORMATS)) refuse("EINVAL");
  if (attr.sampleType & SAMPLE.branchStack) {
    checkBranches(view.getBigUint64(72, true), attr, reader);
  }
  if (attr.sampleType & SAMPLE.regsUser) checkRegisters(attr.regsUser, reader);
  if (attr.sampleType & SAMPLE.stackUser) {
    if (attr.stackUser >= 0xffff || attr.stackUser % 8 !== 0) refuse("EINVAL");
  }
  if (attr.sampleType & SAMPLE.regsIntr) checkRegisters(attr.regsIntr, reader);
  const { flags } = attr;
  if (attr.sampleType & SAMPLE.weight && attr.sampleType & SAMPLE.weightStruct) refuse("EINVAL");
  if (!flags.has("inherit") && flags.has("inheritThread")) refuse("EINVAL");
  if (flags.has("removeOnExec") && flags.has("enableOnExec")) refuse("EINVAL");
  if (flags.has("sigtrap") && !flags.has("removeOnExec")) refuse("EINVAL");
  return attr.maxStack === 0 ? { ...attr, maxStack: reader.maxStack } : attr;
}

/** `copy_struct_from_user`: shorter ones are filled up with zeros, longer ones must end in zeros. */
function copyStruct(address: bigint, reader: AttrReader): Uint8Array<ArrayBuffer> {
  const own = OWN_SIZE[reader.version];
  const tooBig = (): never => {
    reader.write(address + 4n, new Uint8Array(Uint32Array.of(own).buffer));
    refuse("E2BIG");
  };
  const sizeBytes = reader.read(address + 4n, 4) ?? refuse("EFAULT");
  const size = new DataView(sizeBytes.buffer, sizeBytes.byteOffset).getUint32(0, true) ||
    FIRST_SIZE;
  if (size < FIRST_SIZE || size > PAGE_SIZE) tooBig();
  const rest = size > own ? reader.read(address + BigInt(own), size - own) : new Uint8Array();
  if (rest === null) refuse("EFAULT");
  if (rest.some((byte) => byte !== 0)) tooBig();
  const given = reader.read(address, Math.min(size, own)) ?? refuse("EFAULT");
  const bytes = new Uint8Array(OWN_SIZE["6.12"]);
  bytes.set(given);
  return bytes;
}

function decodeAttr(bytes: Uint8Array<ArrayBuffer>): PerfAttr {
  const view = new DataView(bytes.buffer);
  const flagBits = view.getBigUint64(40, true);
  const flags = (Object.keys(FLAG_BITS) as AttrFlag[])
    .filter((flag) => flagBits >> BigInt(FLAG_BITS[flag]) & 1n);
  return {
    type: view.getUint32(0, true),
    config: view.getBigUint64(8, true),
    samplePeriod: view.getBigUint64(16, true),
    sampleType: view.getUint32(24, true),
    readFormat: view.getUint32(32, true),
    flags: new Set(flags),
    wakeup: view.getUint32(48, true),
    config1: view.getBigUint64(56, true),
    config2: view.getBigUint64(64, true),
    regsUser: view.getBigUint64(80, true),
    stackUser: view.getUint32(88, true),
    clockId: view.getInt32(92, true),
    regsIntr: view.getBigUint64(96, true),
    maxStack: view.getUint16(108, true),
    auxSampleSize: view.getUint32(112, true),
    auxAction: view.getUint32(116, true),
  };
}

function checkBranches(given: bigint, attr: PerfAttr, reader: AttrReader): void {
  if (given >> BRANCH_BITS[reader.version]) refuse("EINVAL");
  if ((given & ~BRANCH_LEVELS) === 0n) refuse("EINVAL");
  // Without a level it is the one of the event itself.
  const privileged = given & BRANCH_LEVELS
    ? (given & BRANCH_PRIVILEGED) !== 0n
    : !attr.flags.has("excludeKernel") || !attr.flags.has("excludeHv");
  if (privileged) reader.allowKernel();
}

function checkRegisters(mask: bigint, reader: AttrReader): void {
  if (!validRegisters(mask, reader)) refuse("EINVAL");
}

/** Registers of x86-64 that no sample has: the data segments, and bits below those of XMM0. */
const X86_RESERVED = 0xff00_f000n;
/** Registers of arm64: x0 to x30, sp, pc. */
const ARM64_REGISTERS = 33n;

/** `perf_reg_validate` (arch/x86/kernel/perf_regs.c, arch/arm64/kernel/perf_regs.c). */
function validRegisters(mask: bigint, { arch }: AttrReader): boolean {
  if (mask === 0n) return false;
  return arch === "x86_64" ? (mask & X86_RESERVED) === 0n : mask >> ARM64_REGISTERS === 0n;
}
