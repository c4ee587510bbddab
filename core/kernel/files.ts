import { isKernelError, KernelError } from "./error.ts";
import type { FileCalls } from "./port.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Bytes read at a time. A seq_file hands out at most what is asked for. */
const chunk = new Uint8Array(65536);

/** No file that sonde reads whole is larger: kallsyms of a big kernel takes some 20 MiB. */
const MAX_FILE = 256 * 1024 * 1024;

/**
 * The whole content of `path`.
 *
 * @throws {KernelError} as open(2) and read(2); EFBIG past 256 MiB.
 */
export function readBytes(kernel: FileCalls, path: string): Uint8Array {
  const fd = kernel.open(path, { access: "read" });
  try {
    const parts: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const count = kernel.read(fd, chunk);
      if (count === 0) break;
      parts.push(chunk.slice(0, count));
      total += count;
      if (total > MAX_FILE) throw new KernelError("EFBIG", "read", path);
    }
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(total);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  } finally {
    kernel.close(fd);
  }
}

/** The whole content of `path` as text; see {@link readBytes}. */
export function readText(kernel: FileCalls, path: string): string {
  return decoder.decode(readBytes(kernel, path));
}

/**
 * The content of `path`, or undefined if there is no such file.
 *
 * @throws {KernelError} if it is there and cannot be read: what it holds is not known then.
 */
export function readTextIfPresent(kernel: FileCalls, path: string): string | undefined {
  try {
    return readText(kernel, path);
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The content of `path`, or undefined where it cannot be read, whatever the reason. */
export function tryReadText(kernel: FileCalls, path: string): string | undefined {
  try {
    return readText(kernel, path);
  } catch (error) {
    if (error instanceof KernelError) return undefined;
    throw error;
  }
}

/** Whether `path` can be looked up. */
export function exists(kernel: FileCalls, path: string): boolean {
  try {
    kernel.stat(path);
    return true;
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

/**
 * Appends `text` to a kernel file in one write(2), never truncating it.
 *
 * @throws {KernelError} as open(2) and write(2); EIO if the kernel took only a part.
 */
export function appendText(kernel: FileCalls, path: string, text: string): void {
  writeWith(kernel, path, text, true);
}

/** Writes `text` to a setting of the kernel, such as `enable` or `filter`, in one write(2). */
export function writeText(kernel: FileCalls, path: string, text: string): void {
  writeWith(kernel, path, text, false);
}

function writeWith(kernel: FileCalls, path: string, text: string, append: boolean): void {
  const fd = kernel.open(path, { access: "write", append });
  try {
    const data = encoder.encode(text);
    try {
      const count = kernel.write(fd, data);
      if (count !== data.length) throw new KernelError("EIO", "write", path);
    } catch (error) {
      if (error instanceof KernelError && error.path === undefined) {
        throw new KernelError(error.errno, error.call, path, { cause: error });
      }
      throw error;
    }
  } finally {
    kernel.close(fd);
  }
}
