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
const LAST_SIZE = 4096;

interface ListedSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly type: string;
  readonly module?: string;
}

/** The host that a profile was taken from. */
export function kernelProfile(file: ProfileFile): HostProfile {
  const symbols = parseKallsyms(file.kallsyms);
  return new HostProfile({
    functions: functionsOf(file, symbols),
    symbols: symbols.filter((symbol) => !isFunction(symbol)).map((symbol): OtherSymbol => symbol),
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

function functionsOf(file: ProfileFile, symbols: readonly ListedSymbol[]): KernelFunction[] {
  const traceable = parseTraceable(file.traceable);
  const blacklist = parseBlacklist(file.blacklist);
  const endbr = file.endbr && new Set(file.endbr.map((address) => BigInt(`0x${address}`)));
  const starts = [...new Set(symbols.map(({ address }) => address))].sort((a, b) =>
    a < b ? -1 : a > b ? 1 : 0
  );
  const next = new Map(starts.map((address, index) => [address, starts[index + 1]]));
  return symbols.filter(isFunction).map((symbol): KernelFunction => {
    const { name, address, module } = symbol;
    const end = next.get(address) ?? address + BigInt(LAST_SIZE);
    return {
      name,
      address,
      size: Number(end - address),
      ...(module !== undefined && { module }),
      parameters: [],
      traceable: traceable(symbol, end),
      blacklisted: blacklist.some(([from, to]) => address >= from && address < to),
      ...(endbr && { endbr: endbr.has(address) }),
    };
  });
}

/** Lines `[address ]name[ [module]]`; with addresses, those are what counts. */
function parseTraceable(text: string): (symbol: ListedSymbol, end: bigint) => boolean {
  const lines = text.split("\n").filter((line) => line !== "");
  if (/^[0-9a-f]{8,} /.test(lines[0] ?? "")) {
    const hooks = new Set(lines.map((line) => BigInt(`0x${line.split(" ")[0]}`)));
    // The hook comes behind ENDBR64 where there is one.
    return ({ address }) => hooks.has(address) || hooks.has(address + 4n);
  }
  const names = new Set(lines.map((line) => line.split("\t")[0].split(" ")[0]));
  return ({ name }) => names.has(name);
}

/** Lines `0xfrom-0xto name`. */
function parseBlacklist(text: string): [bigint, bigint][] {
  return [...text.matchAll(/^(0x[0-9a-f]+)-(0x[0-9a-f]+)/gm)]
    .map(([, from, to]) => [BigInt(from), BigInt(to)]);
}

function tracepointOf(path: string, text: string): Tracepoint {
  const [system, name] = path.split("/");
  const format = parseFormat(text, { system });
  const fields = format.fields.map((field): EventField => {
    const { type } = field;
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
