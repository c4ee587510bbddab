import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import process from "node:process";
import { isKernelError, KernelError } from "../../../core/kernel/error.ts";
import { appendText, exists, readText, tryReadText } from "../../../core/kernel/files.ts";
import { linuxKernel } from "../../../core/kernel/linux.ts";

const kernel = linuxKernel();
const directory = mkdtempSync(join(tmpdir(), "sonde-kernel-"));
after(() => rmSync(directory, { recursive: true }));

describe("files of Linux", () => {
  it("fail with the error's name, number, call and path", () => {
    const path = join(directory, "nothing", "here");
    assert.throws(() => kernel.open(path, { access: "read" }), (error) => {
      assert.ok(error instanceof KernelError);
      assert.deepEqual(
        [error.code, error.errno, error.call, error.path],
        ["ENOENT", 2, "open", path],
      );
      return true;
    });
    assert.throws(
      () => kernel.open(directory, { access: "write" }),
      (error) => isKernelError(error, "EISDIR"),
    );
    assert.equal(tryReadText(kernel, path), undefined);
    assert.equal(exists(kernel, path), false);
  });

  it("never open a definition file but to append, whatever is asked for", () => {
    for (const name of ["kprobe_events", "uprobe_events", "dynamic_events", "synthetic_events"]) {
      const path = join(directory, name);
      writeFileSync(path, "p:other/probe vfs_read\n");
      const refused = { name: "TypeError" };
      assert.throws(() => kernel.open(path, { access: "write" }), refused);
      assert.throws(
        () => kernel.open(path, { access: "write", append: true, truncate: true }),
        refused,
      );
      appendText(kernel, path, "p:ours/probe vfs_write\n");
      const both = "p:other/probe vfs_read\np:ours/probe vfs_write\n";
      assert.equal(readFileSync(path, "utf8"), both);
    }
  });

  it("are read at a position without moving it, also past 2^53", () => {
    const path = join(directory, "text");
    writeFileSync(path, "0123456789");
    const fd = kernel.open(path, { access: "read" });
    try {
      const two = new Uint8Array(2);
      assert.equal(kernel.read(fd, two, 4), 2);
      assert.deepEqual([...two], [0x34, 0x35]);
      assert.equal(kernel.read(fd, two), 2);
      assert.deepEqual([...two], [0x30, 0x31]);
      assert.equal(kernel.read(fd, two, 2n ** 60n), 0);
    } finally {
      kernel.close(fd);
    }
  });

  it("give a whole file of any size", () => {
    const path = join(directory, "long");
    const text = "0123456789".repeat(20_000);
    writeFileSync(path, text);
    assert.equal(readText(kernel, path), text);
  });

  it("answer EEXIST for a link to a name that is taken", () => {
    const path = join(directory, "taken");
    writeFileSync(path, "");
    assert.throws(() => kernel.link(path, path), (error) => isKernelError(error, "EEXIST"));
  });
});

describe("native calls of Linux", { skip: process.platform !== "linux" }, () => {
  const { native } = kernel;

  it("are there on Bun and Deno", () => {
    assert.ok(!("unavailable" in native), JSON.stringify(native));
  });

  it("give memory that keeps its address and its content", () => {
    if ("unavailable" in native) return assert.fail(native.unavailable);
    const memory = native.alloc(5000);
    assert.ok(memory.address > 0n && memory.address % 4096n === 0n);
    assert.ok(memory.bytes.every((byte) => byte === 0));
    memory.bytes[4999] = 7;
    assert.equal(memory.bytes[4999], 7);
    memory.free();
    memory.free();
  });

  it("fail with the error of the call, not of what comes after", () => {
    if ("unavailable" in native) return assert.fail(native.unavailable);
    for (let i = 0; i < 100; i++) {
      assert.throws(() => native.ioctl(-1, 0x5401, 0), (error) => isKernelError(error, "EBADF"));
      // A perf_event_attr of an unknown size: the kernel answers with the size that it knows.
      const attr = native.alloc(4096);
      new DataView(attr.bytes.buffer, attr.bytes.byteOffset).setUint32(4, 1, true);
      assert.throws(
        () => native.perfEventOpen(attr, 0, -1, -1, 0),
        (error) => isKernelError(error, "E2BIG", "EACCES", "EPERM", "ENOSYS"),
      );
      attr.free();
    }
  });
});

describe("clocks of Linux", { skip: process.platform !== "linux" }, () => {
  const uptime = () => Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1e9;

  it("count from the start of the machine, not of the process", () => {
    const before = uptime();
    const boottime = Number(kernel.now("boottime"));
    const monotonic = Number(kernel.now("monotonic"));
    assert.ok(boottime >= before - 2e7 && boottime <= uptime() + 2e7, `${boottime} ${before}`);
    // Only time that the machine was suspended sets the two apart.
    assert.ok(monotonic <= boottime + 1e9);
    assert.ok(monotonic > process.uptime() * 1e9);
  });

  it("go on", () => {
    const first = kernel.now("monotonic");
    assert.ok(kernel.now("monotonic") >= first);
    assert.ok(kernel.now("realtime") > 1_700_000_000_000_000_000n);
  });
});
