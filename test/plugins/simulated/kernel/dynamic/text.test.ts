import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  isGoodName,
  isGoodSystemName,
  madeUpEventName,
  splitWords,
} from "../../../../../plugins/simulated/kernel/dynamic/ctype.ts";
import {
  globMatch,
  parseFtraceFilter,
} from "../../../../../plugins/simulated/kernel/dynamic/glob.ts";
import {
  parseSigned,
  parseUnsigned,
  scanUnsigned,
} from "../../../../../plugins/simulated/kernel/dynamic/numbers.ts";

describe("numbers", () => {
  it("take their base from the text", () => {
    assert.equal(parseUnsigned("10", 0), 10n);
    assert.equal(parseUnsigned("0x1F", 0), 31n);
    assert.equal(parseUnsigned("010", 0), 8n);
    assert.equal(parseUnsigned("+7", 0), 7n);
    assert.equal(parseUnsigned("010", 10), 10n);
  });

  it("fill the text", () => {
    for (const text of ["", "x", "0x", "08", "1x", " 1", "-1", "++1", "1 "]) {
      assert.equal(parseUnsigned(text, 0), "EINVAL", text);
    }
    assert.equal(parseUnsigned("1\n", 0), 1n);
  });

  it("stay in range, which counts before what follows", () => {
    assert.equal(parseUnsigned("18446744073709551615", 0), (1n << 64n) - 1n);
    assert.equal(parseUnsigned("18446744073709551616x", 0), "ERANGE");
    assert.equal(parseUnsigned("4294967296", 0, 1n << 32n), "ERANGE");
    assert.equal(parseSigned("-9223372036854775808", 0), -(1n << 63n));
    assert.equal(parseSigned("-9223372036854775809", 0), "ERANGE");
    assert.equal(parseSigned("9223372036854775808", 0), "ERANGE");
    assert.equal(parseSigned("-+1", 0), "EINVAL");
  });

  it("are scanned modulo 2^64", () => {
    assert.deepEqual(scanUnsigned("12ab", 0), { value: 12n, rest: "ab" });
    assert.deepEqual(scanUnsigned("x", 0), { value: 0n, rest: "x" });
    assert.deepEqual(scanUnsigned("18446744073709551617@", 0), { value: 1n, rest: "@" });
  });
});

describe("words and names", () => {
  it("split at every kind of space, 0xa0 among them", () => {
    assert.deepEqual(splitWords("\ta \r b\xa0c\n\v\f"), ["a", "b", "c"]);
  });

  it("take bytes above 127 for letters as the kernel's table does", () => {
    assert.ok(isGoodName("\xe9t\xe9_1"));
    assert.ok(!isGoodName("a\xd7"));
    assert.ok(!isGoodName("1a") && !isGoodName("") && !isGoodName("a-b"));
    assert.ok(isGoodSystemName("-a-b") && !isGoodSystemName("1a"));
  });

  it("are made of symbols without touching the first character", () => {
    assert.equal(madeUpEventName("p_m:f.cold_0"), "p_m_f_cold_0");
    assert.equal(madeUpEventName("*a*"), "*a_");
    assert.equal(madeUpEventName("x".repeat(70)).length, 63);
  });
});

describe("patterns", () => {
  it("match as lib/glob.c does", () => {
    const cases: [pattern: string, text: string, matches: boolean][] = [
      ["a*c", "abbc", true],
      ["a*c", "abcd", false],
      ["a?c", "ac", false],
      ["[a-c]x", "bx", true],
      ["[!a-c]x", "bx", false],
      ["[]]", "]", true],
      ["[a", "[a", true],
      ["a\\*", "a*", true],
      ["a\\*", "ab", false],
      ["*", "", true],
      ["*aab", "aaaab", true],
    ];
    for (const [pattern, text, matches] of cases) {
      assert.equal(globMatch(pattern, text), matches, `${pattern} ${text}`);
    }
  });

  it("of ftrace are names, indexes or globs", () => {
    assert.deepEqual(parseFtraceFilter("!vfs_read"), { kind: "name", name: "vfs_read", not: true });
    assert.deepEqual(parseFtraceFilter("12"), { kind: "index", text: "12", not: false });
    const matches = (pattern: string, name: string) => {
      const filter = parseFtraceFilter(pattern);
      return filter.kind === "pattern" && filter.test(name);
    };
    assert.ok(matches("tcp_*", "tcp_close") && !matches("tcp_*", "xtcp_close"));
    assert.ok(matches("*_close", "tcp_close") && matches("*cp_cl*", "tcp_close"));
    assert.ok(matches("*", "x") && matches("t*e", "tcp_close") && !matches("[ab]", "c"));
  });
});
