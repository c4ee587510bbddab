import { isKernelError } from "../../../core/kernel/error.ts";
import { readBytes, readText, tryReadText } from "../../../core/kernel/files.ts";
import type { Kernel } from "../../../core/kernel/port.ts";
import type { ListedFile, ProfileFile } from "./profile_file.ts";

/** Where executables and libraries are looked for. */
const FILE_DIRECTORIES = ["/bin", "/usr/bin", "/lib", "/usr/lib", "/lib64", "/tmp"];

/** Takes the profile of a running kernel. Changes nothing; needs root, for addresses. */
export function takeProfile(kernel: Kernel, tracefs: string): Omit<ProfileFile, "version"> {
  const { release, arch } = kernel.machine;
  const kallsyms = readText(kernel, "/proc/kallsyms");
  const endbr = readEndbr(kernel, kallsyms);
  const btf = tryReadBytes(kernel, "/sys/kernel/btf/vmlinux");
  return {
    release,
    arch,
    possibleCpus: countCpus(tryReadText(kernel, "/sys/devices/system/cpu/possible") ?? "0"),
    kallsyms,
    traceable: tryReadText(kernel, `${tracefs}/available_filter_functions_addrs`) ??
      tryReadText(kernel, `${tracefs}/available_filter_functions`) ?? "",
    blacklist: tryReadText(kernel, "/sys/kernel/debug/kprobes/blacklist") ?? "",
    ...(endbr !== undefined && { endbr }),
    ...(btf !== undefined && { btf: toBase64(btf) }),
    formats: readFormats(kernel, tracefs),
    readme: tryReadText(kernel, `${tracefs}/README`) ?? "",
    files: readFiles(kernel),
  };
}

/** `0-3,5` is five CPUs. */
function countCpus(ranges: string): number {
  return ranges.trim().split(",").reduce((sum, range) => {
    const [first, last = first] = range.split("-").map(Number);
    return sum + last - first + 1;
  }, 0);
}

function readFormats(kernel: Kernel, tracefs: string): Record<string, string> {
  const formats: Record<string, string> = {};
  for (const system of kernel.list(`${tracefs}/events`)) {
    if (kernel.stat(`${tracefs}/events/${system}`).kind !== "directory") continue;
    for (const event of kernel.list(`${tracefs}/events/${system}`)) {
      const text = tryReadText(kernel, `${tracefs}/events/${system}/${event}/format`);
      if (text !== undefined) formats[`${system}/${event}`] = text;
    }
  }
  return formats;
}

function readFiles(kernel: Kernel): ProfileFile["files"] {
  const files: Record<string, ListedFile> = {};
  for (const directory of FILE_DIRECTORIES) {
    addFile(kernel, directory, files);
    try {
      for (const name of kernel.list(directory)) addFile(kernel, `${directory}/${name}`, files);
    } catch (error) {
      if (!isKernelError(error)) throw error;
    }
  }
  return files;
}

function addFile(
  kernel: Kernel,
  path: string,
  files: Record<string, ListedFile>,
): void {
  try {
    const { kind, dev, ino, size } = kernel.stat(path);
    files[path] = { regular: kind === "file", inode: `${dev}:${ino}`, size };
  } catch (error) {
    if (!isKernelError(error)) throw error;
  }
}

/**
 * What functions of kernels with indirect branch tracking start with: ENDBR64, or the nop that the
 * kernel puts in its place where nothing branches to (arch/x86/include/asm/ibt.h, `is_endbr`).
 */
const ENDBR64 = 0xfa1e0ff3;
const ENDBR_POISON = 0x001f0f66;

/** The functions that start so, by the text of the running kernel in `/proc/kcore`. */
function readEndbr(kernel: Kernel, kallsyms: string): string[] | undefined {
  if (kernel.machine.arch !== "x86_64") return undefined;
  try {
    const start = BigInt(`0x${/^(\S+) T _stext$/m.exec(kallsyms)![1]}`);
    const end = BigInt(`0x${/^(\S+) T _etext$/m.exec(kallsyms)![1]}`);
    const text = readKernelMemory(kernel, start, Number(end - start));
    const view = new DataView(text.buffer);
    const found: string[] = [];
    for (const [, address] of kallsyms.matchAll(/^(\S+) [tTwW] /gm)) {
      const offset = Number(BigInt(`0x${address}`) - start);
      if (offset < 0 || offset + 4 > text.length) continue;
      const word = view.getUint32(offset, true);
      if (word === ENDBR64 || word === ENDBR_POISON) found.push(address);
    }
    return found;
  } catch (error) {
    if (isKernelError(error) || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Memory of the kernel by its address, through the segments of `/proc/kcore`. */
function readKernelMemory(kernel: Kernel, address: bigint, length: number): Uint8Array {
  const fd = kernel.open("/proc/kcore", { access: "read" });
  try {
    const header = readExactly(kernel, fd, 0n, 64);
    const count = header.getUint16(56, true);
    const segments = readExactly(kernel, fd, header.getBigUint64(32, true), count * 56);
    for (let index = 0; index < count; index++) {
      const at = index * 56;
      const virtual = segments.getBigUint64(at + 16, true);
      const size = segments.getBigUint64(at + 40, true);
      if (address < virtual || address + BigInt(length) > virtual + size) continue;
      const offset = segments.getBigUint64(at + 8, true) + address - virtual;
      return new Uint8Array(readExactly(kernel, fd, offset, length).buffer);
    }
    throw new TypeError("No segment holds the kernel's text");
  } finally {
    kernel.close(fd);
  }
}

function readExactly(kernel: Kernel, fd: number, offset: bigint, length: number): DataView {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = kernel.read(fd, bytes.subarray(at), offset + BigInt(at));
    if (count === 0) throw new TypeError("The file is cut short");
    at += count;
  }
  return new DataView(bytes.buffer);
}

function tryReadBytes(kernel: Kernel, path: string): Uint8Array | undefined {
  try {
    return readBytes(kernel, path);
  } catch (error) {
    if (isKernelError(error)) return undefined;
    throw error;
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(binary);
}
