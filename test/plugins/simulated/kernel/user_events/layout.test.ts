import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { KernelError } from "../../../../../core/kernel/error.ts";
import {
  fieldsMatch,
  fieldText,
  parseLayout,
} from "../../../../../plugins/simulated/kernel/user_events/layout.ts";
import { fieldWords } from "../../../../../plugins/simulated/kernel/user_events/command.ts";
import { printFmt } from "../../../../../plugins/simulated/kernel/user_events/print_fmt.ts";

function errorOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
  return "0";
}

describe("parseLayout", () => {
  it("packs fields behind the common ones", () => {
    const { fields, minSize } = parseLayout("u8 a; u64 b; char[3] c; struct s d 20; short e", true);
    assert.deepEqual(fields.map(({ name, type, offset, size }) => [name, type, offset, size]), [
      ["a", "u8", 8, 1],
      ["b", "u64", 9, 8],
      ["c", "char[3]", 17, 3],
      ["d", "struct s", 20, 20],
      ["e", "short", 40, 2],
    ]);
    assert.equal(minSize, 34);
  });

  it("takes every type that does not start with u for signed", () => {
    const { fields } = parseLayout("u32 a; int b; __rel_loc u8[] c; unsigned char d", true);
    assert.deepEqual(fields.map((field) => field.signed), [false, true, true, false]);
  });

  it("gives fields the filter type of their type only where the kernel does", () => {
    const list = "char[4] a; __rel_loc char[] b; __data_loc char[] c; __data_loc cpumask_t d; u8 e";
    const typesOf = (typed: boolean) => parseLayout(list, typed).fields.map((f) => f.filterType);
    assert.deepEqual(typesOf(true), [
      "static_string",
      "rdyn_string",
      "dyn_string",
      "cpumask",
      "other",
    ]);
    assert.deepEqual(new Set(typesOf(false)), new Set(["other"]));
  });

  it("makes a validator of each dynamic field, and wants a NUL of text", () => {
    const { validators } = parseLayout("u32 a; __rel_loc char[] b; __data_loc u8[] c", true);
    assert.deepEqual(validators, [
      { offset: 12, relative: true, ensureNul: true },
      { offset: 16, relative: false, ensureNul: false },
    ]);
  });

  it("takes the size of a struct from 2^31 on for an error number", () => {
    assert.equal(errorOf(() => parseLayout("struct x a 4294967295", true)), "EPERM");
    assert.equal(errorOf(() => parseLayout("struct x a 4294967294", true)), "ENOENT");
    assert.equal(errorOf(() => parseLayout("struct x a 2147483647", true)), "0");
  });

  it("wraps offsets at 32 bits", () => {
    const list = "struct x a 2147483647; struct y b 2147483647; u32 c";
    const { fields, minSize } = parseLayout(list, true);
    assert.deepEqual(fields.map((field) => field.offset), [8, 2147483655, 6]);
    assert.equal(minSize, 2);
  });

  it("lets any text through, or refuses it with a kernel error", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 80 }), (text) => {
        errorOf(() => parseLayout(text, true));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  const type = fc.constantFrom("u8", "s64", "unsigned int", "char[7]", "__rel_loc char[]");
  const fields = fc.array(fc.tuple(type, fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/)), {
    minLength: 1,
    maxLength: 8,
  });

  it("finds its own fields in what it would list, however they are spaced", () => {
    fc.assert(
      fc.property(fields, fc.constantFrom(";", "; ", ";\t", ";  "), (list, separator) => {
        const text = list.map((field) => field.join(" ")).join(separator);
        const layout = parseLayout(text, true);
        const listed = layout.fields.map(fieldText).join("; ");
        assert.equal(listed, list.map((field) => field.join(" ")).join("; "));
        assert.ok(fieldsMatch(layout.fields, fieldWords(text)));
        assert.ok(fieldsMatch(layout.fields, fieldWords(listed)));
        assert.ok(!fieldsMatch(layout.fields, fieldWords(`${listed}; u8 more`)));
        assert.ok(!fieldsMatch(layout.fields, []));
      }),
      { seed: 2 },
    );
  });
});

describe("printFmt", () => {
  it("prints strings as strings, and what it does not know as 64 bits", () => {
    const { fields } = parseLayout(
      "char[4] a; __data_loc char[] b; __rel_loc char c; struct s d 8; __rel_loc u8[] e",
      true,
    );
    assert.equal(
      printFmt(fields),
      '"a=%s b=%s c=%llu d=%llu e=%llu", REC->a, __get_str(b), __get_rel_str(c), REC->d, REC->e',
    );
  });

  it("is empty quotes without fields", () => {
    assert.equal(printFmt([]), '""');
  });
});
