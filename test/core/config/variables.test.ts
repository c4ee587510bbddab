import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Source } from "../../../core/config/source.ts";
import { toPlain, valueAt } from "../../../core/config/tree.ts";
import { type Environment, expandVariables } from "../../../core/config/variables.ts";
import { parseYaml } from "../../../core/config/yaml.ts";

function expand(text: string, env: Environment = {}) {
  const source = new Source("f", text);
  const { root, problems } = parseYaml(source);
  assert.deepEqual(problems, []);
  const expansion = expandVariables(root!, env);
  return {
    value: toPlain(expansion.root),
    problems: expansion.problems.map(({ span, message, hint }) => {
      const { line, column } = source.positionAt(span.start);
      return `${line}:${column} ${message}${hint ? ` (${hint})` : ""}`;
    }),
  };
}

/** What `text` becomes as a value. */
function one(text: string, env: Environment = {}): unknown {
  const { value, problems } = expand(`vars: { n: 5, s: abc, q: "7" }\na: ${text}\n`, env);
  assert.deepEqual(problems, []);
  return valueAt(value, ["a"]);
}

describe("expandVariables", () => {
  it("expands variables of the file and of the environment", () => {
    assert.equal(one("${var:s}"), "abc");
    assert.equal(one("<${var:s}-${env:HOME}>", { HOME: "/root" }), "<abc-/root>");
    assert.equal(one("${env:A:-x y}"), "x y");
    assert.equal(one("${env:A:-x}", { A: "1y" }), "1y");
    assert.equal(one("${env:A:-x}", { A: "" }), "x");
    assert.equal(one("${env:A:-${env:B:-${var:s}}}"), "abc");
  });

  it("reads a plain scalar again, and leaves a quoted one text", () => {
    assert.equal(one("${var:n}"), 5);
    assert.equal(one("'${var:n}'"), "5");
    assert.equal(one("1${var:n}"), 15);
    assert.equal(one("${var:q}"), 7);
    assert.equal(one("${env:A:-true}"), true);
    assert.equal(one("${env:A:-}"), "");
  });

  it("never makes structure", () => {
    assert.equal(one("${env:A}", { A: "{ b: 1 }" }), "{ b: 1 }");
    assert.equal(one("${env:A}", { A: "x\nb: 1\n- *c" }), "x\nb: 1\n- *c");
  });

  it("takes $$ for a $, and leaves other $ alone", () => {
    assert.equal(one("$arg1:s32"), "$arg1:s32");
    assert.equal(one("'+0($arg2):ustring'"), "+0($arg2):ustring");
    assert.equal(one("'$${env:A} costs $$5 $'"), "${env:A} costs $5 $");
    assert.equal(one("$$$$"), "$$");
  });

  it("does not expand what an expansion makes", () => {
    assert.equal(one("${env:A}", { A: "${var:n}$$" }), "${var:n}$$");
  });

  it("reports what is not defined, at its place, with what would help", () => {
    assert.deepEqual(expand("vars: { slow: 1ms }\na: x ${var:slo} ${env:NOPE}\n").problems, [
      '2:6 Variable "slo" is not defined (Did you mean "slow"?)',
    ]);
    assert.deepEqual(expand("a: 'y ${env:NOPE}'\n").problems, [
      '1:7 Environment variable "NOPE" is not set (Set it, or give a default: ${env:NOPE:-value})',
    ]);
    assert.match(expand("a: '${toString}'\n").problems[0], /Cannot read variable/);
    assert.match(expand("a: '${var:constructor}'\n").problems[0], /is not defined/);
    assert.match(expand("a: '${env:toString}'\n").problems[0], /is not set/);
    assert.match(expand("a: '${var:x'\n").problems[0], /Missing "}"/);
    assert.match(expand("vars: { x: 1 }\na: '${var:x:-2}'\n").problems[0], /cannot have a default/);
  });

  it("reports a broken variable once, at its definition", () => {
    const { problems } = expand("vars: { u: '${env:NOPE}' }\na: '${var:u}'\nb: '${var:u}'\n");
    assert.equal(problems.length, 1);
    assert.match(problems[0], /^1:13 Environment variable "NOPE"/);
  });

  it("refuses cycles, and names them", () => {
    const { problems } = expand("vars: { a: '${var:b}', b: '${var:c}', c: '-${var:a}' }\n");
    assert.equal(problems.length, 1);
    assert.match(problems[0], /stands for itself: a -> b -> c -> a/);
    assert.match(expand("vars: { a: '${var:a}' }\n").problems[0], /a -> a/);
  });

  it("expands what aliases stand for once, and extension keys only through aliases", () => {
    const { value, problems } = expand(
      "x-a: { b: '${env:NOPE}' }\nx-c: &c ['${env:NO}']\nd: *c\ne: *c\n",
    );
    assert.equal(problems.length, 1);
    assert.match(problems[0], /^2:11 .*"NO"/);
    assert.deepEqual(Object.keys(value as object), ["d", "e"]);
  });

  it("bounds variables that double each other, and nesting", () => {
    const doubling = Array.from(
      { length: 40 },
      (_, i) => `  v${i + 1}: "\${var:v${i}}\${var:v${i}}"`,
    );
    const doubled = expand(`vars:\n  v0: "0123456789"\n${doubling.join("\n")}\n`);
    assert.match(doubled.problems.join(), /Text is longer than|nested deeper/);
    const deep = "${env:A:-".repeat(500) + "}".repeat(500);
    assert.match(expand(`a: "${deep}"\n`).problems[0], /nested deeper/);
    const uses = Array.from({ length: 100 }, (_, i) => `  - "${i} \${var:v}"`).join("\n");
    const wide = expand(`vars: { v: "${"x".repeat(60_000)}" }\na:\n${uses}\n`);
    assert.match(wide.problems[0], /more than 4194304 characters/);
  });
});
