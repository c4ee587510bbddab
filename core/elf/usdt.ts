import { type Elf, ElfError, PT_LOAD, stringAt } from "./elf.ts";
import { readNotes } from "./notes.ts";
import { fileOffsetOf } from "./resolve.ts";
import { parseUsdtArgs, type UsdtArg } from "./usdt_arg.ts";

/** A place in a program that its author marked (USDT, `DTRACE_PROBE`). */
export interface UsdtProbe {
  readonly provider: string;
  readonly name: string;
  /** Where a uprobe goes: bytes from the start of the file. */
  readonly fileOffset: bigint;
  /** File offset of the counter that switches the probe on; absent if it is always on. */
  readonly semaphore?: bigint;
  readonly args: readonly UsdtArg[];
}

const NT_STAPSDT = 3;
const SECTION = ".note.stapsdt";
const BASE_SECTION = ".stapsdt.base";

/** Names and arguments of one probe; an argument takes some ten characters. */
const MAX_TEXT = 16384;

/**
 * The USDT probes of the file, in its order. One name may be at several places, where the compiler
 * copied the code.
 *
 * @throws {ElfError} if the section ends too early or a probe is not in the file's code.
 */
export function readUsdtProbes(elf: Elf): UsdtProbe[] {
  const base = elf.sections.find(({ name }) => name === BASE_SECTION)?.address;
  const probes: UsdtProbe[] = [];
  for (const note of readNotes(elf, ({ name }) => name === SECTION)) {
    if (note.owner === "stapsdt" && note.type === NT_STAPSDT) {
      probes.push(parseProbe(elf, note.content, base));
    }
  }
  return probes;
}

/**
 * The places of probe `provider:name`.
 *
 * @throws {ElfError} if there is none.
 */
export function resolveUsdt(elf: Elf, provider: string, name: string): UsdtProbe[] {
  const probes = readUsdtProbes(elf);
  const found = probes.filter((probe) => probe.provider === provider && probe.name === name);
  if (found.length > 0) return found;
  const names = [...new Set(probes.map((probe) => `${probe.provider}:${probe.name}`))];
  throw new ElfError(
    `There is no USDT probe "${provider}:${name}"`,
    names.length === 0
      ? "The file has no USDT probes"
      : `It has ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", ..." : ""}`,
  );
}

/** `Elf64_Addr pc, base, semaphore`, then provider, name and arguments, each ended by a NUL. */
function parseProbe(elf: Elf, content: Uint8Array, base: bigint | undefined): UsdtProbe {
  if (content.length < 27) throw new ElfError("A USDT probe is damaged");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const linkedBase = view.getBigUint64(8, true);
  // Tools that move addresses (prelink) do not change this section, but the base tells by how much.
  const moved = base === undefined || linkedBase === 0n ? 0n : base - linkedBase;

  const texts: string[] = [];
  for (let at = 24; texts.length < 3;) {
    const end = content.indexOf(0, at);
    if (end < 0 || end - at > MAX_TEXT) throw new ElfError("A USDT probe is damaged");
    texts.push(stringAt(content, at, MAX_TEXT));
    at = end + 1;
  }
  const [provider, name, args] = texts;
  const semaphore = view.getBigUint64(16, true);
  return {
    provider,
    name,
    fileOffset: fileOffsetOf(elf, view.getBigUint64(0, true) + moved),
    ...(semaphore !== 0n && { semaphore: dataOffsetOf(elf, semaphore + moved) }),
    args: parseUsdtArgs(args, elf.arch),
  };
}

/** The offset in the file of the data at virtual address `address`. */
function dataOffsetOf(elf: Elf, address: bigint): bigint {
  const segment = elf.segments.find(({ type, address: start, fileSize }) =>
    type === PT_LOAD && address >= start && address < start + fileSize
  );
  if (segment === undefined) throw new ElfError("The semaphore of a USDT probe is not in the file");
  return address - segment.address + segment.offset;
}
