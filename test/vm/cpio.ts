/**
 * Writing cpio archives in the "newc" format, the one that the kernel unpacks as an initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** One member of an archive. `mode` holds the permission bits only. */
export type Entry =
  | { readonly type: "directory"; readonly mode: number }
  | { readonly type: "file"; readonly mode: number; readonly source: string; readonly size: number }
  | { readonly type: "data"; readonly mode: number; readonly data: Uint8Array }
  | { readonly type: "link"; readonly target: string }
  | {
    readonly type: "device";
    readonly mode: number;
    readonly major: number;
    readonly minor: number;
  };

const typeBits = {
  directory: 0o040000,
  file: 0o100000,
  data: 0o100000,
  link: 0o120000,
  device: 0o020000,
} as const;

/**
 * Writes an archive of `entries` (absolute path in the guest, entry) to the file `path`. A
 * directory has to stand before what it contains.
 *
 * @throws {Error} if a source file cannot be read, or has not the size that its entry gives.
 */
export function writeCpio(path: string, entries: Iterable<readonly [string, Entry]>): void {
  const fd = openSync(path, "w");
  try {
    let inode = 1;
    for (const [name, entry] of entries) writeEntry(fd, inode++, name.slice(1), entry);
    writeHeader(fd, { name: "TRAILER!!!", inode: 0, mode: 0, size: 0, major: 0, minor: 0 });
  } finally {
    closeSync(fd);
  }
}

function writeEntry(fd: number, inode: number, name: string, entry: Entry): void {
  const mode = typeBits[entry.type] | ("mode" in entry ? entry.mode : 0o777);
  const { major, minor } = entry.type === "device" ? entry : { major: 0, minor: 0 };
  const header = { name, inode, mode, major, minor };
  if (entry.type === "file") {
    writeHeader(fd, { ...header, size: entry.size });
    copyFile(fd, entry.source, entry.size);
    return;
  }
  const bytes = Buffer.from(
    entry.type === "data" ? entry.data : entry.type === "link" ? entry.target : "",
  );
  writeHeader(fd, { ...header, size: bytes.length });
  writeSync(fd, padded(bytes));
}

interface Header {
  readonly name: string;
  readonly inode: number;
  readonly mode: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

function writeHeader(fd: number, header: Header): void {
  const name = Buffer.from(`${header.name}\0`);
  const modified = Math.floor(Date.now() / 1000);
  const { inode, mode, size, major, minor } = header;
  // c_ino, c_mode, c_uid, c_gid, c_nlink, c_mtime, c_filesize, c_maj, c_min, c_rmaj, c_rmin,
  // c_namesize, c_chksum
  const fields = [inode, mode, 0, 0, 1, modified, size, 0, 0, major, minor, name.length, 0];
  const numbers = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  writeSync(fd, padded(Buffer.concat([Buffer.from(`070701${numbers}`), name])));
}

function copyFile(fd: number, source: string, size: number): void {
  const chunk = Buffer.alloc(1 << 20);
  const input = openSync(source, "r");
  try {
    let copied = 0;
    for (let n = readSync(input, chunk); n > 0; n = readSync(input, chunk)) {
      copied += n;
      writeSync(fd, copied < size ? chunk.subarray(0, n) : padded(chunk.subarray(0, n), copied));
    }
    if (copied !== size) throw new Error(`"${source}" changed while it was being packed`);
  } finally {
    closeSync(input);
  }
}

/** `bytes` with zeros after it, up to a multiple of four of `length`. */
function padded(bytes: Buffer, length = bytes.length): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-length & 3)]);
}
