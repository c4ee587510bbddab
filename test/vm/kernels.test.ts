import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { findKernel } from "./kernels.ts";

describe("findKernel", () => {
  const before = process.env.SONDE_KERNELS;
  let directory = "";
  let image = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sonde-kernels-"));
    image = join(directory, "bzImage-6.1-user-events");
    process.env.SONDE_KERNELS = directory;
    writeFileSync(image, "image");
  });

  afterEach(() => {
    if (before === undefined) delete process.env.SONDE_KERNELS;
    else process.env.SONDE_KERNELS = before;
    rmSync(directory, { recursive: true });
  });

  const list = (content: string) => {
    const sum = createHash("sha256").update(content).digest("hex");
    writeFileSync(join(directory, "SHA256SUMS"), `${sum}  bzImage-6.1-user-events\n`);
  };

  it("prefers an image in $SONDE_KERNELS", () => {
    assert.deepEqual(findKernel("6.1-user-events"), { name: "6.1-user-events", image });
  });

  it("takes an image that matches its checksum", () => {
    list("image");
    assert.deepEqual(findKernel("6.1-user-events"), { name: "6.1-user-events", image });
  });

  it("refuses an image that does not match its checksum", () => {
    list("other");
    const found = findKernel("6.1-user-events");
    assert.ok("missing" in found);
    assert.match(found.missing, /bzImage-6\.1-user-events" does not match the SHA256SUMS/);
  });
});
