import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readConfigFile } from "../../../core/config/file.ts";

describe("readConfigFile", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "sonde-config-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  function file(name: string, content: string | Uint8Array): string {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  }

  function refusal(path: string): string {
    const { diagnostic } = readConfigFile(path);
    assert.ok(diagnostic);
    assert.equal(diagnostic.file, path);
    return `${diagnostic.line}:${diagnostic.column} ${diagnostic.message}`;
  }

  it("reads UTF-8", () => {
    assert.deepEqual(readConfigFile(file("a.yaml", "a: é😀\n")), { text: "a: é😀\n" });
    assert.deepEqual(readConfigFile(file("bom.yaml", "\ufeffa: 1\n")), { text: "a: 1\n" });
    assert.deepEqual(readConfigFile(file("empty.yaml", "")), { text: "" });
  });

  it("says why a file cannot be read", () => {
    assert.match(refusal(join(directory, "none.yaml")), /^0:0 .*no such file/);
    assert.match(refusal(directory), /^0:0 .*it is a directory/);
    assert.match(refusal(join(file("plain", "a"), "b")), /not a directory/);
    assert.match(refusal(join(directory, "x".repeat(300))), /name is too long/);
    symlinkSync(join(directory, "loop"), join(directory, "loop"));
    assert.match(refusal(join(directory, "loop")), /in a circle/);
    assert.match(refusal("/tmp/a\0b"), /^0:0 Cannot read the file/);
  });

  it("says so where permission is missing", { skip: process.getuid?.() === 0 }, () => {
    const path = file("secret.yaml", "a: 1\n");
    chmodSync(path, 0);
    assert.match(refusal(path), /permission denied/);
  });

  it("refuses a large file, and one without an end, without reading them whole", () => {
    const large = file("large.yaml", new Uint8Array(10 * 1024 * 1024).fill(0x61));
    assert.match(refusal(large), /^0:0 The file is larger than 1 MiB/);
    assert.match(refusal("/dev/zero"), /larger than 1 MiB/);
    assert.equal(readConfigFile(file("full.yaml", "a".repeat(1024 * 1024))).diagnostic, undefined);
  });

  it("points at the first byte that is not UTF-8", () => {
    const latin = Uint8Array.of(...new TextEncoder().encode("a: 1\né: "), 0xe9, 0x0a);
    assert.match(refusal(file("latin.yaml", latin)), /^2:4 The file is not UTF-8/);
    const cut = new TextEncoder().encode("a: é").subarray(0, 4);
    assert.match(refusal(file("cut.yaml", cut)), /^1:4 The file is not UTF-8/);
    const utf16 = Uint8Array.of(0xff, 0xfe, 0x61, 0x00);
    assert.match(refusal(file("utf16.yaml", utf16)), /^1:1 The file is UTF-16/);
  });
});
