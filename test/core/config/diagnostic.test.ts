import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Diagnostic, formatDiagnostic } from "../../../core/config/diagnostic.ts";

function diagnostic(more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    severity: "error",
    file: "f.yaml",
    line: 2,
    column: 3,
    message: "Unknown key",
    code: "unknown_key",
    ...more,
  };
}

describe("formatDiagnostic", () => {
  it("prints the place, the line, a caret and the hint", () => {
    const text = formatDiagnostic(
      diagnostic({ length: 5, hint: 'Did you mean "symbol"?' }),
      "a:\n  symbl: x\n",
    );
    assert.equal(
      text,
      [
        "f.yaml:2:3: error: Unknown key",
        "  symbl: x",
        "  ^^^^^",
        'hint: Did you mean "symbol"?',
      ].join("\n"),
    );
  });

  it("prints no line for a file as a whole", () => {
    const text = formatDiagnostic(diagnostic({ line: 0, column: 0 }), "a\nb");
    assert.equal(text, "f.yaml: error: Unknown key");
  });

  it("keeps tabs before the caret, and makes room for wide and combining characters", () => {
    const tabs = formatDiagnostic(diagnostic({ line: 1, column: 4 }), "\ta\tx");
    assert.equal(tabs.split("\n")[2], "\t \t^");
    const wide = formatDiagnostic(diagnostic({ line: 1, column: 3, length: 1 }), "日本x");
    assert.equal(wide.split("\n")[2], "    ^");
    const marked = formatDiagnostic(diagnostic({ line: 1, column: 2, length: 2 }), "a日本");
    assert.equal(marked.split("\n")[2], " ^^^^");
    const combining = formatDiagnostic(diagnostic({ line: 1, column: 3 }), "e\u0301x");
    assert.equal(combining.split("\n")[2], " ^");
  });

  it("cuts long lines around the mistake", () => {
    const line = `${"a".repeat(500)}X${"b".repeat(500)}`;
    const [, quoted, caret] = formatDiagnostic(
      diagnostic({ line: 1, column: 501, length: 1 }),
      line,
    ).split("\n");
    assert.ok(quoted.length <= 102, quoted);
    assert.ok(quoted.startsWith("…aa") && quoted.endsWith("bb…"), quoted);
    assert.equal(quoted[caret.indexOf("^")], "X");
  });

  it("never marks more than the line that is shown", () => {
    const [, quoted, caret] = formatDiagnostic(
      diagnostic({ line: 1, column: 1, length: 4000 }),
      "a".repeat(4000),
    ).split("\n");
    assert.ok(caret.length <= quoted.length);
  });

  it("shows nothing that a terminal would obey", () => {
    const text = formatDiagnostic(
      diagnostic({ line: 1, column: 1, message: "bad \x1b[2J\nname", hint: "\u202eabc" }),
      "a\x1b[31m\u0007",
    );
    for (const control of ["\x1b", "\x07", "\u202e"]) assert.ok(!text.includes(control));
    assert.equal(text.split("\n").length, 4);
  });

  it("survives places that are not in the text", () => {
    assert.equal(
      formatDiagnostic(diagnostic({ line: 9, column: 9 }), "a"),
      "f.yaml:9:9: error: Unknown key",
    );
    assert.equal(
      formatDiagnostic(diagnostic({ line: 1, column: 9 }), "a").split("\n")[2],
      " ^",
    );
  });

  it("colours on demand only", () => {
    const warning = diagnostic({ severity: "warning" });
    assert.ok(!formatDiagnostic(warning, "a\nb").includes("\x1b"));
    const coloured = formatDiagnostic(warning, "a\nb", { color: true });
    assert.ok(coloured.includes("\x1b[1;33mwarning:\x1b[0m"), coloured);
  });
});
