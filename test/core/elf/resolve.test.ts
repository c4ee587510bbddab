import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ElfError, readElf } from "../../../core/elf/elf.ts";
import { fileOffsetOf, resolveFunction } from "../../../core/elf/resolve.ts";
import { CODE_ADDRESS, CODE_OFFSET, type MadeElf, makeElf, readerOf } from "./make_elf.ts";

const open = (made: MadeElf) => readElf(readerOf(makeElf(made)));

function refusal(made: MadeElf, symbol: string): ElfError {
  try {
    resolveFunction(open(made), symbol);
  } catch (error) {
    assert.ok(error instanceof ElfError, String(error));
    return error;
  }
  assert.fail(`${symbol} was found`);
}

describe("resolveFunction", () => {
  it("turns an address into an offset in the file", () => {
    for (const type of [2, 3]) {
      const elf = open({
        type,
        symbols: [{ name: "main", address: CODE_ADDRESS + 0x139n, size: 8n }],
      });
      assert.deepEqual(resolveFunction(elf, "main"), {
        name: "main",
        address: CODE_ADDRESS + 0x139n,
        size: 8n,
        fileOffset: BigInt(CODE_OFFSET) + 0x139n,
      });
    }
  });

  it("finds exports of a stripped library", () => {
    const elf = open({ dynamic: [{ name: "SSL_read", address: CODE_ADDRESS + 4n }] });
    assert.equal(resolveFunction(elf, "SSL_read").fileOffset, BigInt(CODE_OFFSET) + 4n);
  });

  it("takes the default of several versions", () => {
    const inSymtab = open({
      symbols: [
        { name: "memcpy@V1", address: CODE_ADDRESS },
        { name: "memcpy@@V2", address: CODE_ADDRESS + 16n },
      ],
    });
    const inDynsym = open({
      dynamic: [
        { name: "memcpy", address: CODE_ADDRESS, version: 0x8002 },
        { name: "memcpy", address: CODE_ADDRESS + 16n, version: 3 },
      ],
    });
    for (const elf of [inSymtab, inDynsym]) {
      assert.equal(resolveFunction(elf, "memcpy").address, CODE_ADDRESS + 16n);
      assert.equal(resolveFunction(elf, "memcpy@@V2").address, CODE_ADDRESS + 16n);
      assert.throws(() => resolveFunction(elf, "memcpy@V1"), /old version/);
    }
  });

  it("takes one function that is in both tables or has two names for one", () => {
    const symbol = { name: "f", address: CODE_ADDRESS };
    assert.equal(resolveFunction(open({ symbols: [symbol], dynamic: [symbol] }), "f").name, "f");
  });

  it("prefers the global of several functions, and refuses to guess among others", () => {
    const local = { name: "helper", binding: 0, address: CODE_ADDRESS };
    const other = { ...local, address: CODE_ADDRESS + 32n };
    const global = { name: "helper", address: CODE_ADDRESS + 64n };
    assert.equal(
      resolveFunction(open({ symbols: [local, other, global] }), "helper").address,
      CODE_ADDRESS + 64n,
    );
    assert.match(refusal({ symbols: [local, other] }, "helper").message, /0x401000, 0x401020/);
  });

  it("refuses an imported function with the reason", () => {
    for (const type of [0, 2]) {
      const made = { dynamic: [{ name: "malloc", imported: true, type, address: 0n }] };
      assert.match(refusal(made, "malloc").message, /imported/);
    }
  });

  it("refuses an indirect function and tells what it chooses from", () => {
    const made = {
      symbols: [
        { name: "memcpy", type: 10 },
        { name: "__memcpy_avx", address: CODE_ADDRESS + 32n },
      ],
    };
    const error = refusal(made, "memcpy");
    assert.match(error.message, /IFUNC/);
    assert.match(error.hint ?? "", /__memcpy_avx/);
  });

  it("does not take data or what is outside the code for a function", () => {
    assert.match(refusal({ symbols: [{ name: "x", type: 1 }] }, "x").message, /no function "x"/);
    const made = { symbols: [{ name: "x", address: CODE_ADDRESS + 0x1000n }] };
    assert.match(refusal(made, "x").message, /not in executable code/);
  });

  it("suggests names", () => {
    const made = {
      symbols: ["SSL_read", "SSL_write", "_ZN3App4readEi", "_RNvCs1_3app4main"].map((name) => ({
        name,
      })),
    };
    assert.match(refusal(made, "SSL_raed").hint ?? "", /SSL_read/);
    assert.match(refusal(made, "App::read(int)").hint ?? "", /_ZN3App4readEi/);
    assert.match(refusal(made, "main").hint ?? "", /_RNvCs1_3app4main/);
    assert.equal(refusal(made, "quite_something_else").hint, undefined);
    assert.match(refusal({ dynamic: [] }, "x").hint ?? "", /stripped/);
  });
});

describe("fileOffsetOf", () => {
  it("takes addresses of code only", () => {
    const elf = open({});
    assert.equal(fileOffsetOf(elf, CODE_ADDRESS + 0xfffn), BigInt(CODE_OFFSET) + 0xfffn);
    for (const address of [0n, CODE_ADDRESS - 1n, CODE_ADDRESS + 0x1000n, (1n << 64n) - 1n]) {
      assert.throws(() => fileOffsetOf(elf, address), ElfError);
    }
  });
});
