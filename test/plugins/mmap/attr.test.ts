import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Memory, NativeCalls } from "../../../core/kernel/port.ts";
import { allocAttr } from "../../../plugins/mmap/attr.ts";

const native = {
  alloc: (length: number): Memory => ({
    address: 0n,
    bytes: new Uint8Array(length),
    free: () => {},
  }),
} as NativeCalls;

describe("allocAttr", () => {
  it("puts every field where the kernel's header has it", () => {
    const { bytes } = allocAttr(native, {
      type: 8,
      config: 0x1234_0000_0001n,
      sample_period: 1,
      sample_type: 0x50404,
      read_format: 16,
      flags: ["disabled", "inherit", "use_clockid"],
      config1: 0xffff_ffff_8000_0000n,
      config2: 4,
      clockid: 1,
      sample_regs_intr: 0x30,
    });
    assert.equal(
      Buffer.from(bytes).toString("hex"),
      "08000000" + "68000000" + "0100000034120000" + "0100000000000000" + "0404050000000000" +
        "1000000000000000" + "0300000200000000" + "0000000000000000" + "00000080ffffffff" +
        "0400000000000000" + "0000000000000000".repeat(2) + "00000000" + "01000000" +
        "3000000000000000",
    );
  });
});
