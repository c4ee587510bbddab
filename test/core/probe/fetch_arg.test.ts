import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DefinitionError } from "../../../core/probe/error.ts";
import {
  fieldType,
  formatFetchArg,
  MAX_FETCH_TEXT,
  parseFetchArg,
} from "../../../core/probe/fetch_arg.ts";
import { lowerForUprobe } from "../../../core/probe/lower.ts";
import { fetchExpression } from "./arbitrary.ts";
import { REFUSED, TAKEN, TAKEN_AT_RETURN } from "./fetch_cases.ts";

/** The error that parsing `text` gives. */
function refusal(text: string): DefinitionError {
  try {
    parseFetchArg(text);
  } catch (error) {
    assert.ok(error instanceof DefinitionError, String(error));
    return error;
  }
  assert.fail(`${text} was read`);
}

describe("parseFetchArg", () => {
  it("reads every form", () => {
    assert.deepEqual(parseFetchArg("+u8(+0x10(%di)):u16[4]"), {
      fetch: {
        kind: "dereference",
        offset: 8n,
        user: true,
        of: {
          kind: "dereference",
          offset: 16n,
          user: false,
          of: { kind: "register", name: "di" },
        },
      },
      type: { kind: "basic", name: "u16", count: 4 },
    });
    assert.deepEqual(parseFetchArg("$retval->i_sb->s_type.name:b3@010/32").fetch, {
      kind: "retval",
      members: [
        { via: "->", name: "i_sb" },
        { via: "->", name: "s_type" },
        { via: ".", name: "name" },
      ],
    });
    assert.deepEqual(parseFetchArg("%di:b3@010/32").type, {
      kind: "bitfield",
      width: 3,
      offset: 8,
      container: 32,
    });
    assert.deepEqual(parseFetchArg("@jiffies-0x8").fetch, {
      kind: "symbol",
      symbol: "jiffies",
      offset: -8n,
    });
    assert.deepEqual(parseFetchArg("@+0x20:string").fetch, { kind: "file_offset", offset: 32n });
    assert.deepEqual(parseFetchArg('\\"a,b"').fetch, { kind: "text", text: "a,b" });
    assert.deepEqual(parseFetchArg("\\0xffffffffffffffff").fetch, {
      kind: "immediate",
      value: 0xffffffffffffffffn,
    });
    assert.deepEqual(parseFetchArg("$arg12").fetch, { kind: "argument", index: 12 });
    assert.deepEqual(parseFetchArg("$arg*").fetch, { kind: "all_arguments" });
  });

  it("reads all that the kernel takes", () => {
    for (const text of [...TAKEN, ...TAKEN_AT_RETURN]) {
      const expression = parseFetchArg(text);
      assert.deepEqual(parseFetchArg(formatFetchArg(expression)), expression, text);
    }
  });

  it("points at the fault", () => {
    const faults: [string, number][] = [
      ["+8(+x(%di))", 4],
      ["+8(%di", 6],
      ["+8(%di)x", 7],
      ["+0($foo)", 3],
      ["%di:foo", 4],
      ["+0(%di):u8[65]", 11],
      ["+0(%di):u8[4]x", 13],
      ["file->f_path..x", 12],
      ["file.f_pos", 4],
      ["@12ab", 1],
      ["a b", 1],
      ["$arg1#", 5],
      ["%dì", 2],
      ['\\"a:b"', 3],
    ];
    for (const [text, offset] of faults) assert.equal(refusal(text).offset, offset, text);
  });

  it("says what was meant", () => {
    assert.match(refusal("$retvall").hint ?? "", /\$retval/);
    assert.match(refusal("$arg1->f_pos").hint ?? "", /name of the parameter/);
    assert.match(refusal("+8").hint ?? "", /\+8\(\$arg1\)/);
    assert.match(refusal("%di:strin").hint ?? "", /string/);
  });

  it("refuses numbers past 64 bits", () => {
    for (
      const text of ["\\18446744073709551616", "\\-9223372036854775809", "@0x10000000000000000"]
    ) {
      refusal(text);
    }
  });

  it("round trips every value", () => {
    fc.assert(
      fc.property(fetchExpression, (expression) => {
        const text = formatFetchArg(expression);
        fc.pre(text.length <= MAX_FETCH_TEXT);
        assert.deepEqual(parseFetchArg(text), expression);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("throws nothing but its own error", () => {
    const pieces = '+ - u 0 8 0x ( ) $ arg retval stack comm % di @ \\ " : [ ] b / # ; -> . é'
      .split(" ");
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join("")),
      fc.tuple(fc.constantFrom(...TAKEN, ...REFUSED), fc.nat(70), fc.constantFrom(...pieces)).map(
        ([base, at, piece]) => base.slice(0, at) + piece + base.slice(at),
      ),
    );
    fc.assert(
      fc.property(text, (written) => {
        try {
          const expression = parseFetchArg(written);
          assert.deepEqual(parseFetchArg(formatFetchArg(expression)), expression);
        } catch (error) {
          assert.ok(error instanceof DefinitionError, String(error));
          assert.ok(error.offset >= 0 && error.offset <= written.length);
        }
      }),
      { seed: 2, numRuns: 2000 },
    );
  });

  it("refuses a huge argument at once", () => {
    assert.match(refusal("+0(".repeat(1_000_000)).message, /63 characters/);
  });
});

describe("fieldType", () => {
  const field = (text: string) => fieldType(parseFetchArg(text));

  it("tells what the field holds", () => {
    const hex = { kind: "integer", bits: 64, signed: false, shown: "hex" };
    assert.deepEqual(field("%di"), hex);
    assert.deepEqual(field("$arg1"), hex);
    assert.deepEqual(field("%di:s16"), {
      kind: "integer",
      bits: 16,
      signed: true,
      shown: "decimal",
    });
    assert.deepEqual(field("+0(%di):x8[3]"), { ...hex, bits: 8, count: 3 });
    assert.deepEqual(field("%di:b4@4/16"), { kind: "bitfield", width: 4, bits: 16 });
    assert.deepEqual(field("$comm"), { kind: "string" });
    assert.deepEqual(field("+0(%di):ustring[2]"), { kind: "string", count: 2 });
    assert.deepEqual(field("$arg1:%pd"), { kind: "string" });
    assert.deepEqual(field("%di:symbol"), { ...hex, shown: "symbol" });
    assert.deepEqual(field("%di:char"), { ...hex, bits: 8, shown: "character" });
    assert.deepEqual(field("file->f_pos"), { kind: "btf" });
    assert.deepEqual(field("$retval"), { kind: "btf" });
  });
});

describe("lowerForUprobe", () => {
  const lower = (text: string, arch: "x86-64" | "arm64") =>
    formatFetchArg(lowerForUprobe(parseFetchArg(text), arch));

  it("puts registers of the calling convention for arguments", () => {
    const args = [1, 2, 3, 4, 5, 6].map((n) => lower(`$arg${n}`, "x86-64"));
    assert.deepEqual(args, ["%di", "%si", "%dx", "%cx", "%r8", "%r9"]);
    assert.equal(lower("+8(+u0($arg8)):ustring", "arm64"), "+8(+u0(%x7)):ustring");
    assert.equal(lower("$retval:s32", "x86-64"), "$retval:s32");
  });

  it("refuses what is not in a register, and says where it is", () => {
    assert.throws(
      () => lower("+0($arg7):u8", "x86-64"),
      (error: DefinitionError) => error.offset === 3 && /\$stack1$/.test(error.hint ?? ""),
    );
    assert.throws(
      () => lower("$arg9", "arm64"),
      (error: DefinitionError) => /\$stack0$/.test(error.hint ?? ""),
    );
    assert.throws(() => lower("$arg0", "arm64"), DefinitionError);
  });
});
