import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../../core/config/config.ts";
import { mistakes } from "./fixture.ts";

describe("the shape of a config", () => {
  it("needs its envelope, and says which", () => {
    const { diagnostics } = parseConfig("probes: {}\n", { file: "f" });
    assert.deepEqual(diagnostics.map(({ message }) => message), [
      'Missing key "apiVersion"',
      'Missing key "kind"',
      'Missing key "metadata"',
    ]);
    assert.match(diagnostics[0].hint ?? "", /apiVersion: sonde\/v1/);
    const other = parseConfig("apiVersion: sonde/v2\nkind: trace\nmetadata: { name: a }\n", {
      file: "f",
    });
    assert.deepEqual(other.diagnostics.map(({ message, hint }) => [message, hint]), [
      ['Expected "sonde/v1", found text "sonde/v2"', 'Did you mean "sonde/v1"?'],
      ['Expected "Trace", found text "trace"', 'Did you mean "Trace"?'],
    ]);
  });

  it("refuses what is no map at all", () => {
    for (const text of ["5", "- a\n- b", "just text", "~"]) {
      const { config, diagnostics } = parseConfig(text, { file: "f" });
      assert.equal(config, undefined);
      assert.match(diagnostics[0].message, /^Expected a map, found /, text);
    }
  });

  it("offers near misses for unknown keys, else what is known", () => {
    assert.deepEqual(mistakes("probs: {}\n"), ['1:1 Unknown key "probs" (Did you mean "probes"?)']);
    assert.match(
      mistakes("probes: { a: { tracepoint: a/b, colour: red } }\n")[0],
      /^1:33 Unknown key "colour" \(Known keys: kprobe, kretprobe, .*enabled/,
    );
    assert.match(mistakes("<<: { a: 1 }\n")[0], /no merge keys/);
  });

  it("does not call a misspelt key missing too", () => {
    assert.deepEqual(mistakes("probes: { a: { kprobe: { symbl: f } } }\n"), [
      '1:26 Unknown key "symbl" (Did you mean "symbol"?)',
    ]);
    assert.deepEqual(mistakes("probes: { a: { kprob: { symbol: f } } }\n"), [
      '1:16 Unknown key "kprob" (Did you mean "kprobe"?)',
    ]);
  });

  it("says what was expected and what was found", () => {
    assert.deepEqual(mistakes("probes: [a]\n"), [
      "1:1 Expected a map, found a list (Write id: value below it)",
    ]);
    assert.deepEqual(mistakes("probes:\n"), [
      "1:1 Expected a map, found nothing (Write {} for an empty map, or remove the key)",
    ]);
    assert.deepEqual(mistakes("probes: { a: { kprobe: do_exit } }\n"), [
      '1:24 Expected a map, found text "do_exit" (Its keys are symbol, offset, module)',
    ]);
    assert.deepEqual(mistakes("probes: { a: { tracepoint: a/b, enabled: yes } }\n"), [
      '1:42 Expected true or false, found text "yes" (YAML 1.2 has no other words for them)',
    ]);
    assert.deepEqual(mistakes("probes: { a: { tracepoint: a/b, filter: 5 } }\n"), [
      '1:41 Expected text, found number 5 (Write it in quotes: "5")',
    ]);
    assert.deepEqual(mistakes("probes: { a: { kretprobe: { symbol: f, max_active: 5000 } } }\n"), [
      "1:52 Expected at most 4096, found number 5000",
    ]);
    assert.deepEqual(mistakes("probes: { a: { kprobe: { symbol: f, offset: 1.5 } } }\n"), [
      "1:45 Expected a whole number, found number 1.5",
    ]);
    assert.deepEqual(mistakes("probes: { a: { kprobe: { symbol: 5 } } }\n"), [
      "1:34 Expected a symbol or a list of symbols, found number 5",
    ]);
    assert.deepEqual(mistakes("defaults: { on_missing: wran }\n"), [
      '1:25 Expected "error", "warn" or "skip", found text "wran"',
    ]);
    assert.deepEqual(mistakes("simulate: { kernel: 6.12 }\n"), [
      '1:21 Expected "6.12", "6.1" or "rfc2022", found number 6.12 (Write it in quotes: "6.12")',
    ]);
  });

  it("names numbers that no number can hold", () => {
    assert.deepEqual(mistakes("simulate: { seed: 18446744073709551615 }\n"), [
      "1:19 Number 18446744073709551615 is out of range",
    ]);
  });

  it("looks into the alternative that was meant", () => {
    assert.deepEqual(
      mistakes("probes: { a: { kprobe: { symbol: f }, capture: { x: { arg: 1, typ: s32 } } } }\n"),
      [
        '1:63 Unknown key "typ" (Did you mean "type"?)',
      ],
    );
    assert.deepEqual(mistakes("probes: { a: { kprobe: { symbol: [f, 5] } } }\n"), [
      '1:38 Expected text, found number 5 (Write it in quotes: "5")',
    ]);
    assert.deepEqual(mistakes("probes: { a: { kprobe: { symbol: [] } } }\n"), [
      "1:26 The list has 0 entries, expected at least 1",
    ]);
  });

  it("wants units on durations and sizes", () => {
    assert.deepEqual(mistakes("defaults: { lease: 10 }\nbuffer: { size: 64KB }\n"), [
      "1:20 Duration 10 has no unit (Write 10ms, for example)",
      '2:17 Unknown unit in size "64KB" (Write 64KiB; units are powers of 1024)',
    ]);
    assert.match(mistakes("buffer: { size: 1B }\n")[0], /out of range/);
  });

  it("wants one kind of a probe, and one place of a uprobe", () => {
    assert.deepEqual(mistakes("probes: { a: { filter: 'x == 1' } }\n"), [
      "1:11 The probe has no kind (Give one of kprobe, kretprobe, uprobe, uretprobe, tracepoint or user_event)",
    ]);
    assert.deepEqual(mistakes("probes: { a: { kprobe: { symbol: f }, tracepoint: a/b } }\n"), [
      "1:11 A probe has one kind, this one has kprobe and tracepoint (Declare a probe for each, with an id of its own)",
    ]);
    assert.deepEqual(mistakes("probes: { a: { uprobe: { path: /bin/a } } }\n"), [
      "1:16 No place in the file is given (Give one of symbol, offset or address)",
    ]);
    assert.deepEqual(
      mistakes("probes: { a: { uretprobe: { path: /bin/a, symbol: f, offset: 4 } } }\n"),
      [
        "1:16 A uprobe has one place, this one has symbol and offset (Give one of symbol, offset or address)",
      ],
    );
  });

  it("leaves a sink's options to its plugin", () => {
    assert.deepEqual(mistakes("sinks: { a: { type: my-plugin, anything: { goes: [1] } } }\n"), []);
    assert.deepEqual(mistakes("sinks: { a: { path: /x } }\n"), ['1:10 Missing key "type"']);
  });
});

describe("names", () => {
  const HOSTILE = [
    "a\\nb",
    "a;b",
    "a#b",
    "a b",
    "a/b",
    "a\\0b",
    "a\\tb",
    "..",
    "é",
    "a".repeat(300),
    "",
    "A",
    "0a",
  ];

  it("are refused where they could become syntax of the kernel", () => {
    for (const name of HOSTILE) {
      const places: Record<string, string> = {
        probe: `probes: { "${name}": { tracepoint: a/b } }\n`,
        user_event: `user_events: { "${name}": {} }\n`,
        sink: `sinks: { "${name}": { type: text } }\n`,
        test: `tests: { "${name}": { expect: {} } }\n`,
      };
      for (const [place, body] of Object.entries(places)) {
        const found = mistakes(body);
        assert.equal(found.length, 1, `${place} ${name}: ${found}`);
        assert.match(found[0], /^1:\d+ .*(not valid|empty|has 300 characters)/s, place);
      }
    }
    for (const name of HOSTILE.filter((name) => !["A", "..", "0a"].includes(name))) {
      const bodies = [
        `probes: { a: { kprobe: { symbol: f }, capture: { "${name}": $arg1 } } }\n`,
        `probes: { a: { kprobe: { symbol: f, module: "${name}" } } }\n`,
        `probes: { a: { tracepoint: "${name}/b" } }\n`,
        `namespaces: { "${name}": {} }\n`,
        // A symbol may be longer than an event's name (KSYM_NAME_LEN).
        ...(name.length < 300 ? [`probes: { a: { kprobe: { symbol: "${name}" } } }\n`] : []),
      ];
      for (const body of bodies) assert.equal(mistakes(body).length, 1, body);
    }
  });

  it("of a trace are what its group can be made of", () => {
    const parse = (name: string) =>
      parseConfig(`apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: "${name}" }\n`, {
        file: "f",
      });
    for (const name of ["a", "edge-1", "a".repeat(40)]) assert.ok(parse(name).config, name);
    for (
      const name of ["", "A", "1a", "a_b", "a-", "-a", "a b", "a/b", "a.b", "a".repeat(41), "a\\nb"]
    ) {
      assert.equal(parse(name).config, undefined, name);
    }
  });

  it("of files are absolute, and hold nothing that ends a definition", () => {
    for (
      const path of [
        "bin/a",
        "",
        "/a b",
        "/a\\nb",
        "/a#b",
        "/a;b",
        "/a\\0b",
        `/${"a".repeat(5000)}`,
      ]
    ) {
      const found = mistakes(`probes: { a: { uprobe: { path: "${path}", symbol: f } } }\n`);
      assert.equal(found.length, 1, path);
      assert.match(found[0], /^1:32 Path/);
    }
    assert.deepEqual(
      mistakes("probes: { a: { uprobe: { path: '/opt/a:b@c', symbol: 'f(int)' } } }\n"),
      [],
    );
  });
});
