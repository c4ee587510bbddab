/** Programs compiled for a test. The functions `marked` and `marked_local` are their own names as text. */

import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Elf, readElf } from "../../../core/elf/elf.ts";

/** Why programs cannot be compiled here, or false. */
export const noCompiler: string | false = spawnSync("gcc", ["--version"]).status === 0
  ? false
  : "gcc is not installed";

const SOURCE = `
#include <stdio.h>
asm(".text\\n"
    ".globl marked\\n.type marked, %function\\nmarked: .ascii \\"MARK-GLOBAL\\"\\n.size marked, 11\\n"
    ".type marked_local, %function\\nmarked_local: .ascii \\"MARK-LOCAL\\"\\n.size marked_local, 10\\n");
__attribute__((noinline)) int target(int a, const char *b) { asm volatile(""); return a + b[0]; }
static int fast(void) { return 1; }
int (*choose(void))(void) { return fast; }
int chosen(void) __attribute__((ifunc("choose")));
#ifdef PROGRAM
int main(int argc, char **argv) { return puts("hello") + target(argc, argv[0]) + chosen() == 0; }
#else
asm(".text\\n"
    ".globl old_version\\n.type old_version, %function\\nold_version: .ascii \\"MARK-OLD\\"\\n"
    ".globl new_version\\n.type new_version, %function\\nnew_version: .ascii \\"MARK-NEW\\"\\n"
    ".symver old_version, versioned@V1\\n.symver new_version, versioned@@V2\\n");
#endif
`;

const VERSIONS = "V1 { global: *; };\nV2 { } V1;\n";

/** A directory with compiled programs. */
export class Programs {
  readonly directory: string = mkdtempSync(join(tmpdir(), "sonde-elf-"));

  /** Compiles a program, or a library if `flags` say so, and returns its path. */
  compile(name: string, ...flags: string[]): string {
    const path = join(this.directory, name);
    const source = join(this.directory, "source.c");
    writeFileSync(source, SOURCE);
    writeFileSync(join(this.directory, "versions"), VERSIONS);
    const shared = flags.includes("-shared");
    const kind = shared
      ? ["-fPIC", `-Wl,--version-script=${this.directory}/versions`]
      : ["-DPROGRAM"];
    run("gcc", "-O1", ...kind, ...flags, "-o", path, source);
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Runs a program that must succeed, and returns what it prints. */
export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? stderr}`);
  return stdout;
}

/** What `use` makes of ELF file `path`. */
export function withFile<T>(path: string, use: (elf: Elf) => T): T {
  const fd = openSync(path, "r");
  try {
    return use(readElf((offset, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    }));
  } finally {
    closeSync(fd);
  }
}

/** Where `text` is in a file. */
export function offsetOf(path: string, text: string): bigint {
  return BigInt(readFileSync(path).indexOf(text));
}
