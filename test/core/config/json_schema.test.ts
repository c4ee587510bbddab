import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../../core/config/config.ts";
import { configJsonSchema } from "../../../core/config/json_schema.ts";
import { Source } from "../../../core/config/source.ts";
import { toPlain } from "../../../core/config/tree.ts";
import { parseYaml } from "../../../core/config/yaml.ts";
import { Compile } from "typebox/schema";
import { EXAMPLE, HEAD } from "./fixture.ts";

const schema = configJsonSchema();
const validator = Compile(JSON.parse(JSON.stringify(schema)));

function accepts(text: string): boolean {
  return validator.Check(
    JSON.parse(JSON.stringify(toPlain(parseYaml(new Source("f", text)).root!))),
  );
}

interface Node {
  readonly [key: string]: unknown;
}

/** Every schema below `node`, with its path. */
function* schemasIn(node: unknown, path: string): Generator<[string, Node]> {
  if (typeof node !== "object" || node === null) return;
  yield [path, node as Node];
  for (const [key, value] of Object.entries(node)) yield* schemasIn(value, `${path}/${key}`);
}

describe("configJsonSchema", () => {
  it("is plain JSON of draft 2020-12", () => {
    assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
    assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
  });

  it("accepts what the parser accepts", () => {
    for (
      const text of [
        EXAMPLE,
        HEAD,
        `${HEAD}x-note: 1\nprobes: { a: { tracepoint: a/b, x-y: 2 } }\n`,
      ]
    ) {
      assert.ok(parseConfig(text, { file: "f" }).config);
      assert.ok(accepts(text), text);
    }
  });

  it("lets a variable stand in place of any scalar", () => {
    const text = `${HEAD}vars: { n: 5, slow: 10ms, on: true, to: warn, file: /bin/a }
defaults:
  lease: \${var:slow}
  on_missing: \${var:to}
probes:
  a:
    enabled: \${var:on}
    kretprobe:
      symbol: f
      max_active: \${var:n}
  b:
    uprobe:
      path: \${var:file}
      offset: \${env:OFFSET:-64}
`;
    assert.deepEqual(parseConfig(text, { file: "f" }).diagnostics, []);
    assert.ok(accepts(text));
  });

  it("refuses what the parser refuses for its shape", () => {
    for (
      const body of [
        "nope: 1\n",
        "probes: { a: { kprobe: { symbl: f } } }\n",
        "probes: { a: {} }\n",
        "probes: { a: { tracepoint: a/b, kprobe: { symbol: f } } }\n",
        "probes: { 'a b': { tracepoint: a/b } }\n",
        "probes: { a: { tracepoint: a } }\n",
        "probes: { a: { kprobe: { symbol: f }, capture: { x: { arg: 7 } } } }\n",
        "probes: { a: { kretprobe: { symbol: f, max_active: 0 } } }\n",
        "defaults: { on_missing: never }\n",
        "defaults: { lease: 10 }\n",
        "buffer: { size: 64KB }\n",
        "simulate: { kernel: '5.4' }\n",
        "sinks: { a: {} }\n",
      ]
    ) {
      assert.equal(parseConfig(HEAD + body, { file: "f" }).config, undefined, body);
      assert.equal(accepts(HEAD + body), false, body);
    }
    assert.equal(accepts("kind: Trace\n"), false);
  });

  it("describes every key", () => {
    const undescribed: string[] = [];
    for (const [path, { properties }] of schemasIn(schema, "")) {
      if (typeof properties !== "object" || properties === null || path.endsWith("properties")) {
        continue;
      }
      for (const [key, property] of Object.entries(properties as Record<string, Node>)) {
        const { description, $ref } = property;
        if (description === undefined && $ref === undefined) undescribed.push(`${path}/${key}`);
      }
    }
    assert.deepEqual(undescribed, []);
  });
});
