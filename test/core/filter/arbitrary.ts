/** Filters for property tests and for comparisons with real kernels. */
import fc from "fast-check";
import type { FilterField } from "../../../core/filter/field.ts";

const OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "&", "~"] as const;
const GENERIC = ["comm", "COMM", "cpu", "CPU", "common_cpu", "common_pid", "common_type"];

/** Filters that mostly fit `fields`, many of them with a mistake or two. */
export function filterText(fields: readonly FilterField[]): fc.Arbitrary<string> {
  const names = [...fields.map(({ name }) => name), ...GENERIC];
  const sound = expression(predicate(fc.constantFrom(...names)));
  return fc.oneof(
    { arbitrary: sound, weight: 2 },
    { arbitrary: expression(wildPredicate(names)), weight: 2 },
    { arbitrary: sound.chain(damage), weight: 3 },
    { arbitrary: fc.string({ unit: fc.constantFrom(...`ab1 ()!&|=<>~"'{}-,.\\*`) }), weight: 1 },
  );
}

/** Filters that an event with `fields` takes, apart from values out of range. */
export function soundFilter(fields: readonly FilterField[]): fc.Arbitrary<string> {
  return expression(fc.constantFrom(...fields).chain(fittingPredicate));
}

function expression(term: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      term,
      fc.tuple(space, tie("node"), space).map(([a, node, b]) => `(${a}${node}${b})`),
      fc.tuple(space, tie("node")).map(([a, node]) => `!${a}(${node})`),
      term.map((text) => `!${text}`),
      fc.tuple(tie("node"), space, fc.constantFrom("&&", "||"), space, tie("node"))
        .map((parts) => parts.join("")),
    ),
  }));
  return node;
}

const space = fc.constantFrom("", "", " ", " ", "  ", "\t");

const integer = fc.oneof(
  fc.integer({ min: -3, max: 300 }).map(String),
  fc.bigInt({ min: -(1n << 64n), max: 1n << 65n }).map(String),
  fc.bigInt({ min: 0n, max: 1n << 64n }).map((value) => `0x${value.toString(16)}`),
  fc.bigInt({ min: 0n, max: 1n << 34n }).map((value) => `0${value.toString(8)}`),
  fc.constantFrom("0", "-1", "255", "256", "0xff", "4294967295", "08", "0x", "1x", "-", "--1"),
);

const quotable = fc.string({ unit: fc.constantFrom(..."ab1*?[]!-\\ é"), maxLength: 6 });
const string = fc.oneof(quotable.map((text) => `"${text}"`), quotable.map((text) => `'${text}'`));

const cpus = fc.constantFrom("0", "1", "0-1", "0,1", "2", "N", "all", "", "a", "0-1:1/2", " 1 ")
  .map((list) => `CPUS{${list}}`);

function predicate(name: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const operator = fc.constantFrom(...OPERATORS);
  const operand = fc.oneof(integer, string, cpus);
  return fc.tuple(name, space, operator, space, operand).map((parts) => parts.join(""));
}

function wildPredicate(names: readonly string[]): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names, "nosuch", "", "a-b", "9");
  const suffix = fc.constantFrom("", "", "", ".ustring", ".function", ".nosuch");
  const operator = fc.constantFrom(...OPERATORS, "=", "=>", "&&", "");
  const operand = fc.oneof(integer, string, cpus, fc.constantFrom("", "abc", "CPUS", "CPUS{0"));
  return fc.tuple(name, suffix, space, operator, space, operand).map((parts) => parts.join(""));
}

function fittingPredicate(field: FilterField): fc.Arbitrary<string> {
  const isString = field.filterType.endsWith("string");
  const operator = isString
    ? fc.constantFrom("==", "!=", "~")
    : fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "&");
  const bits = BigInt(field.size * 8);
  const operand = isString
    ? string
    : field.signed
    ? fc.bigInt({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }).map(String)
    : fc.bigInt({ min: 0n, max: (1n << bits) - 1n }).map(String);
  return fc.tuple(fc.constant(field.name), space, operator, space, operand)
    .map((parts) => parts.join(""));
}

/** Takes characters out, doubles some, or puts others in. */
function damage(text: string): fc.Arbitrary<string> {
  const edit = fc.tuple(
    fc.nat(text.length),
    fc.nat(2),
    fc.constantFrom("", "", "(", ")", "!", '"', "'", "&", "|", "=", " ", "{", "}", "x", "1", "é"),
  );
  return fc.array(edit, { minLength: 1, maxLength: 2 }).map((edits) =>
    edits.reduce((result, [at, count, put]) => {
      return result.slice(0, at) + put + result.slice(at + count);
    }, text)
  );
}
