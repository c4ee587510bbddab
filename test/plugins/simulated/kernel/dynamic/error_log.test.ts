import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorLog } from "../../../../../plugins/simulated/kernel/dynamic/error_log.ts";

describe("the error log", () => {
  it("shows time, subject, command and caret", () => {
    const log = new ErrorLog(() => 12_000_345_678n);
    log.log("trace_kprobe", "p:a f %x", "Invalid register name", 6);
    assert.equal(
      log.text(),
      "[   12.000345] trace_kprobe: error: Invalid register name\n" +
        "  Command: p:a f %x\n" +
        "                 ^\n",
    );
  });

  it("keeps the last eight errors", () => {
    const log = new ErrorLog(() => 0n);
    for (let i = 0; i < 10; i++) log.log("x", `command ${i}`, "text", 0);
    assert.deepEqual(
      log.errors.map((error) => error.command),
      [2, 3, 4, 5, 6, 7, 8, 9].map((i) => `command ${i}`),
    );
    log.clear();
    assert.equal(log.text(), "");
  });

  it("keeps 16 bits of the position and all of the time", () => {
    const log = new ErrorLog(() => 123_456_789_012_345_678n);
    log.log("x", "c", "text", 65_536 + 3);
    assert.match(log.text(), /^\[123456789\.012345\] x: error: text\n {2}Command: c\n {14}\^\n$/);
  });
});
