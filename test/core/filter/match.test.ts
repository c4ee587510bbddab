import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesOf } from "../../../core/filter/bytes.ts";
import { parseCpuList } from "../../../core/filter/cpulist.ts";
import { matchGlob } from "../../../core/filter/glob.ts";
import { parseSigned, parseUnsigned } from "../../../core/filter/integer.ts";
import { compilePattern, matchPattern } from "../../../core/filter/pattern.ts";

const glob = (pattern: string, text: string) => matchGlob(bytesOf(pattern), bytesOf(text));

describe("matchGlob", () => {
  // The kernel's own table: tests in lib/globtest.c.
  const cases: readonly [boolean, string, string][] = [
    [true, "a", "a"],
    [false, "a", "b"],
    [false, "a", "aa"],
    [false, "a", ""],
    [true, "", ""],
    [false, "", "a"],
    [true, "[a]", "a"],
    [false, "[a]", "b"],
    [false, "[!a]", "a"],
    [true, "[!a]", "b"],
    [true, "[ab]", "b"],
    [true, "[a-c]", "b"],
    [false, "[a-c]", "d"],
    [true, "[]a-c]", "]"],
    [true, "[a-c-]", "-"],
    [true, "?", "a"],
    [false, "?", "aa"],
    [false, "??", "a"],
    [true, "*a", "aa"],
    [true, "*bc", "abbc"],
    [true, "*[ab]c*", "xxbcyy"],
    [true, "*ab*cd*", "abcabcabcd"],
    [false, "*ab*cd*", "abcabcabc"],
    [true, "*b*c*", "bca"],
    [true, "a\\*b", "a*b"],
    [false, "a\\*b", "axb"],
    [true, "a[", "a["],
    [true, "a[b", "a[b"],
    [true, "a[b-", "a[b-"],
    [true, "abc\\", "abc"],
  ];
  for (const [matches, pattern, text] of cases) {
    it(`${matches ? "takes" : "refuses"} "${text}" for "${pattern}"`, () => {
      assert.equal(glob(pattern, text), matches);
    });
  }

  it("ends the text at a NUL", () => {
    assert.ok(glob("a*", "ab\0c"));
    assert.ok(!glob("*c", "ab\0c"));
  });
});

describe("matchPattern", () => {
  const matches = (operator: "==" | "!=" | "~", operand: string, text: string) => {
    const data = bytesOf(text);
    return matchPattern(compilePattern(operator, operand), { data, start: 0, length: data.length });
  };

  it("compares the whole string without ~", () => {
    assert.ok(matches("==", "ab*", "ab*\0"));
    assert.ok(!matches("==", "ab*", "abc\0"));
    assert.ok(matches("!=", "ab*", "abc\0"));
  });

  it("takes a * at the ends for any text", () => {
    assert.ok(matches("~", "ab*", "abc\0"));
    assert.ok(matches("~", "*bc", "abc\0"));
    assert.ok(matches("~", "*b*", "abc\0"));
    assert.ok(matches("~", "*", "\0"));
    assert.ok(!matches("~", "*b", "abc\0"));
  });

  it("inverts a pattern that starts with !", () => {
    assert.ok(!matches("~", "!a*", "abc\0"));
    assert.ok(matches("~", "!a*", "xbc\0"));
  });

  it("takes a pattern that starts with a digit literally", () => {
    assert.ok(!matches("~", "1*", "123\0"));
    assert.ok(matches("~", "1*", "1*\0"));
  });

  it("looks for *x at the end of an array, not of the string in it", () => {
    assert.ok(!matches("~", "*b", "ab\0\0"));
    assert.ok(matches("~", "?b", "ab\0\0"));
  });

  it("needs no NUL in a full array", () => {
    assert.ok(matches("==", "abcd", "abcd"));
    assert.ok(!matches("==", "abcde", "abcd"));
  });
});

describe("parseCpuList", () => {
  const cases: readonly [string, readonly number[] | undefined][] = [
    ["0", [0]],
    ["3,1", [1, 3]],
    ["0-2,2-3", [0, 1, 2, 3]],
    ["0-7:2/4", [0, 1, 4, 5]],
    ["N", [7]],
    ["all", [0, 1, 2, 3, 4, 5, 6, 7]],
    [" , ", []],
    ["1 2", [1, 2]],
    ["0\nx", [0]],
    ["8", undefined],
    ["2-1", undefined],
    ["1-", undefined],
    ["0-3:5/4", undefined],
    ["0-3:1/0", undefined],
    ["0:1/2", undefined],
    ["x", undefined],
    ["99999999999", undefined],
  ];
  for (const [text, cpus] of cases) {
    it(`reads ${JSON.stringify(text)} with 8 CPUs`, () =>
      assert.deepEqual(parseCpuList(text, 8), cpus));
  }
});

describe("parseUnsigned and parseSigned", () => {
  it("read decimal, hexadecimal and octal", () => {
    assert.deepEqual(["10", "0x1F", "017", "0", "+5"].map(parseUnsigned), [10n, 31n, 15n, 0n, 5n]);
    assert.deepEqual(["-10", "-0x1f", "-017"].map(parseSigned), [-10n, -31n, -15n]);
  });

  it("hold the limits of 64 bits", () => {
    assert.equal(parseUnsigned("18446744073709551615"), (1n << 64n) - 1n);
    assert.equal(parseUnsigned("18446744073709551616"), undefined);
    assert.equal(parseSigned("9223372036854775807"), (1n << 63n) - 1n);
    assert.equal(parseSigned("9223372036854775808"), undefined);
    assert.equal(parseSigned("-9223372036854775808"), -(1n << 63n));
    assert.equal(parseSigned("-9223372036854775809"), undefined);
  });

  it("refuse what is no number", () => {
    for (const text of ["", "08", "0x", "1x", "-", "--1", " 1", "1 "]) {
      assert.equal(parseSigned(text), undefined, text);
    }
    assert.equal(parseUnsigned("-1"), undefined);
  });
});
