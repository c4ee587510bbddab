import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Hit } from "../../../../../plugins/simulated/kernel/dynamic/hit.ts";
import { TestKernel } from "./kernel.ts";

/**
 * Memory of the program that the entries were recorded from. It called
 * `target(-5, "hello world", &s, 0xabcdef0123456789)` with a uprobe on it, and
 * `openat(AT_FDCWD, &s, 0x12345600, 0)`.
 */
const MEMORY: readonly (readonly [address: bigint, bytes: string])[] = [
  [
    0x4a6120n,
    "efbeadde0180830078a0470000000000dd084900000000007ea0470000000000" +
    "1032547698badcfe696e6c696e652074657874000000000060614a0000000000",
  ],
  [
    0x4a6160n,
    "4d000000080009006da047000000000088a04700000000008ba0470000000000" +
    "8877665544332211696e6e657220737472696e67210000000000000000000000",
  ],
  [
    0x4a60e0n,
    "01000000020003006fa0470000000000100000000000000072a0470000000000" +
    "0000000000000000616263000000000000000000000000002000000000000000",
  ],
  [0x47a05bn, hex("hello world\0")],
  [0x47a06dn, hex("x\0")],
  [0x47a06fn, hex("ok\0")],
  [0x47a072n, hex("after\0")],
  [0x47a078n, hex("alpha\0")],
  [0x47a07en, hex("gamma ray\0")],
  [0x47a088n, hex("yy\0")],
  [0x47a08bn, hex("zzz\0")],
  [0x4908ddn, "00"],
  // A string that is longer than probes follow.
  [0x4a8480n, `${hex("L".repeat(5999))}00`],
];

function hex(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

function readUser(address: bigint, length: number): Uint8Array | null {
  for (const [start, bytes] of MEMORY) {
    const offset = Number(address - start);
    if (offset < 0 || offset + length > bytes.length / 2) continue;
    return Buffer.from(bytes, "hex").subarray(offset, offset + length);
  }
  return null;
}

interface Recorded {
  readonly definition: string;
  /** The entry in hex, padded to four bytes. */
  readonly entry: string;
}

/** The hit that made a recorded entry. */
function hitOf({ definition, entry }: Recorded): Hit {
  const recorded = Buffer.from(entry, "hex");
  const isUser = definition.includes(":u/");
  const isBad = definition.includes("BAD");
  const ip = recorded.readBigUInt64LE(8);
  const registers: Readonly<Record<string, bigint>> = isUser
    ? {
      di: 0xfffffffbn,
      si: isBad ? 0x4a8480n : 0x47a05bn,
      dx: isBad ? 0x4a60e0n : 0x4a6120n,
      cx: isBad ? 1n : 0xabcdef0123456789n,
    }
    // A kprobe leaves the instruction pointer behind its breakpoint.
    : { di: 0xffffff9cn, si: 0x4a6120n, dx: 0n, ip: ip + 1n };
  const traced = Buffer.alloc(64);
  traced.writeInt32LE(definition.includes("exit") ? -2 : -100, 16);
  traced.writeInt32LE(-1, 20);
  if (definition.includes("enter")) {
    traced.writeBigUInt64LE(0x4a6120n, 24);
    traced.writeBigUInt64LE(0x12345600n, 32);
  }
  return {
    ip,
    retIp: definition.startsWith("r") || definition.includes("%return")
      ? recorded.readBigUInt64LE(16)
      : undefined,
    comm: "target",
    register: (name) => registers[name] ?? 0n,
    argument: (index) => registers[["di", "si", "dx"][index] ?? ""] ?? 0n,
    returnValue: BigInt.asUintN(64, isUser ? -15n : -2n),
    stack: () => 0n,
    readMemory: (address, length, user) => user ? readUser(address, length) : null,
    symbolName: (address) => `do_sys_openat2+0x${(address - ip).toString(16)}/0xe0`,
    entry: traced,
  };
}

describe("entries as Linux 6.12 wrote them", () => {
  const url = new URL("../../vectors/fetch-6.12.jsonl", import.meta.url);
  const lines = readFileSync(url, "utf8").trim().split("\n");
  for (const recorded of lines.map((line) => JSON.parse(line) as Recorded)) {
    it(recorded.definition, () => {
      const kernel = new TestKernel();
      assert.equal(kernel.dynamic(recorded.definition), "ok");
      const [event] = kernel.events.events();
      assert.ok(event !== undefined && event.kind !== "synthetic");
      const padded = Buffer.from(event.encode(hitOf(recorded))).toString("hex");
      // The first eight bytes are the common fields.
      const end = Math.ceil(padded.length / 8) * 8;
      assert.equal(padded.padEnd(end, "0").slice(16), recorded.entry.slice(16));
    });
  }
});

describe("entries of an event with several probes", () => {
  it("are each written by the probe that was hit", () => {
    const kernel = new TestKernel();
    kernel.kprobe("p:a vfs_read x=%di\np:a vfs_write x=%si");
    const event = kernel.event("kprobes/a");
    assert.ok(event.kind === "kprobe");
    const hit = hitOf({ definition: "", entry: "00".repeat(16) });
    const values = event.probes.map((probe) => Buffer.from(probe.encode(hit)).readBigUInt64LE(16));
    assert.deepEqual(values, [0xffffff9cn, 0x4a6120n]);
  });
});

describe("bitfield members", () => {
  it("are cut out with 64-bit shifts of what was stored", () => {
    const kernel = new TestKernel();
    kernel.kprobe("p:a vfs_read file->bits.low file->bits.high");
    const event = kernel.event("kprobes/a");
    assert.ok(event.kind === "kprobe");
    const hit: Hit = {
      ...hitOf({ definition: "", entry: "00".repeat(16) }),
      argument: () => 0xffff888000000000n,
      readMemory: (_, length) => Buffer.alloc(length, 0xad),
    };
    const entry = Buffer.from(event.encode(hit));
    // 0xadadadad: the low three bits, then the five above them.
    assert.equal(entry.readUInt32LE(16), 0xad & 7);
    assert.equal(entry.readUInt32LE(20), 0xad >> 3);
  });
});
