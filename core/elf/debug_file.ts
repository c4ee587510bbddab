import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { isKernelError } from "../kernel/error.ts";
import type { FileCalls } from "../kernel/port.ts";
import { type Elf, ElfError, sectionBytes, stringAt } from "./elf.ts";
import { withElf } from "./file.ts";
import { buildId } from "./notes.ts";
import { type FunctionPlace, resolveFunction } from "./resolve.ts";
import { hasSymbolTable } from "./symbols.ts";

/** Where distributions keep debug files. */
const DEBUG_ROOT = "/usr/lib/debug";

/** Bytes of a file read at a time for its checksum. */
const PIECE = 1024 * 1024;

/** What `.gnu_debuglink` says: a file name, and the CRC-32 of that file. */
export interface DebugLink {
  readonly name: string;
  readonly crc: number;
}

/** The name of the separate debug file; undefined if the file does not tell one. */
export function debugLink(elf: Elf): DebugLink | undefined {
  const section = elf.sections.find(({ name }) => name === ".gnu_debuglink");
  if (section === undefined) return undefined;
  const bytes = sectionBytes(elf.read, section, 4096);
  const end = bytes.indexOf(0);
  const crcAt = (end + 4) & ~3;
  if (end < 0 || crcAt + 4 > bytes.length) throw new ElfError("Section .gnu_debuglink is damaged");
  const name = stringAt(bytes, 0, bytes.length);
  // It is a plain name; a path in it could lead anywhere.
  if (name === "" || name.includes("/")) return undefined;
  return { name, crc: new DataView(bytes.buffer, bytes.byteOffset).getUint32(crcAt, true) };
}

/** Paths that the debug file of `path` may have, in the order that gdb tries them. */
export function debugFilePaths(path: string, elf: Elf): string[] {
  const id = buildId(elf);
  const link = debugLink(elf);
  const directory = dirname(path);
  return [
    ...(id === undefined || id.length < 4
      ? []
      : [`${DEBUG_ROOT}/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`]),
    ...(link === undefined ? [] : [
      join(directory, link.name),
      join(directory, ".debug", link.name),
      join(DEBUG_ROOT, directory, link.name),
    ]),
  ];
}

/**
 * What `use` makes of the separate debug file of `path`, or of undefined if there is none that
 * belongs to it, by build id or checksum.
 */
export function withDebugFile<T>(
  files: FileCalls,
  path: string,
  elf: Elf,
  use: (debug: Elf | undefined) => T,
): T {
  for (const candidate of debugFilePaths(path, elf)) {
    if (candidate !== path && belongs(files, candidate, elf)) return withElf(files, candidate, use);
  }
  return use(undefined);
}

/**
 * Where function `symbol` of file `path` is; its debug file is looked at if it is stripped.
 *
 * @throws {KernelError} if the file cannot be opened.
 * @throws {ElfError} as {@link resolveFunction}.
 */
export function resolveInFile(files: FileCalls, path: string, symbol: string): FunctionPlace {
  return withElf(
    files,
    path,
    (elf) =>
      hasSymbolTable(elf)
        ? resolveFunction(elf, symbol)
        : withDebugFile(files, path, elf, (debug) => resolveFunction(elf, symbol, debug)),
  );
}

function belongs(files: FileCalls, candidate: string, elf: Elf): boolean {
  const id = buildId(elf);
  try {
    const other = withElf(files, candidate, buildId);
    if (id !== undefined || other !== undefined) return id === other;
    return checksum(files, candidate) === debugLink(elf)?.crc;
  } catch (error) {
    if (error instanceof ElfError || isKernelError(error)) return false;
    throw error;
  }
}

function checksum(files: FileCalls, path: string): number {
  const fd = files.open(path, { access: "read" });
  try {
    const piece = new Uint8Array(PIECE);
    let sum = 0;
    for (;;) {
      const count = files.read(fd, piece);
      if (count === 0) return sum;
      sum = crc32(piece.subarray(0, count), sum);
    }
  } finally {
    files.close(fd);
  }
}
