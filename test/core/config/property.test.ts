import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseConfig } from "../../../core/config/config.ts";
import { formatDiagnostic } from "../../../core/config/diagnostic.ts";
import { EXAMPLE, HEAD } from "./fixture.ts";

const SETTINGS = { seed: 20261122, numRuns: 300 };

/** Parses, formats every diagnostic, and checks that each stands in the text. */
function survives(text: string): void {
  const { config, diagnostics, positionOf } = parseConfig(text, { file: "f", env: { A: text } });
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  for (const diagnostic of diagnostics) {
    const { line, column, message } = diagnostic;
    if (line !== 0) {
      assert.ok(line >= 1 && line <= lines.length, `${line} of ${lines.length}: ${message}`);
      const { length } = Array.from(lines[line - 1]);
      assert.ok(column >= 1 && column <= length + 1, `${line}:${column} ${message}`);
    }
    assert.notEqual(formatDiagnostic(diagnostic, text), "");
  }
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(config === undefined, errors.length > 0);
  positionOf(["probes", "a", 0, "b"]);
}

/** Text with a piece of it replaced, doubled or cut out. */
function mutated(base: string): fc.Arbitrary<string> {
  const position = fc.nat(base.length);
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom(
      "\n",
      "\t",
      ": ",
      "- ",
      "&a ",
      "*a",
      "!!str ",
      "${var:slow}",
      "${env:A}",
      "${",
      "'",
      '"',
      "{",
      "}",
      "[",
      "]",
      "|\n",
      "x-",
      "<<: ",
      "---\n",
      "#",
      "null",
      "1e999",
      "-1",
      "$arg9",
      "+0(",
      "probes",
      "kprobe: {",
      "\u0000",
      "\u202e",
      "\ud800",
      "😀",
    ),
  );
  return fc.array(fc.tuple(position, fc.nat(12), piece), { minLength: 1, maxLength: 4 }).map(
    (edits) =>
      edits.reduce(
        (text, [at, cut, insert]) => text.slice(0, at) + insert + text.slice(at + cut),
        base,
      ),
  );
}

/** YAML of any shape under the keys of a config. */
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, "", "a", "$arg1", "ret < 0", "1ms", "a/b"),
    fc.string(),
    fc.integer(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        "kprobe",
        "uprobe",
        "symbol",
        "path",
        "capture",
        "filter",
        "arg",
        "type",
        "calls",
        "expect",
        "fields",
        "function",
        "user_event",
        "namespace",
        "process",
        "args",
        "records",
        "a",
        "lost",
        "constructor",
        "toString",
        "hasOwnProperty",
        "functions",
        "executables",
        "executable",
      ),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

describe("parseConfig", () => {
  it("never throws on arbitrary text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), survives), SETTINGS);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => survives(HEAD + text)),
      SETTINGS,
    );
  });

  it("never throws on a config with mistakes in it", () => {
    fc.assert(fc.property(mutated(EXAMPLE), survives), SETTINGS);
  });

  it("never throws on values of any shape", () => {
    const section = fc.constantFrom(
      "vars",
      "defaults",
      "namespaces",
      "user_events",
      "probes",
      "sinks",
      "buffer",
      "simulate",
      "tests",
    );
    // JSON is YAML, but for what js-yaml refuses to print.
    const config = fc.dictionary(section, anyValue).map((sections) =>
      Object.entries(sections).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("")
    );
    fc.assert(fc.property(config, (text) => survives(HEAD + text)), { ...SETTINGS, numRuns: 500 });
  });
});
