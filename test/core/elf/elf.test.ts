import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ElfError, type ReadAt, readElf } from "../../../core/elf/elf.ts";
import { buildId } from "../../../core/elf/notes.ts";
import { resolveFunction } from "../../../core/elf/resolve.ts";
import { functionSymbols } from "../../../core/elf/symbols.ts";
import { type MadeElf, makeElf, readerOf } from "./make_elf.ts";

/** A GNU build id note. */
const BUILD_ID = new Uint8Array([4, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 71, 78, 85, 0, 0xab, 1, 2, 0]);

const WHOLE: MadeElf = {
  symbols: [{ name: "alpha" }, { name: "beta", address: 0x401020n }],
  dynamic: [{ name: "alpha" }, { name: "malloc", imported: true }],
  sections: [{ name: ".note.gnu.build-id", type: 7, content: BUILD_ID }],
};

/** Offset of the section table of every made file. */
const TABLE = 0x2000;

/** `WHOLE` after `change`. */
function changed(change: (view: DataView) => void): Uint8Array {
  const bytes = makeElf(WHOLE);
  change(new DataView(bytes.buffer));
  return bytes;
}

/** Everything that can be read of a file. */
function readAll(read: ReadAt): void {
  const elf = readElf(read);
  for (const _ of functionSymbols(elf));
  buildId(elf);
  resolveFunction(elf, "alpha");
}

function refusal(bytes: Uint8Array): string {
  try {
    readAll(readerOf(bytes));
  } catch (error) {
    assert.ok(error instanceof ElfError, String(error));
    return error.message;
  }
  assert.fail("It was read");
}

describe("readElf", () => {
  it("reads header, segments and sections", () => {
    const elf = readElf(readerOf(makeElf({ ...WHOLE, machine: 183 })));
    assert.equal(elf.type, "shared");
    assert.equal(elf.arch, "arm64");
    assert.equal(elf.segments.length, 1);
    assert.deepEqual(elf.sections.map(({ name }) => name), [
      "",
      ".strtab",
      ".symtab",
      ".dynstr",
      ".dynsym",
      ".gnu.version",
      ".note.gnu.build-id",
      ".shstrtab",
    ]);
    assert.equal(readElf(readerOf(makeElf({ type: 2, machine: 243 }))).arch, undefined);
  });

  it("reads the counts of large files from the first section", () => {
    const bytes = changed((view) => {
      view.setBigUint64(TABLE + 32, BigInt(view.getUint16(60, true)), true);
      view.setUint32(TABLE + 40, view.getUint16(62, true), true);
      view.setUint32(TABLE + 44, 1, true);
      view.setUint16(56, 0xffff, true);
      view.setUint16(60, 0, true);
      view.setUint16(62, 0xffff, true);
    });
    const elf = readElf(readerOf(bytes));
    assert.equal(elf.sections.length, 8);
    assert.equal(elf.segments.length, 1);
    assert.equal(elf.sections[2].name, ".symtab");
  });

  it("says what a file is that it cannot read", () => {
    const text = (words: string) => new TextEncoder().encode(words);
    assert.match(refusal(new Uint8Array(0)), /not an ELF file/);
    assert.match(refusal(text("hello world")), /not an ELF file/);
    assert.match(refusal(text("#!/bin/sh\n")), /script/);
    assert.match(refusal(changed((view) => view.setUint8(4, 1))), /32-bit/);
    assert.match(refusal(changed((view) => view.setUint8(5, 2))), /big-endian/);
    assert.match(refusal(makeElf({ ...WHOLE, type: 1 })), /object file/);
    assert.match(refusal(makeElf({ ...WHOLE, type: 4 })), /core dump/);
    assert.match(refusal(makeElf(WHOLE).subarray(0, 40)), /ends before its ELF header/);
    assert.match(refusal(makeElf(WHOLE).subarray(0, 100)), /ends before/);
  });

  it("does not believe sizes", () => {
    const huge = (1n << 63n) + 5n;
    const symtab = TABLE + 2 * 64;
    const strtab = TABLE + 64;
    const cases: [(view: DataView) => void, RegExp][] = [
      [(view) => view.setBigUint64(40, huge, true), /ends before/],
      [(view) => view.setUint16(58, 1, true), /section table is damaged/],
      [(view) => view.setUint16(54, 1, true), /segment table is damaged/],
      [(view) => view.setUint16(60, 0xfffe, true), /ends before/],
      [(view) => {
        view.setUint16(60, 0, true);
        view.setBigUint64(TABLE + 32, huge, true);
      }, /entries/],
      [(view) => view.setBigUint64(symtab + 24, huge, true), /ends before/],
      [(view) => view.setBigUint64(symtab + 32, 24n << 50n, true), /ends before/],
      [(view) => view.setBigUint64(symtab + 32, 25n, true), /".symtab" is damaged/],
      [(view) => view.setBigUint64(symtab + 56, 0n, true), /".symtab" is damaged/],
      [(view) => view.setUint32(symtab + 40, 999, true), /has no names/],
      [(view) => view.setBigUint64(strtab + 32, huge, true), /more than/],
      [(view) => view.setBigUint64(strtab + 32, 200n << 20n, true), /ends before/],
    ];
    for (const [change, reason] of cases) assert.match(refusal(changed(change)), reason);
  });

  it("refuses a table whose names are made to take forever", () => {
    const name = "x".repeat(60_000);
    const symbols = Array.from({ length: 40 }, () => ({ name }));
    assert.match(refusal(makeElf({ symbols })), /names of table/);
  });

  it("never reads much of a file with wrong sizes", () => {
    const bytes = changed((view) => view.setBigUint64(TABLE + 2 * 64 + 32, 24n << 50n, true));
    let most = 0;
    const read: ReadAt = (offset, length) => {
      most = Math.max(most, length);
      return bytes.subarray(offset, offset + length);
    };
    assert.throws(() => readAll(read), ElfError);
    assert.ok(most <= 4 * 1024 * 1024, String(most));
  });

  it("survives any change and any cut", () => {
    const original = makeElf(WHOLE);
    const interesting = fc.oneof(
      fc.nat(128),
      fc.integer({ min: TABLE, max: original.length - 1 }),
      fc.nat(original.length - 1),
    );
    const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(interesting, value), { minLength: 1, maxLength: 12 }),
        fc.option(fc.nat(original.length)),
        (changes, cut) => {
          const bytes = original.slice(0, cut ?? undefined);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          try {
            readAll(readerOf(bytes));
          } catch (error) {
            assert.ok(error instanceof ElfError, String(error));
          }
        },
      ),
      { seed: 8, numRuns: 3000 },
    );
  });
});

describe("buildId", () => {
  it("is in hexadecimal", () => {
    assert.equal(buildId(readElf(readerOf(makeElf(WHOLE)))), "ab0102");
    assert.equal(buildId(readElf(readerOf(makeElf({})))), undefined);
  });
});
