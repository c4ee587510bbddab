import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Source, splitLines } from "../../../core/config/source.ts";

describe("Source", () => {
  it("counts lines and columns from 1", () => {
    const source = new Source("f", "ab\ncd\n");
    assert.deepEqual(source.positionAt(0), { line: 1, column: 1 });
    assert.deepEqual(source.positionAt(2), { line: 1, column: 3 });
    assert.deepEqual(source.positionAt(4), { line: 2, column: 2 });
    assert.deepEqual(source.positionAt(6), { line: 3, column: 1 });
  });

  it("takes LF, CR LF and CR as ends of lines, as YAML does", () => {
    const text = "a\r\nb\rc\nd";
    const source = new Source("f", text);
    assert.deepEqual(splitLines(text), ["a", "b", "c", "d"]);
    assert.deepEqual(source.positionAt(text.indexOf("d")), { line: 4, column: 1 });
  });

  it("counts characters, not UTF-16 units", () => {
    const source = new Source("f", "x: 😀 y");
    assert.deepEqual(source.positionAt("x: 😀 ".length), { line: 1, column: 6 });
  });

  it("brings offsets outside of the text into it", () => {
    const source = new Source("f", "ab");
    assert.deepEqual(source.positionAt(-5), { line: 1, column: 1 });
    assert.deepEqual(source.positionAt(99), { line: 1, column: 3 });
  });
});
