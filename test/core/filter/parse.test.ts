import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldsOf, predicatesOf } from "../../../core/filter/ast.ts";
import { FilterError } from "../../../core/filter/error.ts";
import type { FilterField } from "../../../core/filter/field.ts";
import { bindFilter, parseFilter } from "../../../core/filter/parse.ts";

const FIELDS: readonly FilterField[] = [
  { name: "fd", type: "s32", offset: 8, size: 4, signed: true, filterType: "other" },
  { name: "size", type: "u64", offset: 16, size: 8, signed: false, filterType: "other" },
  {
    name: "path",
    type: "char[16]",
    offset: 24,
    size: 16,
    signed: false,
    filterType: "static_string",
  },
];

function errorOf(action: () => unknown): FilterError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof FilterError);
    return error;
  }
  throw new assert.AssertionError({ message: "Nothing was thrown" });
}

const refusal = (text: string) => errorOf(() => parseFilter(text));
const bindRefusal = (text: string) => {
  return errorOf(() => bindFilter(text, FIELDS, { version: "6.12", cpuCount: 4 }));
};

describe("parseFilter", () => {
  it("reads predicates with their operands", () => {
    const { root } = parseFilter('fd == -1 && path ~ "*.so" && size & 0x10 && cpu & CPUS{0-2}');
    assert.deepEqual(
      predicatesOf(root).map(({ name, operator, operand }) => ({ name, operator, operand })),
      [
        { name: "fd", operator: "==", operand: { kind: "integer", value: -1n } },
        { name: "path", operator: "~", operand: { kind: "string", value: "*.so" } },
        { name: "size", operator: "&", operand: { kind: "integer", value: 16n } },
        { name: "cpu", operator: "&", operand: { kind: "cpus", cpus: [0, 1, 2] } },
      ],
    );
  });

  it("lets && bind before ||", () => {
    const { root } = parseFilter("a == 1 || b == 2 && !(c == 3 || d == 4)");
    assert.equal(shape(root), "(a | (b & !(c | d)))");
  });

  it("drops double negation", () => {
    assert.equal(shape(parseFilter("!!a == 1 && !(!(b == 2))").root), "(a & b)");
  });

  it("names each field once", () => {
    assert.deepEqual(fieldsOf(parseFilter("b == 1 || a == 2 && b != 3")), ["b", "a"]);
  });

  it("gives offsets in the text, not in bytes", () => {
    const text = 'path == "é" && fd == 1';
    const [first, second] = predicatesOf(parseFilter(text).root);
    assert.equal(text.slice(first.start, first.end), 'path == "é"');
    assert.equal(text.slice(second.start, second.end), "fd == 1");
    assert.equal(refusal(text + " &&").offset, text.length + 3);
  });

  it("accepts either sign where the field is unknown", () => {
    parseFilter("a == -9223372036854775808 && b == 18446744073709551615");
    assert.equal(refusal("a == 18446744073709551616").code, "ILLEGAL_INTVAL");
  });

  it("knows what 6.1 does not", () => {
    assert.equal(errorOf(() => parseFilter("cpu & CPUS{0}", "6.1")).code, "INVALID_VALUE");
    assert.equal(errorOf(() => parseFilter("ip.function == x", "6.1")).code, "INVALID_OP");
  });

  it("refuses a filter of a page", () => {
    parseFilter(`${" ".repeat(4089)}fd ==1`);
    assert.match(refusal(`${" ".repeat(4090)}fd ==1`).message, /longer than 4095 bytes/);
  });

  it("takes deep nesting", () => {
    parseFilter(`${"!(".repeat(1300)}a==1${")".repeat(1300)}`);
  });

  it("points at the fault and hints at the remedy", () => {
    const { offset, hint, text } = refusal("fd = 1");
    assert.deepEqual({ offset, hint, text }, {
      offset: 3,
      hint: 'Write "==" for "equals"',
      text: "Invalid operator",
    });
    assert.equal(refusal("fd == 1 and size == 2").hint, 'Join terms with "&&" or "||"');
  });
});

describe("bindFilter", () => {
  it("suggests the field that was meant", () => {
    const { message, hint, offset } = bindRefusal("fd == 1 && sise == 2");
    assert.deepEqual({ message, hint, offset }, {
      message: 'Field not found: "sise"',
      hint: 'Did you mean "size"?',
      offset: 11,
    });
  });

  it("says that a field is unsigned", () => {
    assert.equal(bindRefusal("size == -1").hint, 'Field "size" is unsigned');
  });

  it("reports what comes first, like the kernel", () => {
    assert.equal(bindRefusal("nosuch == 1 && fd = 1").code, "FIELD_NOT_FOUND");
    assert.equal(bindRefusal("nosuch == 1 && (fd = 1").code, "TOO_MANY_OPEN");
  });

  it("attaches the fields, the event's own before the generic ones", () => {
    const comm: FilterField = { ...FIELDS[2], name: "comm" };
    const options = { version: "6.12", cpuCount: 1 } as const;
    const [own] = predicatesOf(bindFilter('comm == "x"', [comm], options).root);
    const [generic] = predicatesOf(bindFilter('comm == "x"', [], options).root);
    assert.equal(own.field, comm);
    assert.equal(generic.field.filterType, "comm");
  });

  it("binds a parsed filter", () => {
    const parsed = parseFilter("fd == 1");
    assert.equal(bindFilter(parsed, FIELDS, { version: "6.12", cpuCount: 1 }).text, "fd == 1");
  });
});

type Node = ReturnType<typeof parseFilter>["root"];

function shape(node: Node): string {
  if (node.kind === "predicate") return node.name;
  if (node.kind === "not") return `!${shape(node.term)}`;
  return `(${node.terms.map(shape).join(node.kind === "and" ? " & " : " | ")})`;
}
