import { parseFormat } from "../../../core/event/format.ts";
import { filterTypeOf } from "../kernel/dynamic/format.ts";
import type { EventField } from "../kernel/event_field.ts";
import {
  HostProfile,
  type KernelFunction,
  type KernelTypes,
  type OtherSymbol,
  type Tracepoint,
} from "../kernel/profile.ts";
import { BtfFile } from "./btf_file.ts";
import type { ProfileFile } from "./profile_file.ts";

/** A function ends where the next symbol starts; the last one is taken to have a page. */
const LAST_SIZE = 4096n;

interface ListedSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly type: string;
  readonly module?: string;
}

/** The host that a profile was taken from. */
export function kernelProfile(file: ProfileFile): HostProfile {
  const symbols = parseKallsyms(file.kallsyms);
  const sizeOf = sizesOf(symbols);
  return new HostProfile({
    functions: functionsOf(file, symbols, sizeOf),
    symbols: symbols.filter((symbol) => !isFunction(symbol))
      .map((symbol): OtherSymbol => ({ ...symbol, size: sizeOf(symbol) })),
    modules: [...new Set(symbols.flatMap(({ module }) => module ?? []))],
    tracepoints: Object.entries(file.formats).map(([name, text]) => tracepointOf(name, text)),
    executables: [],
    files: file.files,
    ...(file.btf !== undefined && { types: typesOf(file.btf) }),
  });
}

function parseKallsyms(text: string): ListedSymbol[] {
  return [...text.matchAll(/^(\S+) (.) ([^\t\n]*)(?:\t\[(.*)\])?$/gm)].map(
    ([, address, type, name, module]) => ({
      name,
      address: BigInt(`0x${address}`),
      type,
      ...(module !== undefined && { module }),
    }),
  );
}

function isFunction({ type }: ListedSymbol): boolean {
  return "tTwW".includes(type);
}

/**
 * Bytes from a symbol to the next one, of whatever type; 0 outside of the kernel's image and of
 * modules, where the kernel knows of no symbols (`is_ksym_addr`, kernel/kallsyms.c).
 */
function sizesOf(symbols: readonly ListedSymbol[]): (symbol: ListedSymbol) => number {
  const start = symbols.find(({ name }) => name === "_stext")?.address ?? 0n;
  const end = symbols.find(({ name }) => name === "_end")?.address ?? 1n << 64n;
  const starts = [...new Set(symbols.map(({ address }) => address))]
    .sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  const sizes = new Map(starts.map((address, index) => {
    const next = starts[index + 1] ?? address + LAST_SIZE;
    return [address, Number(next - address)];
  }));
  return ({ address, module }) =>
    module === undefined && (address < start || address >= end) ? 0 : sizes.get(address)!;
}

function functionsOf(
  file: ProfileFile,
  symbols: readonly ListedSymbol[],
  sizeOf: (symbol: ListedSymbol) => number,
): KernelFunction[] {
  const isTraceable = parseTraceable(file.traceable);
  const isBlacklisted = parseBlacklist(file.blacklist);
  const endbr = file.endbr && new Set(file.endbr.map((address) => BigInt(`0x${address}`)));
  return symbols.filter(isFunction).map((symbol): KernelFunction => {
    const { name, address, module } = symbol;
    return {
      name,
      address,
      size: sizeOf(symbol),
      ...(module !== undefined && { module }),
      parameters: [],
      traceable: isTraceable(symbol),
      blacklisted: isBlacklisted(address),
      ...(endbr && { endbr: endbr.has(address) }),
    };
  });
}

/** Lines `[address ]name[ [module]]`; with addresses, those are what counts. */
function parseTraceable(text: string): (symbol: ListedSymbol) => boolean {
  const lines = text.split("\n").filter((line) => line !== "");
  if (/^[0-9a-f]{8,} /.test(lines[0] ?? "")) {
    const hooks = new Set(lines.map((line) => BigInt(`0x${line.split(" ")[0]}`)));
    // With indirect branch tracking it comes behind ENDBR64, or the nop in its place.
    return ({ address }) => hooks.has(address) || hooks.has(address + 4n);
  }
  const names = new Set(lines.map((line) => line.split("\t")[0].split(" ")[0]));
  return ({ name }) => names.has(name);
}

/** Lines `0xfrom-0xto name`; they do not overlap. */
function parseBlacklist(text: string): (address: bigint) => boolean {
  const ranges = [...text.matchAll(/^(0x[0-9a-f]+)-(0x[0-9a-f]+)/gm)]
    .map(([, from, to]) => ({ from: BigInt(from), to: BigInt(to) }))
    .sort((a, b) => a.from < b.from ? -1 : a.from > b.from ? 1 : 0);
  return (address) => {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle].from <= address) low = middle + 1;
      else high = middle;
    }
    return low > 0 && address < ranges[low - 1].to;
  };
}

const PLACE_PREFIX = { inline: "", data_loc: "__data_loc ", rel_loc: "__rel_loc " } as const;

function tracepointOf(path: string, text: string): Tracepoint {
  const [system, name] = path.split("/");
  const format = parseFormat(text, { system });
  const fields = format.fields.map((field): EventField => {
    const type = `${PLACE_PREFIX[field.place]}${field.type}`;
    const length = /\[(\d+)\]$/.exec(type)?.[1];
    return {
      name: field.name,
      type,
      offset: field.offset,
      size: field.size,
      signed: field.signed,
      filterType: filterTypeOf(type),
      ...(length !== undefined && { length: Number(length) }),
    };
  });
  return { system, name, fields, printFmt: format.printFmt, id: format.id };
}

function typesOf(btf: string): KernelTypes {
  const binary = atob(btf);
  const file = new BtfFile(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  return {
    prototype: (name) => file.prototype(name),
    characterTypeIds: file.characterTypeIds(),
    dentryNameOffset: (file.offsetOf("dentry", "d_name") ?? 32) +
      (file.offsetOf("qstr", "name") ?? 8),
    fileDentryOffset: (file.offsetOf("file", "f_path") ?? 64) +
      (file.offsetOf("path", "dentry") ?? 8),
  };
}
