import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestKernel } from "./kernel.ts";

function uprobe(kernel: TestKernel, text: string): string {
  return kernel.write("uprobe_events", text);
}

describe("uprobe events", () => {
  it("are listed with their offset in 16 digits", () => {
    const kernel = new TestKernel();
    const text = "p:a /bin/sh:16 %di\nr /usr/lib/libc-2.36.so:0x20(0x8)\np /bin/sh:0x30%return";
    assert.equal(uprobe(kernel, text), "ok");
    assert.deepEqual(kernel.lines("uprobe_events"), [
      "p:uprobes/a /bin/sh:0x0000000000000010 arg1=%di",
      "r:uprobes/p_libc_0x20 /usr/lib/libc-2.36.so:0x0000000000000020(0x8)",
      "r:uprobes/p_sh_0x30 /bin/sh:0x0000000000000030",
    ]);
    assert.equal(uprobe(kernel, "-:a /bin/sh:0x10"), "ENOENT");
    assert.equal(uprobe(kernel, "-:a /bin/sh:0x0000000000000010"), "ok");
  });

  it("are refused with a caret", () => {
    const kernel = new TestKernel();
    const refused: [text: string, answer: string][] = [
      ["p vfs_read", "EINVAL"],
      ["p /bin/sh", "EINVAL"],
      ["p /bin/sh:x", "EINVAL"],
      ["p /nope:0", "ENOENT; Failed to find the given file @2"],
      ["p /tmp:0", "EINVAL; Not a regular file @2"],
      ["p /bin/sh:0x1y", "EINVAL; Invalid uprobe offset @10"],
      ["p /bin/sh:99999999999999999999", "ERANGE; Invalid uprobe offset @10"],
      ["p /bin/sh:0%ret", "EINVAL; Invalid probed address suffix @11"],
      ["p /bin/sh:0(", "EINVAL; Reference counter brace is not closed @12"],
      ["p /bin/sh:0(1)%return", "EINVAL; Reference counter has wrong suffix @14"],
      ["p /bin/sh:0()", "EINVAL; Invalid reference counter offset @12"],
      ["p:1 /bin/sh:0", "EINVAL; Event name must follow the same rules as C identifiers @2"],
    ];
    for (const [text, answer] of refused) assert.equal(uprobe(kernel, text), answer, text);
  });

  it("ignore a name that does not follow the letter at once", () => {
    const kernel = new TestKernel();
    assert.equal(uprobe(kernel, "p10:n /bin/sh:1"), "ok");
    assert.deepEqual(kernel.lines(), ["p:uprobes/p_sh_0x1 /bin/sh:0x0000000000000001"]);
  });

  it("go by the file, not by the path", () => {
    const kernel = new TestKernel();
    assert.equal(uprobe(kernel, "p:a /bin/sh:1"), "ok");
    assert.equal(
      uprobe(kernel, "p:a /bin/dash:1"),
      "EEXIST; There is already the exact same probe event @0",
    );
    assert.equal(uprobe(kernel, "p:b /bin/dash:1(0x8)"), "EINVAL");
    assert.equal(uprobe(kernel, "-:a"), "ok");
    assert.equal(uprobe(kernel, "p:b /bin/dash:1(0x8)"), "ok");
  });

  it("cannot fetch what only kernel code has", () => {
    for (const version of ["6.12", "6.1"] as const) {
      const kernel = new TestKernel(version);
      assert.match(uprobe(kernel, "p:a /bin/sh:1 @sym"), /^EINVAL; Symbol is not available/);
      assert.equal(uprobe(kernel, "p:a /bin/sh:1 @+4 $stack99999"), "ok");
    }
    const [old, kernel] = [new TestKernel("6.1"), new TestKernel()];
    assert.equal(uprobe(old, "p:a /bin/sh:1 %di:symbol"), "ok");
    assert.equal(
      uprobe(kernel, "p:a /bin/sh:1 %di:symbol"),
      "EINVAL; Unknown type is specified @18",
    );
    assert.equal(uprobe(old, "p:b /bin/sh:1 $arg1"), "EINVAL; Invalid $-variable specified @14");
    assert.equal(
      uprobe(kernel, "p:b /bin/sh:1 $arg1"),
      "EINVAL; $arg* can be used only on function entry or exit @14",
    );
  });

  it("find out late that they are enabled, so that no buffer is wiped", () => {
    const kernel = new TestKernel();
    uprobe(kernel, "p:a /bin/sh:1\np:b /bin/sh:1");
    kernel.host.enabled.add(kernel.event("uprobes/b"));
    assert.equal(uprobe(kernel, "-:uprobes/"), "EBUSY");
    assert.deepEqual(kernel.host.journal.slice(2), ["remove uprobes/a", "keep"]);
  });
});
