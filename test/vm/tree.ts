/** A guest's file tree, put together from files of the host. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Entry } from "./cpio.ts";

/** Paths and entries, each directory before what it contains. */
export class Tree {
  readonly entries: Map<string, Entry> = new Map();

  /** Adds an entry and the directories above it; an entry of the same path is replaced. */
  add(path: string, entry: Entry): void {
    const place = guestPath(path);
    const parent = dirname(place);
    if (parent !== "/" && !this.entries.has(parent)) {
      this.add(parent, { type: "directory", mode: 0o755 });
    }
    this.entries.set(place, entry);
  }

  addText(path: string, mode: number, text: string): void {
    this.add(path, { type: "data", mode, data: Buffer.from(text) });
  }

  /**
   * Adds a file of the host, or a directory with all that is in it, as `path`. An executable
   * brings the shared libraries that it is linked with, at their paths on the host.
   *
   * @throws {Error} if `host` or a library is not there.
   */
  addFromHost(path: string, host: string): void {
    const stat = statSync(host);
    if (stat.isDirectory()) {
      this.#addDirectory(path, host);
      return;
    }
    this.add(path, { type: "file", mode: stat.mode & 0o7777, source: host, size: stat.size });
    if ((stat.mode & 0o111) === 0 || !isElf(host)) return;
    for (const library of sharedLibraries(host)) {
      if (!this.entries.has(guestPath(library))) this.addFromHost(library, library);
    }
  }

  #addDirectory(path: string, host: string): void {
    this.add(path, { type: "directory", mode: 0o755 });
    for (const name of readdirSync(host)) {
      const source = join(host, name);
      if (lstatSync(source).isSymbolicLink()) {
        this.add(join(path, name), { type: "link", target: readlinkSync(source) });
      } else {
        this.addFromHost(join(path, name), source);
      }
    }
  }
}

/** `/bin`, `/sbin`, `/lib` and `/lib64` are links into `/usr` in the guest. */
function guestPath(path: string): string {
  if (!path.startsWith("/")) throw new Error(`Path in the guest is not absolute: "${path}"`);
  return normalize(path).replace(/^\/(bin|sbin|lib|lib64)\//, "/usr/$1/");
}

function isElf(path: string): boolean {
  const magic = Buffer.alloc(4);
  const fd = openSync(path, "r");
  try {
    readSync(fd, magic);
  } finally {
    closeSync(fd);
  }
  return magic.toString("latin1") === "\x7fELF";
}

/** What `ldd` names; nothing for a static executable, on which `ldd` fails. */
function sharedLibraries(path: string): string[] {
  const { stdout, status } = spawnSync("ldd", [path], { encoding: "utf8" });
  if (status !== 0) return [];
  const missing = /^\s*(\S+) => not found/m.exec(stdout)?.[1];
  if (missing !== undefined) throw new Error(`"${path}" needs "${missing}", which is not here`);
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, library]) => library);
}
