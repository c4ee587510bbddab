import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import { runCommands } from "../../../../../plugins/simulated/kernel/dynamic/run_command.ts";
import { TestKernel } from "./kernel.ts";

/** The lines that a write is split into, and how it ends. */
function split(text: string): { lines: string[]; ending: string } {
  const lines: string[] = [];
  try {
    runCommands(Buffer.from(text, "latin1"), (line) => lines.push(line));
    return { lines, ending: "ok" };
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return { lines, ending: error.code };
  }
}

describe("splitting a write into commands", () => {
  it("needs no newline at the end", () => {
    assert.deepEqual(split("a\nb"), { lines: ["a", "b"], ending: "ok" });
    assert.deepEqual(split("a\nb\n"), { lines: ["a", "b"], ending: "ok" });
    assert.deepEqual(split(""), { lines: [], ending: "ok" });
  });

  it("cuts comments off, also inside quotes", () => {
    assert.deepEqual(split('# x\na # b\n\\"c#d"\n'), { lines: ["", "a ", '\\"c'], ending: "ok" });
  });

  it("refuses a NUL, after the lines before it", () => {
    assert.deepEqual(split("a\nb\0c\n"), { lines: ["a"], ending: "EINVAL" });
    assert.deepEqual(split("\0"), { lines: [], ending: "EINVAL" });
  });

  it("takes lines of 4095 bytes at the end and of 4094 with a newline", () => {
    const line = "x".repeat(4095);
    assert.deepEqual(split(line), { lines: [line], ending: "ok" });
    assert.deepEqual(split(`${line}\n`), { lines: [], ending: "EINVAL" });
    assert.deepEqual(split(`a\n${line}\n`), { lines: ["a"], ending: "EINVAL" });
    const shorter = "x".repeat(4094);
    assert.deepEqual(split(`a\n${shorter}\nb\n`), { lines: ["a", shorter, "b"], ending: "ok" });
  });

  it("keeps what came before the line that failed", () => {
    const kernel = new TestKernel();
    const answer = kernel.kprobe("p:a vfs_read\np:b nosuch\np:c vfs_open\n");
    assert.equal(answer, "EINVAL; Invalid probed address or symbol @4");
    assert.deepEqual(kernel.lines(), ["p:kprobes/a vfs_read"]);
  });

  it("names the call and the file of an error", () => {
    const kernel = new TestKernel();
    assert.throws(
      () => kernel.events.write("uprobe_events", Buffer.from("x")),
      { name: "KernelError", message: 'write "uprobe_events": EINVAL' },
    );
  });
});
