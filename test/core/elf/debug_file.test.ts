import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { debugFilePaths, debugLink, resolveInFile } from "../../../core/elf/debug_file.ts";
import { ElfError, readElf } from "../../../core/elf/elf.ts";
import { withElf } from "../../../core/elf/file.ts";
import { linuxKernel } from "../../../core/kernel/linux.ts";
import { makeElf, readerOf } from "./make_elf.ts";
import { noCompiler, offsetOf, Programs, run } from "./program.ts";

const files = linuxKernel();

const linkTo = (name: string) => {
  const content = new Uint8Array(((name.length + 4) & ~3) + 4).fill(0);
  content.set(new TextEncoder().encode(name));
  new DataView(content.buffer).setUint32(content.length - 4, 0xdeadbeef, true);
  return readElf(
    readerOf(makeElf({ sections: [{ name: ".gnu_debuglink", type: 1, content }] })),
  );
};

describe("debugLink", () => {
  it("reads name and checksum", () => {
    for (const name of ["a.debug", "ab.debug", "abc.debug", "abcd.debug"]) {
      assert.deepEqual(debugLink(linkTo(name)), { name, crc: 0xdeadbeef });
    }
  });

  it("takes no path for a name", () => {
    assert.equal(debugLink(linkTo("../../etc/passwd")), undefined);
    assert.deepEqual(debugFilePaths("/bin/x", linkTo("../y")), []);
  });

  it("tells where the debug file may be", () => {
    assert.deepEqual(debugFilePaths("/bin/x", linkTo("x.debug")), [
      "/bin/x.debug",
      "/bin/.debug/x.debug",
      "/usr/lib/debug/bin/x.debug",
    ]);
  });
});

describe("withElf", () => {
  it("opens regular files only", () => {
    assert.throws(() => withElf(files, "/", () => 0), ElfError);
    assert.throws(() => withElf(files, "/dev/null", () => 0), /regular file/);
    assert.throws(() => withElf(files, "/no/such", () => 0), /ENOENT/);
  });
});

describe("resolveInFile", { skip: noCompiler }, () => {
  const programs = new Programs();
  after(() => programs.remove());

  /** A stripped program and its debug file. */
  function split(name: string, ...flags: string[]): { path: string; debug: string } {
    const path = programs.compile(name, "-g", ...flags);
    const debug = `${path}.debug`;
    run("objcopy", "--only-keep-debug", path, debug);
    run("strip", path);
    run("objcopy", `--add-gnu-debuglink=${debug}`, path);
    return { path, debug };
  }

  for (const id of ["none", "sha1"]) {
    it(`takes names from the debug file, with build id ${id}`, () => {
      const { path, debug } = split(`apart-${id}`, `-Wl,--build-id=${id}`);
      assert.equal(
        resolveInFile(files, path, "marked_local").fileOffset,
        offsetOf(path, "MARK-LOCAL"),
      );
      mkdirSync(join(programs.directory, ".debug"), { recursive: true });
      renameSync(debug, join(programs.directory, ".debug", `apart-${id}.debug`));
      assert.equal(resolveInFile(files, path, "marked").fileOffset, offsetOf(path, "MARK-GLOBAL"));
    });

    it(`does not take another program's debug file, with build id ${id}`, () => {
      const { path, debug } = split(`mixed-${id}`, `-Wl,--build-id=${id}`);
      const other = split(`other-${id}`, `-Wl,--build-id=${id}`, "-O2", "-DOTHER");
      renameSync(other.debug, debug);
      assert.throws(() => resolveInFile(files, path, "marked"), /no function/);
      writeFileSync(debug, "not an ELF file");
      assert.throws(() => resolveInFile(files, path, "marked"), /no function/);
    });
  }
});
