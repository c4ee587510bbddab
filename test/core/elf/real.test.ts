import assert from "node:assert/strict";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { ElfError, readElf } from "../../../core/elf/elf.ts";
import { buildId } from "../../../core/elf/notes.ts";
import { resolveFunction } from "../../../core/elf/resolve.ts";
import { functionSymbols } from "../../../core/elf/symbols.ts";
import { readerOf } from "./make_elf.ts";
import { noCompiler, offsetOf, Programs, run, withFile } from "./program.ts";

describe("compiled programs", { skip: noCompiler }, () => {
  const programs = new Programs();
  after(() => programs.remove());

  const kinds: [name: string, ...flags: string[]][] = [
    ["pie", "-pie", "-fPIE"],
    ["fixed", "-no-pie", "-fno-pie"],
    ["far", "-no-pie", "-fno-pie", "-Wl,-Ttext-segment=0x10000000"],
    ["static", "-static"],
    ["split", "-pie", "-fPIE", "-Wl,-z,separate-code"],
    ["joined", "-no-pie", "-fno-pie", "-Wl,-z,noseparate-code"],
    ["lib.so", "-shared"],
  ];
  for (const [name, ...flags] of kinds) {
    it(`finds the code of functions in ${name}`, () => {
      const path = programs.compile(name, ...flags);
      withFile(path, (elf) => {
        assert.equal(
          elf.type,
          flags.includes("-no-pie") || name === "static" ? "executable" : "shared",
        );
        assert.equal(resolveFunction(elf, "marked").fileOffset, offsetOf(path, "MARK-GLOBAL"));
        assert.equal(resolveFunction(elf, "marked").size, 11n);
        assert.equal(resolveFunction(elf, "marked_local").fileOffset, offsetOf(path, "MARK-LOCAL"));
        assert.throws(() => resolveFunction(elf, "chosen"), /IFUNC/);
      });
    });
  }

  it("finds exports of a stripped library, and no others", () => {
    const path = programs.compile("stripped.so", "-shared", "-s");
    withFile(path, (elf) => {
      assert.equal(resolveFunction(elf, "marked").fileOffset, offsetOf(path, "MARK-GLOBAL"));
      assert.throws(() => resolveFunction(elf, "marked_local"), /no function/);
    });
  });

  it("takes the default version", () => {
    for (const flags of [["-shared"], ["-shared", "-s"]]) {
      const path = programs.compile("versions.so", ...flags);
      const { fileOffset } = withFile(path, (elf) => resolveFunction(elf, "versioned"));
      assert.equal(fileOffset, offsetOf(path, "MARK-NEW"));
    }
  });

  it("knows an imported function", () => {
    const path = programs.compile("imports", "-pie", "-fPIE");
    withFile(path, (elf) => assert.throws(() => resolveFunction(elf, "puts"), /imported/));
  });

  it("agrees with nm on every function", () => {
    const path = programs.compile("agree", "-static");
    const listed = run("nm", "--defined-only", path).split("\n").flatMap((line) => {
      const match = /^([0-9a-f]+) [TtWwi] (\S+)$/.exec(line);
      return match ? [`${BigInt(`0x${match[1]}`)} ${match[2].replace(/@.*/, "")}`] : [];
    });
    const known = new Set(listed);
    withFile(path, (elf) => {
      const own = [...functionSymbols(elf)].filter(({ imported }) => !imported);
      assert.ok(own.length > 500);
      for (const { name, address } of own) assert.ok(known.has(`${address} ${name}`), name);
    });
  });

  it("reads the build id", () => {
    const path = programs.compile("built", "-Wl,--build-id=0xabcdef0123456789");
    assert.equal(withFile(path, buildId), "abcdef0123456789");
    const withoutSections = readFileSync(path);
    withoutSections.fill(0, 40, 48);
    assert.equal(buildId(readElf(readerOf(withoutSections))), "abcdef0123456789");
  });

  it("survives any damage", () => {
    const original = readFileSync(programs.compile("damaged", "-pie", "-fPIE"));
    const tableAt = Number(original.readBigUInt64LE(40));
    const place = fc.oneof(
      fc.nat(1024),
      fc.integer({ min: tableAt, max: original.length - 1 }),
      fc.nat(original.length - 1),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 20 }),
        fc.option(fc.nat(original.length)),
        (changes, cut) => {
          const bytes = Uint8Array.prototype.slice.call(original, 0, cut ?? undefined);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          try {
            const elf = readElf(readerOf(bytes));
            buildId(elf);
            resolveFunction(elf, "target");
          } catch (error) {
            assert.ok(error instanceof ElfError, String(error));
          }
        },
      ),
      { seed: 9, numRuns: 1000 },
    );
  });
});

describe("installed programs", () => {
  const paths = [process.execPath, "/bin/true", "/bin/busybox", "/lib/x86_64-linux-gnu/libc.so.6"]
    .filter((path) => existsSync(path));
  for (const path of paths) {
    it(`reads ${path}`, () => {
      withFile(realpathSync(path), (elf) => {
        assert.ok(elf.segments.length > 0);
        for (const symbol of functionSymbols(elf)) assert.ok(symbol.address >= 0n);
        assert.match(buildId(elf) ?? "none", /^([0-9a-f]{16,}|none)$/);
        assert.throws(() => resolveFunction(elf, "no such function"), ElfError);
      });
    });
  }
});
