import type { FileCalls } from "../kernel/port.ts";
import { type Elf, ElfError, readElf } from "./elf.ts";

/**
 * What `use` makes of the ELF file `path`, which is open while it runs.
 *
 * @throws {KernelError} as stat(2), open(2) and read(2).
 * @throws {ElfError} if it is not an executable or a library that can be read.
 */
export function withElf<T>(files: FileCalls, path: string, use: (elf: Elf) => T): T {
  // Opening a pipe would wait for somebody to write to it.
  if (files.stat(path).kind !== "file") throw new ElfError("It is not a regular file");
  const fd = files.open(path, { access: "read" });
  try {
    return use(readElf((offset, length) => readAt(files, fd, offset, length)));
  } finally {
    files.close(fd);
  }
}

function readAt(files: FileCalls, fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = files.read(fd, bytes.subarray(done), offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
