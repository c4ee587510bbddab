/**
 * Links that put a program on many functions at once (`bpf_kprobe_multi_link_attach`,
 * kernel/trace/bpf_trace.c).
 * @module
 */
import type { Occurrence } from "../perf/occurrence.ts";
import type { SimulatedProcess } from "../process.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { readUserString } from "../user_string.ts";
import { ATTACH_TYPE, KPROBE_MULTI_RETURN } from "./abi.ts";
import type { BpfAttr } from "./attr.ts";
import type { Program } from "./program.ts";
import { refuse } from "./refusal.ts";

/** Offsets of the fields of LINK_CREATE. */
const LINK_FLAGS = 12;
const FLAGS = 16;
const COUNT = 20;
const SYMBOLS = 24;
const ADDRESSES = 32;
const COOKIES = 40;

/** Functions of one link, since 6.6 (`MAX_KPROBE_MULTI_CNT`). */
const MAX_FUNCTIONS = 1 << 20;
/** `KSYM_NAME_LEN`. */
const MAX_SYMBOL = 512;

/** A program on many functions. */
export class MultiLink {
  readonly program: Program;
  readonly flags: number;
  /** Cookies by the address of the function, in the order of addresses. */
  readonly functions: ReadonlyMap<bigint, bigint>;
  readonly hasCookies: boolean;
  /** Functions that are followed to their return, by thread, as a session asks for it. */
  readonly #followed = new Map<number, bigint[]>();

  constructor(
    program: Program,
    flags: number,
    functions: ReadonlyMap<bigint, bigint>,
    hasCookies: boolean,
  ) {
    this.program = program;
    this.flags = flags;
    this.functions = functions;
    this.hasCookies = hasCookies;
  }

  get #isSession(): boolean {
    return this.program.spec.expectedAttachType === ATTACH_TYPE.kprobeSession;
  }

  /** A function is called. */
  enter(address: bigint, occurrence: Occurrence): void {
    const cookie = this.functions.get(address);
    if (cookie === undefined || this.flags & KPROBE_MULTI_RETURN) return;
    const answer = this.program.run({ occurrence, entry: null }, cookie);
    // Whoever answers 0 at the entry of a session wants to see the return.
    if (!this.#isSession || answer !== 0n) return;
    const { tid } = occurrence.task;
    this.#followed.set(tid, [...this.#followed.get(tid) ?? [], address]);
  }

  /** A function returns. */
  leave(address: bigint, occurrence: Occurrence): void {
    const cookie = this.functions.get(address);
    if (cookie === undefined || !this.#seesReturn(address, occurrence.task.tid)) return;
    this.program.run({ occurrence, entry: null }, cookie);
  }

  #seesReturn(address: bigint, tid: number): boolean {
    if (this.flags & KPROBE_MULTI_RETURN) return true;
    const followed = this.#followed.get(tid);
    if (followed?.at(-1) !== address) return false;
    followed.pop();
    if (followed.length === 0) this.#followed.delete(tid);
    return true;
  }
}

/**
 * Finds what a link is asked to attach to.
 *
 * @throws {KernelError} EOPNOTSUPP where the kernel is built without fprobes, as Debian's 6.1 is;
 * EINVAL, E2BIG, EFAULT; ESRCH if any name is not that of a function that can be traced
 */
export function makeMultiLink(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  attr: BpfAttr,
  program: Program,
): MultiLink {
  if (kernel.version === "6.1") refuse("EOPNOTSUPP");
  const { expectedAttachType } = program.spec;
  if (attr.u32(LINK_FLAGS) !== 0) refuse("EINVAL");
  const types: readonly number[] = [ATTACH_TYPE.kprobeMulti, ATTACH_TYPE.kprobeSession];
  if (!types.includes(expectedAttachType)) refuse("EINVAL");
  const flags = attr.u32(FLAGS);
  if (flags & ~KPROBE_MULTI_RETURN) refuse("EINVAL");
  const [symbols, addresses] = [attr.u64(SYMBOLS), attr.u64(ADDRESSES)];
  if ((symbols !== 0n) === (addresses !== 0n)) refuse("EINVAL");
  const count = attr.u32(COUNT);
  if (count === 0) refuse("EINVAL");
  if (count > MAX_FUNCTIONS) refuse("E2BIG");
  const cookies = attr.u64(COOKIES) === 0n
    ? undefined
    : readWords(caller, attr.u64(COOKIES), count);
  const places = addresses !== 0n
    ? checkAddresses(kernel, readWords(caller, addresses, count))
    : findSymbols(kernel, caller, readWords(caller, symbols, count));
  const functions = places.map((place, i) => [place, cookies?.[i] ?? 0n] as const)
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return new MultiLink(program, flags, new Map(functions), cookies !== undefined);
}

function readWords(caller: SimulatedProcess, address: bigint, count: number): bigint[] {
  const bytes = caller.memory.read(address, 8 * count) ?? refuse("EFAULT");
  return [...new BigUint64Array(bytes.buffer, 0, count)];
}

/** `register_fprobe_ips`: each must be where ftrace has a hook. */
function checkAddresses(kernel: SimulatedKernel, addresses: readonly bigint[]): bigint[] {
  return addresses.map((address) => {
    const found = kernel.profile.functionAt(address);
    const isEntry = found?.traceable && (found.address === address ||
      (found.endbr === true && found.address + 4n === address));
    return isEntry ? found.address : refuse("EINVAL");
  });
}

/** `ftrace_lookup_symbols`: each name once, and one function for each. */
function findSymbols(
  kernel: SimulatedKernel,
  caller: SimulatedProcess,
  pointers: readonly bigint[],
): bigint[] {
  const names = pointers.map((pointer) => {
    const name = readUserString(caller.memory, pointer, MAX_SYMBOL);
    if (name === "fault") refuse("EFAULT");
    return name === "too long" ? refuse("E2BIG") : name.text;
  });
  if (new Set(names).size < names.length) refuse("ESRCH");
  return names.map((name) => {
    const found = kernel.profile.functionsNamed(name).find(({ traceable }) => traceable);
    return found?.address ?? refuse("ESRCH");
  });
}
