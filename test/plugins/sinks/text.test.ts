import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import text from "../../../plugins/sinks/text.ts";
import { outputOf } from "../../support/sink_output.ts";

/** What a terminal may obey: controls, and what turns the direction of text. */
const DANGEROUS = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

describe("the text sink", () => {
  it("writes a line for an event: time, CPU, thread, probe, values", async () => {
    const time = 1_234_000_000_042n;
    const output = await outputOf(text, [
      { args: [7, "/etc/passwd"], comm: "cat", tid: 42, cpu: 1, time },
    ]);
    assert.equal(
      output,
      '1234.000000042 [001] cat/42                 shown            n=7 text="/etc/passwd"\n',
    );
  });

  it("keeps columns in line", async () => {
    const lines = (await outputOf(text, [
      { args: [1, "a"], comm: "sh", tid: 1 },
      { args: [2, "b"], comm: "a-longer-name", tid: 4194304, cpu: 1 },
    ])).trimEnd().split("\n");
    assert.equal(lines[0].indexOf("shown"), lines[1].indexOf("shown"));
    assert.equal(lines[0].indexOf("n="), lines[1].indexOf("n="));
  });

  it("writes integers exactly, and what could not be read as a fault", async () => {
    const output = await outputOf(text, [{ args: [2n ** 64n - 1n, null] }]);
    assert.match(output, / n=18446744073709551615 text=\(fault\)\n$/);
  });

  it("writes arrays", async () => {
    const output = await outputOf(text, [{ args: [0, "", "abcd"] }], {
      capture: '{ bytes: "+0($arg3):u8[4]" }',
    });
    assert.match(output, / bytes=\{97,98,99,100\}\n$/);
  });

  it("marks losses", async () => {
    const calls = Array.from({ length: 500 }, (_, i) => ({ args: [i, "x".repeat(100)], cpu: 1 }));
    const output = await outputOf(text, calls, { bufferKiB: 8 });
    const count = Number(/\*\*\* (\d+) events lost on CPU 1 \*\*\*/.exec(output)?.[1]);
    assert.equal(count + output.split("\n").filter((line) => line.includes("n=")).length, 500);
  });

  it("colours on a terminal, or when it is told to", async () => {
    const calls = [{ args: [1, "a"] }];
    assert.ok(!(await outputOf(text, calls)).includes("\x1b"));
    assert.ok((await outputOf(text, calls, { terminal: true })).includes("\x1b["));
    assert.ok((await outputOf(text, calls, { options: { color: true } })).includes("\x1b["));
    const plain = await outputOf(text, calls, { terminal: true, options: { color: false } });
    assert.ok(!plain.includes("\x1b"));
  });

  it("lets no value reach the terminal as a command", async () => {
    const evil = [
      "\x1b[2J\x1b]0;owned\x07",
      "\r\nfaked line",
      "\x00\x01\x08\x7f",
      "\u009b31m",
      "\u202egpj.exe\u2066",
      "\u2028\u2029",
    ];
    for (const value of evil) {
      const output = await outputOf(text, [{ args: [1, value], comm: value.slice(0, 15) }]);
      assert.doesNotMatch(output, DANGEROUS, JSON.stringify(value));
      assert.equal(output.trimEnd().split("\n").length, 1);
    }
  });

  it("lets no byte of any text reach the terminal as a command", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "binary", maxLength: 40 }), { minLength: 1, maxLength: 20 }),
        async (values) => {
          const output = await outputOf(
            text,
            values.map((value) => ({ args: [1, value], comm: value.slice(0, 5) })),
          );
          assert.doesNotMatch(output, DANGEROUS);
          assert.equal(output.split("\n").length, values.length + 1);
        },
      ),
      { seed: 11, numRuns: 20 },
    );
  });
});
