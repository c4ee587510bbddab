import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import jsonl from "../../../plugins/sinks/jsonl.ts";
import { outputOf } from "../../support/sink_output.ts";

describe("the jsonl sink", () => {
  it("writes an event as one object on a line, with its keys in order", async () => {
    const output = await outputOf(jsonl, [
      { args: [7, "/etc/passwd"], comm: "cat", tid: 42, cpu: 1, time: 1_234_000_000_042n },
    ]);
    assert.equal(
      output,
      '{"type":"event","time_ns":1234000000042,"cpu":1,"tid":42,"comm":"cat","probe":"shown",' +
        '"event":"sonde_edge/shown","args":{"n":7,"text":"/etc/passwd"}}\n',
    );
  });

  it("writes integers and times exactly, beyond 2^53 too", async () => {
    const values = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
    const start = 2n ** 60n + 1n;
    const output = await outputOf(
      jsonl,
      values.map((value, i) => ({ args: [value, ""], time: start + BigInt(i) })),
    );
    const lines = output.trimEnd().split("\n");
    assert.deepEqual(lines.map((line) => /"n":(\d+)/.exec(line)?.[1]), values.map(String));
    assert.deepEqual(
      lines.map((line) => /"time_ns":(\d+)/.exec(line)?.[1]),
      values.map((_, i) => String(start + BigInt(i))),
    );
  });

  it("writes negative integers, faults and arrays", async () => {
    const capture = '{ n: "$arg1:s64", half: "$arg1:s16", text: "+0($arg2):ustring" }';
    const [line] = (await outputOf(jsonl, [{ args: [-(2n ** 63n), null] }], { capture })).split(
      "\n",
    );
    assert.match(line, /"args":\{"n":-9223372036854775808,"half":0,"text":null\}\}$/);
    const bytes = await outputOf(jsonl, [{ args: [0, "", "ab"] }], {
      capture: '{ bytes: "+0($arg3):s8[3]" }',
    });
    assert.match(bytes, /"args":\{"bytes":\[97,98,0\]\}\}\n$/);
  });

  it("writes losses", async () => {
    const calls = Array.from({ length: 500 }, (_, i) => ({ args: [i, "x".repeat(100)], cpu: 1 }));
    const lines = (await outputOf(jsonl, calls, { bufferKiB: 8 })).trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    const losses = lines.filter(({ type }) => type === "lost");
    const lost = losses.reduce((sum, { count }) => sum + count, 0);
    assert.ok(losses.every(({ cpu }) => cpu === 1));
    assert.equal(lost + lines.filter(({ type }) => type === "event").length, 500);
    assert.match(JSON.stringify(losses[0]), /^\{"type":"lost","cpu":1,"count":\d+\}$/);
  });

  it("writes lines that any JSON parser reads back, whatever the text", async () => {
    // The kernel shows an empty user string as a fault (mm/maccess.c, strncpy_from_user_nofault).
    const value = fc.string({ unit: "binary", maxLength: 40 }).map((text) =>
      `${text.replaceAll("\0", "").toWellFormed()}.`
    );
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), async (values) => {
        const output = await outputOf(
          jsonl,
          values.map((text, i) => ({ args: [i, text], tid: 100 + i, comm: text.slice(0, 3) })),
        );
        const records = output.trimEnd().split("\n").map((line) => JSON.parse(line));
        assert.deepEqual(records.map(({ args }) => args.text), values);
        assert.deepEqual(records.map(({ args }) => args.n), values.map((_, i) => i));
      }),
      { seed: 12, numRuns: 20 },
    );
  });
});
