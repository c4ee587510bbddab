import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearest } from "../../../core/text/nearest.ts";

describe("nearest", () => {
  const names = ["vfs_read", "vfs_write", "vfs_readv", "kernel_clone"];

  it("puts the nearest first", () => {
    assert.deepEqual(nearest("vfs_rea", names, 2), ["vfs_read", "vfs_readv"]);
  });

  it("gives nothing where nothing is near", () => {
    assert.deepEqual(nearest("tcp_sendmsg", names), []);
  });

  it("gives no more than asked for", () => {
    assert.equal(nearest("vfs_read", names, 1).length, 1);
  });

  it("does not compare what is too long to be a name", () => {
    assert.deepEqual(nearest("x".repeat(65), ["x".repeat(65)]), []);
  });
});
