import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestKernel } from "./kernel.ts";

const REFUSED = "EINVAL; Failed to register probe event @2";

describe("fprobe events", () => {
  it("are on functions, their returns, or all that a pattern matches", () => {
    const kernel = new TestKernel();
    assert.equal(
      kernel.dynamic(
        "f vfs_read\nf vfs_read%return\nf5 kfree%return\nf:g tcp_*\nf:h iget_locked $retval",
      ),
      "ok",
    );
    assert.deepEqual(kernel.lines(), [
      "f:fprobes/vfs_read__entry vfs_read",
      "f:fprobes/vfs_read__exit vfs_read%return",
      "f5:fprobes/kfree__exit kfree%return",
      "f:fprobes/g tcp_*",
      "f:fprobes/h iget_locked%return arg1=$retval",
    ]);
    const event = kernel.event("fprobes/g");
    assert.ok(event.kind === "fprobe" && event.probes[0]?.place.kind === "fprobe");
    assert.deepEqual(
      event.probes[0].place.addresses,
      [0xffffffff81000c00n, 0xffffffff81000d00n],
    );
  });

  it("are refused where ftrace has no hook", () => {
    const kernel = new TestKernel();
    for (const place of ["nosuch", "no*such", "notrace_function", "linux_banner", "999"]) {
      assert.equal(kernel.dynamic(`f ${place}`), REFUSED, place);
    }
    assert.equal(kernel.dynamic("f nokprobe_function"), "ok");
    assert.equal(kernel.dynamic("f:a 1"), "ok");
    assert.equal(kernel.dynamic("f:b !vfs_read"), "ok");
    assert.equal(
      kernel.dynamic("f:c !vfs_read%return"),
      "EINVAL; Failed to register probe event @4",
    );
    assert.equal(kernel.dynamic("f5:d vfs_read"), "EINVAL; Maxactive is only for function exit @1");
  });

  it("have no registers, and log that twice", () => {
    const kernel = new TestKernel();
    assert.equal(
      kernel.dynamic("f vfs_read %ax"),
      "EINVAL; Invalid $-variable specified @11; Invalid fetch argument @11",
    );
  });

  it("are not known to 6.1", () => {
    const kernel = new TestKernel("6.1");
    assert.equal(kernel.dynamic("f vfs_read"), "EINVAL");
    assert.equal(kernel.dynamic("t sched_switch"), "EINVAL");
  });
});

describe("tracepoint probe events", () => {
  it("name the arguments behind the stub's first", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.dynamic("t sched_switch $arg1 next"), "ok");
    assert.deepEqual(kernel.lines(), [
      "t:tracepoints/sched_switch sched_switch preempt=preempt next=next",
    ]);
  });

  it("hook a tracepoint once", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.dynamic("t:a sched_switch"), "ok");
    assert.equal(kernel.dynamic("t:b sched_switch"), "EEXIST");
    assert.equal(kernel.dynamic("-:a"), "ok");
    assert.equal(kernel.dynamic("t:b sched_switch"), "ok");
  });

  it("leave a tracepoint hooked whose stub cannot be", () => {
    const kernel = new TestKernel();
    const line = "t:a suspend_resume";
    assert.equal(kernel.dynamic(line), "EINVAL; Failed to register probe event @4");
    assert.equal(kernel.dynamic(line), "EEXIST");
  });

  it("wait for a tracepoint that is not there, by the prototype of a function", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.dynamic("t 1abc\nt:b 1abc\nt vfs_read $arg1"), "ok");
    assert.deepEqual(kernel.lines(), [
      "t:tracepoints/_1abc 1abc",
      "t:tracepoints/b 1abc",
      "t:tracepoints/vfs_read vfs_read buf=buf",
    ]);
  });

  it("are refused with a caret", () => {
    const kernel = new TestKernel();
    const refused: [text: string, answer: string][] = [
      ["t sched/x", "Invalid character in tracepoint name @7"],
      ["t x%return", "Invalid probed address suffix @3"],
      ["t x a=$retval", "$retval is not available on probe @6"],
      ["t5 x", "Maxactive is only for function exit @1"],
    ];
    for (const [text, answer] of refused) {
      assert.equal(kernel.dynamic(text), `EINVAL; ${answer}`);
    }
  });
});
