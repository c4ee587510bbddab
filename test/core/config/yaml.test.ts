import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Source } from "../../../core/config/source.ts";
import { keySpanOf, locate, type Path, spanOf, toPlain } from "../../../core/config/tree.ts";
import { parseYaml, type YamlNode } from "../../../core/config/yaml.ts";

function read(text: string): YamlNode {
  const { root, problems } = parseYaml(new Source("f", text));
  assert.deepEqual(problems, []);
  assert.ok(root);
  return root;
}

/** JSON with bigints as text, since maps of a tree have no prototype. */
function plain(text: string): unknown {
  return JSON.parse(
    JSON.stringify(toPlain(read(text)), (_, v) => typeof v === "bigint" ? `${v}n` : v),
  );
}

function problemsOf(text: string): string[] {
  const source = new Source("f", text);
  return parseYaml(source).problems.map(({ span, message }) => {
    const { line, column } = source.positionAt(span.start);
    return `${line}:${column} ${message}`;
  });
}

function placeOf(text: string, path: Path): string {
  const { start, end } = spanOf(read(text), path);
  return text.slice(start, end);
}

describe("parseYaml", () => {
  it("reads the core schema of YAML 1.2", () => {
    assert.deepEqual(plain("a: 1\nb: -0x1F\nc: 0o17\nd: 1.5\ne: true\nf: null\ng: ~\nh:\n"), {
      a: 1,
      b: "-0x1F", // hexadecimal has no sign in YAML 1.2
      c: 15,
      d: 1.5,
      e: true,
      f: null,
      g: null,
      h: null,
    });
    assert.deepEqual(plain("a: yes\nb: no\nc: on\nd: 0777\ne: 1_000\nf: 12:30:45\ng: 2026-01-01"), {
      a: "yes",
      b: "no",
      c: "on",
      d: 777,
      e: "1_000",
      f: "12:30:45",
      g: "2026-01-01",
    });
  });

  it("keeps integers above 2^53 exact", () => {
    assert.deepEqual(
      plain("a: 18446744073709551615\nb: -9007199254740993\nc: 0xffffffffffffffff"),
      {
        a: "18446744073709551615n",
        b: "-9007199254740993n",
        c: "18446744073709551615n",
      },
    );
  });

  it("reads quoted and tagged scalars as text", () => {
    assert.deepEqual(plain("a: '1'\nb: \"\\ttrue\"\nc: !!str 1\nd: |\n  x\n  y\n"), {
      a: "1",
      b: "\ttrue",
      c: "1",
      d: "x\ny\n",
    });
  });

  it("drops extension keys, aliases into them included", () => {
    assert.deepEqual(plain("x-base: &b { a: 1 }\nc: *b\nd: { x-note: hi, e: 2 }"), {
      c: { a: 1 },
      d: { e: 2 },
    });
  });

  it("reports every duplicate key at its place", () => {
    assert.deepEqual(problemsOf("a: 1\nb: { c: 1, c: 2 }\na: 3\n"), [
      '2:12 Duplicate key "c"',
      '3:1 Duplicate key "a"',
    ]);
  });

  it("reports syntax errors at their place", () => {
    assert.match(problemsOf("a:\n\tb: 1\n")[0], /^2:\d+ Cannot read YAML: .*tab/);
    assert.match(problemsOf("a: [1, 2\n")[0], /^\d:\d+ Cannot read YAML: /);
    assert.match(problemsOf('a: "x')[0], /unexpected end/);
    assert.match(problemsOf("a: \0")[0], /^1:4 .*null byte/);
    assert.match(problemsOf("a: \x07")[0], /non-printable/);
  });

  it("refuses what has no meaning in a config", () => {
    assert.deepEqual(problemsOf(""), ["1:1 The file is empty"]);
    assert.deepEqual(problemsOf("# nothing\n"), ["1:1 The file is empty"]);
    assert.deepEqual(problemsOf("a: 1\n---\nb: 2\n"), [
      "3:1 Expected one YAML document, found more",
    ]);
    assert.deepEqual(problemsOf("a: !!binary QQ==\n"), ['1:4 Tag "!!binary" is not supported']);
    assert.deepEqual(problemsOf("a: !js/function x\n"), [
      '1:4 Tag "!js/function" is not supported',
    ]);
    assert.deepEqual(problemsOf("[a]: 1\n"), ["1:1 A key must be text"]);
    assert.deepEqual(problemsOf("__proto__: 1\n"), ['1:1 Key "__proto__" is not allowed']);
    assert.deepEqual(problemsOf("a: *b\n"), ['1:4 Unknown alias "b"']);
    assert.deepEqual(problemsOf("a: &b [*b]\n"), ['1:8 Alias "b" stands for itself']);
  });

  it("keeps keys of Object.prototype apart from the map's own", () => {
    const tree = toPlain(read("constructor: 1\ntoString: 2\n"));
    assert.deepEqual(Object.entries(tree as object), [["constructor", 1], ["toString", 2]]);
  });

  it("bounds depth, and what aliases expand to", () => {
    assert.match(problemsOf("[".repeat(100))[0], /nesting exceeded/);
    const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++) bomb.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join()}]`);
    const problems = problemsOf(bomb.join("\n"));
    assert.equal(problems.length, 1);
    assert.match(problems[0], /Aliases expand to more than/);
  });
});

describe("places in a tree", () => {
  const text = [
    "a: { b: 'one', c: [x, \"y\"] }",
    "d:",
    "  e: |",
    "    block",
    "f:",
  ].join("\n");

  it("gives a scalar with its quotes, and the key of a map or list", () => {
    assert.equal(placeOf(text, ["a", "b"]), "'one'");
    assert.equal(placeOf(text, ["a", "c", 1]), '"y"');
    assert.equal(placeOf(text, ["a", "c"]), "c");
    assert.equal(placeOf(text, ["d"]), "d");
    assert.equal(placeOf(text, ["d", "e"]), "block");
  });

  it("gives the key of an empty value, and of a path the nearest that exists", () => {
    assert.equal(placeOf(text, ["f"]), "f");
    assert.equal(placeOf(text, ["a", "zz", "q"]), "a");
    assert.equal(locate(read(text), ["a", "zz"]).exact, false);
    const { start, end } = keySpanOf(read(text), ["a", "b"]);
    assert.equal(text.slice(start, end), "b");
  });

  it("places what an alias stands for where it is written", () => {
    const aliased = "x-a: &a { b: 1 }\nc: *a\n";
    assert.equal(placeOf(aliased, ["c", "b"]), "1");
    assert.equal(spanOf(read(aliased), ["c", "b"]).start, aliased.indexOf("1"));
    assert.equal(placeOf(aliased, ["c"]), "c");
  });
});
