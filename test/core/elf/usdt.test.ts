import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { ElfError, readElf } from "../../../core/elf/elf.ts";
import { parseUsdtArgs } from "../../../core/elf/usdt_arg.ts";
import { readUsdtProbes, resolveUsdt } from "../../../core/elf/usdt.ts";
import { prepareFetchArg } from "../../../core/probe/fetch_check.ts";
import { CODE_ADDRESS, CODE_OFFSET, type MadeSection, makeElf, readerOf } from "./make_elf.ts";
import { noCompiler, offsetOf, Programs, run, withFile } from "./program.ts";

/** A `stapsdt` note. */
function note(pc: bigint, base: bigint, semaphore: bigint, text: string): Uint8Array {
  const strings = new TextEncoder().encode(text);
  const bytes = new Uint8Array(20 + 24 + Math.ceil(strings.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 8, true);
  view.setUint32(4, 24 + strings.length, true);
  view.setUint32(8, 3, true);
  bytes.set(new TextEncoder().encode("stapsdt"), 12);
  for (const [index, value] of [pc, base, semaphore].entries()) {
    view.setBigUint64(20 + 8 * index, value, true);
  }
  bytes.set(strings, 44);
  return bytes;
}

const section = (content: Uint8Array): MadeSection => ({ name: ".note.stapsdt", type: 7, content });

const open = (...sections: MadeSection[]) => readElf(readerOf(makeElf({ sections })));

describe("readUsdtProbes", () => {
  it("reads places, semaphores and arguments", () => {
    const elf = open(
      section(note(CODE_ADDRESS + 4n, 0n, CODE_ADDRESS + 0x800n, "shop\0order\x008@%rax -4@$7\0")),
    );
    assert.deepEqual(readUsdtProbes(elf), [{
      provider: "shop",
      name: "order",
      fileOffset: BigInt(CODE_OFFSET) + 4n,
      semaphore: BigInt(CODE_OFFSET) + 0x800n,
      args: [
        { written: "8@%rax", fetch: "%ax:u64" },
        { written: "-4@$7", fetch: "\\7:s32" },
      ],
    }]);
  });

  it("follows a file whose addresses were moved", () => {
    const elf = open(
      section(note(4n, 0x100n, 0n, "a\0b\0\0")),
      {
        name: ".stapsdt.base",
        type: 1,
        content: new Uint8Array(1),
        address: CODE_ADDRESS + 0x100n,
      },
    );
    assert.equal(readUsdtProbes(elf)[0].fileOffset, BigInt(CODE_OFFSET) + 4n);
  });

  it("names the probes that there are", () => {
    const elf = open(section(note(CODE_ADDRESS, 0n, 0n, "shop\0order\0\0")));
    assert.equal(resolveUsdt(elf, "shop", "order").length, 1);
    assert.throws(
      () => resolveUsdt(elf, "shop", "oder"),
      (error: ElfError) => /shop:order/.test(error.hint ?? ""),
    );
    assert.throws(
      () => resolveUsdt(open(), "a", "b"),
      (error: ElfError) => /no USDT probes/.test(error.hint ?? ""),
    );
  });

  it("refuses a damaged probe", () => {
    for (const text of ["", "a\0b\0no end", "a", "\0"]) {
      assert.throws(
        () => readUsdtProbes(open(section(note(CODE_ADDRESS, 0n, 0n, text)))),
        ElfError,
      );
    }
    assert.throws(() => readUsdtProbes(open(section(note(0n, 0n, 0n, "a\0b\0\0")))), ElfError);
    assert.throws(
      () => readUsdtProbes(open(section(note(CODE_ADDRESS, 0n, 5n, "a\0b\0\0")))),
      /semaphore/,
    );
  });

  it("survives any notes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(90), (noise, at) => {
        const content = note(CODE_ADDRESS, 0n, 0n, "shop\0order\x008@%rax\0");
        content.set(
          noise.subarray(0, content.length - Math.min(at, content.length)),
          Math.min(at, content.length),
        );
        try {
          readUsdtProbes(open(section(content)));
        } catch (error) {
          assert.ok(error instanceof ElfError, String(error));
        }
      }),
      { seed: 10, numRuns: 1000 },
    );
  });
});

describe("parseUsdtArgs", () => {
  it("makes fetch arguments of operands of x86-64", () => {
    const operands: [string, string | undefined][] = [
      ["8@%rbp", "%bp:u64"],
      ["-4@%eax", "%ax:s32"],
      ["2@%r10w", "%r10:u16"],
      ["1@%sil", "%si:u8"],
      ["1@%al", "%ax:u8"],
      ["1@%bh", "%bx:b8@8/16"],
      ["-4@112(%rsp)", "+112(%sp):s32"],
      ["8@-80(%rbx)", "-80(%bx):u64"],
      ["4@(%r15)", "+0(%r15):u32"],
      ["-8@$-1", "\\-1:s64"],
      ["8@8(%rax,%rbx,4)", undefined],
      ["8@value(%rip)", undefined],
      ["8f@%xmm0", undefined],
      ["8@%xmm1", undefined],
      ["16@%rax", undefined],
    ];
    for (const [written, fetch] of operands) {
      const [arg] = parseUsdtArgs(written, "x86-64");
      assert.equal("fetch" in arg ? arg.fetch : undefined, fetch, written);
      if (fetch !== undefined) prepareFetchArg(fetch, "uprobe", { arch: "x86-64" });
    }
  });

  it("makes fetch arguments of operands of arm64", () => {
    const fetches = parseUsdtArgs(
      "-4@w3 8@[sp, 16] 8@[x0] 4@[sp, #-8] -8@42 8@x30 8@[x1, x2]",
      "arm64",
    )
      .map((arg) =>
        "fetch" in arg ? prepareFetchArg(arg.fetch, "uprobe", { arch: "arm64" }) : undefined
      );
    assert.deepEqual(fetches, [
      "%x3:s32",
      "+16(%sp):u64",
      "+0(%x0):u64",
      "-8(%sp):u32",
      "\\42:s64",
      "%x30:u64",
      undefined,
    ]);
  });
});

/** What `sys/sdt.h` makes of `DTRACE_PROBE2(shop, order, value, 5)` with a semaphore. */
const SOURCE = `
unsigned short shop_order_semaphore __attribute__((section(".probes"))) = 0x5a5a;
asm(".globl shop_order_semaphore");
__attribute__((noinline)) void order(long value) {
  asm volatile("990: .ascii \\"MARK-PROBE\\"\\n"
    ".pushsection .note.stapsdt,\\"?\\",\\"note\\"\\n.balign 4\\n.4byte 992f-991f, 994f-993f, 3\\n"
    "991: .asciz \\"stapsdt\\"\\n992: .balign 4\\n993: .8byte 990b\\n.8byte _.stapsdt.base\\n"
    ".8byte shop_order_semaphore\\n.asciz \\"shop\\"\\n.asciz \\"order\\"\\n.asciz \\"-8@%[v] -4@$5\\"\\n994: .balign 4\\n"
    ".popsection\\n.pushsection .stapsdt.base,\\"aG\\",\\"progbits\\",.stapsdt.base,comdat\\n"
    ".weak _.stapsdt.base\\n.hidden _.stapsdt.base\\n_.stapsdt.base: .space 1\\n.popsection\\n" :: [v] "r"(value));
}
int main(int argc, char **argv) { order(argc); }
`;

describe("USDT probes of compiled programs", {
  skip: noCompiler || process.arch !== "x64" && "The source is for x86-64",
}, () => {
  const programs = new Programs();
  after(() => programs.remove());

  it("finds probe and semaphore in PIE and fixed programs", () => {
    const source = join(programs.directory, "usdt.c");
    writeFileSync(source, SOURCE);
    for (const flags of [["-pie", "-fPIE"], ["-no-pie", "-fno-pie"]]) {
      const path = join(programs.directory, "usdt");
      run("gcc", "-O1", ...flags, "-o", path, source);
      const [probe] = withFile(path, (elf) => resolveUsdt(elf, "shop", "order"));
      assert.equal(probe.fileOffset, offsetOf(path, "MARK-PROBE"));
      assert.equal(readFileSync(path).readUInt16LE(Number(probe.semaphore)), 0x5a5a);
      assert.match("fetch" in probe.args[0] ? probe.args[0].fetch : "", /^%(di|ax|bx):s64$/);
      assert.deepEqual(probe.args[1], { written: "-4@$5", fetch: "\\5:s32" });
    }
  });

  const python = "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0";
  it(
    "agrees with readelf",
    { skip: !existsSync(python) && "libpython3.11 is not installed" },
    () => {
      const names = [...run("readelf", "-n", python).matchAll(/Provider: (\S+)\s+Name: (\S+)/g)]
        .map(([, provider, name]) => `${provider}:${name}`);
      const probes = withFile(python, readUsdtProbes);
      assert.deepEqual(probes.map(({ provider, name }) => `${provider}:${name}`), names);
      for (const { args } of probes) {
        for (const arg of args) assert.ok("fetch" in arg, arg.written);
      }
    },
  );
});
