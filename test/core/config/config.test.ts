import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig, probeKind } from "../../../core/config/config.ts";
import { EXAMPLE, HEAD, mistakes, parseBody } from "./fixture.ts";

describe("parseConfig", () => {
  it("takes a config that uses every section", () => {
    const { config, diagnostics } = parseConfig(EXAMPLE, { file: "edge.yaml" });
    assert.deepEqual(diagnostics, []);
    assert.ok(config);
    assert.equal(config.metadata.name, "edge-baseline");
    assert.deepEqual(Object.keys(config.probes), [
      "file_open",
      "open_failed",
      "tls_read",
      "switch",
      "big_order",
    ]);
    assert.equal(probeKind(config.probes.open_failed), "kretprobe");
    assert.equal(config.simulate.calls[0].every, 1_000_000n);
    assert.equal(config.tests.failures_are_seen.expect.open_failed.count, 1);
    assert.equal(config.tests.failures_are_seen.expect.lost, 0);
  });

  it("fills in defaults", () => {
    const { config } = parseBody("");
    assert.ok(config);
    assert.deepEqual(config.sinks, { screen: { type: "text" } });
    assert.equal(config.defaults.on_missing, "error");
    assert.equal(config.simulate.kernel, "6.12");
    assert.deepEqual(config.probes, {});
    assert.equal(config.buffer.size, undefined);
  });

  it("reads durations as nanoseconds and sizes as bytes", () => {
    const { config } = parseBody("defaults: { lease: 1h }\nbuffer: { size: 4MiB }\n");
    assert.equal(config?.defaults.lease, 3_600_000_000_000n);
    assert.equal(config?.buffer.size, 4194304);
  });

  it("keeps 64-bit values exact", () => {
    const { config } = parseBody(`probes:
  a: { uprobe: { path: /bin/a, address: 0xffffffffffffffff } }
  b: { uprobe: { path: /bin/a, offset: 9007199254740993 } }
`);
    assert.equal(config?.probes.a.uprobe?.address, 2n ** 64n - 1n);
    assert.equal(config?.probes.b.uprobe?.offset, 9007199254740993n);
  });

  it("finds mistakes of every kind in one run, in the order of the text", () => {
    assert.deepEqual(
      mistakes(`defaults: { on_mising: warn }
probes:
  a:
    kprobe: { symbol: f, max_active: 3 }
    capture: { x: "$retval" }
    filter: 'x == \${var:nope}'
  b: { tracepoint: sched }
  b: { tracepoint: sched/sched_switch }
`).map((text) => text.replace(/ \(.*/s, "")),
      [
        '1:13 Unknown key "on_mising"',
        '4:26 Unknown key "max_active"',
        "5:20 $retval exists only when the function returns",
        '6:19 Variable "nope" is not defined',
        '7:20 Tracepoint "sched" is not valid',
        '8:3 Duplicate key "b"',
      ],
    );
  });

  it("ignores x-… keys in every map, and expands aliases into them", () => {
    const { config, diagnostics } = parseBody(`x-open: &open { symbol: do_sys_openat2, x-why: hot }
probes:
  a: { kprobe: *open, x-owner: me }
  b: { kretprobe: *open }
`);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(config?.probes.a, { kprobe: { symbol: "do_sys_openat2" }, enabled: true });
  });

  it("makes a number or text of a variable, as the place wants it", () => {
    const { config, diagnostics } = parseBody(
      `vars: { n: 5, id: "77" }
simulate:
  functions: { f: { args: [s32] } }
  calls:
    - function: f
      args:
        - \${var:n}
        - "\${var:n}"
      count: \${env:COUNT:-3}
      process: { pid: 1, comm: "\${var:id}" }
    - function: f
      process:
        pid: \${var:n}
        comm: \${var:id}
`.replace("[s32]", "[s32, string]"),
    );
    assert.deepEqual(diagnostics, []);
    const [first, second] = config?.simulate.calls ?? [];
    assert.deepEqual(first.args, [5, "5"]);
    assert.equal(first.count, 3);
    assert.deepEqual(second.process, { pid: 5, comm: "77" });
  });

  it("says nothing more of a value that could not be expanded", () => {
    assert.deepEqual(
      mistakes("probes: { a: { kprobe: { symbol: '${env:FN}' }, enabled: '${env:ON}' } }"),
      [
        '1:35 Environment variable "FN" is not set (Set it, or give a default: ${env:FN:-value})',
        '1:59 Environment variable "ON" is not set (Set it, or give a default: ${env:ON:-value})',
      ],
    );
  });

  it("refuses text above 1 MiB before it reads it", () => {
    const started = parseConfig(`a: "${"x".repeat(10 * 1024 * 1024)}`, { file: "big.yaml" });
    assert.deepEqual(
      started.diagnostics.map(({ message, code, line }) => ({ message, code, line })),
      [
        { message: "The file is larger than 1 MiB", code: "too_large", line: 0 },
      ],
    );
    assert.deepEqual(started.positionOf(["probes"]), { line: 1, column: 1 });
  });

  it("takes a byte order mark, and counts columns without it", () => {
    const { diagnostics } = parseConfig(`\ufeff${HEAD}probes: 1\n`, { file: "f" });
    assert.deepEqual([diagnostics[0].line, diagnostics[0].column], [4, 9]);
    assert.ok(parseConfig(`\ufeff${HEAD}`, { file: "f" }).config);
  });

  it("shows a hundred mistakes and counts the others", () => {
    const { diagnostics } = parseBody(Array.from({ length: 250 }, (_, i) => `k${i}: 1\n`).join(""));
    assert.equal(diagnostics.length, 101);
    assert.match(diagnostics[100].message, /^150 more mistakes/);
  });

  it("comes to an end on a large file with a mistake in every entry", () => {
    const functions = Array.from({ length: 2000 }, (_, i) => `function_${i}: {}`).join(", ");
    const calls = Array.from({ length: 2000 }, (_, i) => `{ function: funktion_${i} }`).join(", ");
    const { diagnostics } = parseBody(
      `simulate: { functions: { ${functions} }, calls: [${calls}] }\n`,
    );
    assert.equal(diagnostics.length, 101);
    assert.equal(diagnostics[7].hint, 'Did you mean "function_7"?');
  });

  it("tells where a path stands", () => {
    const { positionOf } = parseConfig(EXAMPLE, { file: "f" });
    const found = (path: (string | number)[]) => {
      const { line, column } = positionOf(path);
      return EXAMPLE.split("\n")[line - 1].slice(column - 1);
    };
    assert.match(found(["probes", "file_open"]), /^file_open:$/);
    assert.match(found(["probes", "file_open", "filter"]), /^'dfd == -100'$/);
    assert.match(found(["simulate", "calls", 0, "args", 1]), /^\/etc\/passwd]/);
    assert.match(found(["probes", "nope", "x"]), /^probes:$/);
  });

  it("makes a diagnostic of a mistake that the kernel found, at its part of the text", () => {
    const { diagnose } = parseConfig(EXAMPLE, { file: "f.yaml" });
    const diagnostic = diagnose({
      path: ["probes", "file_open", "capture", "filename"],
      offset: 3,
      length: 5,
      code: "bad_value",
      message: "Refused",
    });
    const { line, column, length, ...said } = diagnostic;
    assert.equal(EXAMPLE.split("\n")[line - 1].slice(column - 1, column - 1 + length!), "$arg2");
    assert.deepEqual(said, {
      severity: "error",
      file: "f.yaml",
      code: "bad_value",
      message: "Refused",
    });
  });

  it("passes a config that has warnings only", () => {
    const { config, diagnostics } = parseBody("probes: { a: { user_event: other_program } }\n");
    assert.ok(config);
    assert.deepEqual(diagnostics.map(({ severity }) => severity), ["warning"]);
  });
});
