/**
 * Where kprobes may sit: the checks of kernel/kprobes.c and
 * arch/x86/kernel/kprobes/core.c, which kprobe events and the kprobe PMU share.
 * @module
 */
import type { ErrnoCode } from "../../../../core/kernel/errno.ts";
import type { DynamicHost, KernelSymbol } from "./host.ts";

/** Where a kprobe is asked for: a symbol (`[module:]name`) with an offset, or an address. */
export type KprobeTarget =
  | { readonly symbol: string; readonly offset: bigint }
  | { readonly symbol?: undefined; readonly address: bigint };

/** Bytes of ENDBR64, and of the call that ftrace patches. */
const ENDBR_SIZE = 4;
const FENTRY_SIZE = 5;

/** The part of a symbol before the first `:`, if there is one. */
export function moduleOf(symbol: string): string | undefined {
  const colon = symbol.indexOf(":");
  return colon < 0 ? undefined : symbol.slice(0, colon);
}

/** Address of a symbol, `module:name` included (`kallsyms_lookup_name`). */
export function lookupName(host: DynamicHost, name: string): bigint | undefined {
  const module = moduleOf(name);
  if (module === undefined) return host.symbols(name)[0]?.address;
  const found = host.symbols(name.slice(module.length + 1));
  return found.find((symbol) => symbol.module === module)?.address;
}

/** The symbol at an address, and how far into it the address is. */
function locate(
  host: DynamicHost,
  address: bigint,
): { symbol: KernelSymbol; offset: number } | undefined {
  const symbol = host.symbolAt(address);
  return symbol && { symbol, offset: Number(address - symbol.address) };
}

/** The symbol whose name `symbol` has with a suffix such as `.cold`. */
function unsuffixed(host: DynamicHost, symbol: KernelSymbol): KernelSymbol | undefined {
  const dot = symbol.name.indexOf(".");
  const address = dot < 0 ? undefined : lookupName(host, symbol.name.slice(0, dot));
  return address === undefined ? undefined : host.symbolAt(address);
}

/** The place a target resolves to (`_kprobe_addr`). */
export interface KprobeAddress {
  /** ENDBR64 skipped. */
  readonly address: bigint;
  readonly onEntry: boolean;
}

/** Resolves a target, or says why not: EINVAL for address 0, ENOENT for a place in no symbol. */
export function resolveKprobe(host: DynamicHost, target: KprobeTarget): KprobeAddress | ErrnoCode {
  if (target.symbol === undefined && target.address === 0n) return "EINVAL";
  const start = target.symbol === undefined ? target.address : lookupName(host, target.symbol);
  if (start === undefined) return "ENOENT";
  const offset = target.symbol === undefined ? 0n : target.offset;
  const place = locate(host, BigInt.asUintN(64, start + offset));
  if (place === undefined) return "ENOENT";
  const atEndbr = place.symbol.endbr === true && [0, ENDBR_SIZE].includes(place.offset);
  const inside = atEndbr ? ENDBR_SIZE : place.offset;
  const address = place.symbol.address + BigInt(inside);
  return { address, onEntry: atEndbr || place.offset === 0 };
}

/**
 * Whether kprobe events refuse an address because ftrace has no hook in its
 * function (`within_notrace_func`, kernel/trace/trace_kprobe.c). A function
 * with a suffix goes by the one without it.
 */
export function isNotrace(host: DynamicHost, target: KprobeTarget): boolean {
  const start = target.symbol === undefined ? target.address : lookupName(host, target.symbol);
  if (start === undefined) return false;
  const offset = target.symbol === undefined ? 0n : target.offset;
  const symbol = host.symbolAt(BigInt.asUintN(64, start + offset));
  if (symbol === undefined || symbol.traceable) return false;
  return !(unsuffixed(host, symbol)?.traceable ?? false);
}

function isBlacklisted(host: DynamicHost, symbol: KernelSymbol): boolean {
  return symbol.blacklisted === true || unsuffixed(host, symbol)?.blacklisted === true;
}

/** Whether an instruction starts at `offset`, as far as the profile tells. */
function isBoundary(symbol: KernelSymbol, offset: number): boolean {
  if (symbol.boundaries !== undefined) return symbol.boundaries.has(offset);
  const hook = symbol.endbr ? ENDBR_SIZE : 0;
  return offset === 0 || offset === hook || (symbol.traceable && offset === hook + FENTRY_SIZE);
}

/** Why no kprobe may sit at `address`, or nothing (`check_kprobe_address_safe`, `arch_prepare_kprobe`). */
function checkAddress(host: DynamicHost, address: bigint): ErrnoCode | undefined {
  const place = locate(host, address);
  if (place === undefined) return "EINVAL";
  const { symbol, offset } = place;
  if (symbol.data || isBlacklisted(host, symbol)) return "EINVAL";
  if (/^__(cfi|pfx)_/.test(symbol.name) || symbol.reserved?.has(offset)) return "EINVAL";
  if (host.arch === "aarch64") return address % 4n === 0n ? undefined : "EINVAL";
  return isBoundary(symbol, offset) ? undefined : "EILSEQ";
}

/**
 * Places a kprobe (`register_kprobe`, `register_kretprobe`): its address, or why not.
 *
 * @param isReturn whether it follows the function's return
 */
export function registerKprobe(
  host: DynamicHost,
  target: KprobeTarget,
  isReturn: boolean,
): bigint | ErrnoCode {
  const place = resolveKprobe(host, target);
  if (typeof place === "string") return place;
  if (isReturn && !place.onEntry) return "EINVAL";
  // The only entry of kretprobe_blacklist, on x86.
  const name = host.symbolAt(place.address)?.name;
  if (isReturn && host.arch === "x86_64" && name === "__switch_to") return "EINVAL";
  return checkAddress(host, place.address) ?? place.address;
}

/**
 * Checks that a symbol can stand for one place: EADDRNOTAVAIL if it stands for
 * several, ENOENT for none. A symbol of a module that is not loaded passes
 * (`validate_probe_symbol`; 6.1 passes every `module:name`).
 */
export function checkSymbol(host: DynamicHost, symbol: string): ErrnoCode | undefined {
  const module = moduleOf(symbol);
  if (module !== undefined && (host.version === "6.1" || !host.hasModule(module))) return undefined;
  const name = module === undefined ? symbol : symbol.slice(module.length + 1);
  const found = host.symbols(name)
    .filter((candidate) => module === undefined || candidate.module === module);
  if (found.length > 1) return "EADDRNOTAVAIL";
  return found.length === 0 ? "ENOENT" : undefined;
}

/** Instances that a kretprobe gets unless asked otherwise (`register_kretprobe`). */
export function defaultMaxActive(possibleCpus: number): number {
  return Math.max(10, 2 * possibleCpus);
}
