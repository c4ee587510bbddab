import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Output, OutputError } from "../../../core/pipeline/output.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sonde-output-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const encoder = new TextEncoder();

describe("Output", () => {
  it("appends to a file, and writes nothing before it is flushed", async () => {
    const path = join(directory, "events.jsonl");
    writeFileSync(path, "before\n");
    const output = Output.file(path);
    output.write(encoder.encode("one\n"));
    assert.equal(readFileSync(path, "utf8"), "before\n");
    await output.flush();
    assert.equal(readFileSync(path, "utf8"), "before\none\n");
    output.write(encoder.encode("two\n"));
    await output.close();
    assert.equal(readFileSync(path, "utf8"), "before\none\ntwo\n");
  });

  it("is not for everybody to read", () => {
    const path = join(directory, "events.jsonl");
    Output.file(path);
    assert.equal(statSync(path).mode & 0o027, 0);
  });

  it("takes more than any buffer holds", async () => {
    const path = join(directory, "big");
    const output = Output.file(path);
    const line = encoder.encode(`${"x".repeat(99_999)}\n`);
    for (let i = 0; i < 30; i++) output.write(line);
    await output.close();
    assert.equal(readFileSync(path).length, 3_000_000);
  });

  it("says which file cannot be opened, and why", () => {
    const cases: [path: string, code: string, reason: RegExp][] = [
      [directory, "EISDIR", /it is a directory/],
      [join(directory, "no", "such"), "ENOENT", /there is no such directory/],
    ];
    for (const [path, code, reason] of cases) {
      assert.throws(() => Output.file(path), (error) => {
        assert.ok(error instanceof OutputError);
        assert.equal(error.code, code);
        assert.ok(error.message.includes(`"${path}"`));
        assert.match(error.message, reason);
        return true;
      });
    }
  });

  it("says that the disk is full, once", async () => {
    const output = Output.file("/dev/full");
    output.write(encoder.encode("lost\n"));
    await assert.rejects(
      output.flush(),
      (error) => error instanceof OutputError && /the disk is full/.test(error.message),
    );
    await output.close();
  });
});
