import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { call } from "../support/call.ts";
import { Scratch, sonde } from "../support/cli.ts";
import {
  BACKEND_PLUGIN,
  IS_ROOT,
  makePluginDirectory,
  SINK_PLUGIN,
  writePlugin,
} from "../support/plugin_file.ts";

const scratch = new Scratch();
const plugins = makePluginDirectory();
after(() => {
  scratch.remove();
  plugins.remove();
});

const sink = writePlugin(plugins.path, SINK_PLUGIN, "sink.ts");
const backend = writePlugin(plugins.path, BACKEND_PLUGIN, "backend.ts");

function config(sinks: string, name: string): string {
  return scratch.config(
    `
probes: { count: { kprobe: { symbol: count }, capture: { n: "$arg1:u32" } } }
sinks: { ${sinks} }
simulate:
  functions: { count: { args: [u64] } }
  calls: [{ function: count, args: [7], count: 2 }]
`,
    name,
  );
}

describe("a sink from outside", () => {
  it("is found by its name, gets its options and the file of its path", async () => {
    const path = join(scratch.path, "lines.txt");
    const file = config(`out: { type: lines, prefix: "> ", path: ${path} }`, "sink.yaml");
    const args = ["run", file, "--backend", "simulated", "--plugin", sink];
    const { code, stderr } = await call(...args);
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(path, "utf8"), "> count 7\n> count 7\n");
  });

  it("writes to standard output, loaded into a process of its own", async () => {
    const file = config("out: { type: lines }", "stdout.yaml");
    const result = await sonde("run", file, "--backend", "simulated", "--plugin", sink);
    assert.deepEqual([result.code, result.stdout], [0, "count 7\ncount 7\n"]);
  });

  it("has its options checked, each wrong one at its place", async () => {
    const file = config("out: { type: lines, prefix: 5, colour: red }", "options.yaml");
    for (const command of [["validate", file], ["run", file, "--backend", "simulated"]]) {
      const { code, stderr } = await call(...command, "--plugin", sink);
      assert.equal(code, 78);
      assert.match(stderr, /options\.yaml:6:38: error: .*string/);
      assert.match(stderr, /options\.yaml:6:4\d: error: sink "lines" has no option "colour"/);
    }
  });

  it("is not known without --plugin", async () => {
    const file = config("out: { type: lines }", "unknown.yaml");
    const { code, stderr } = await call("validate", file);
    assert.equal(code, 78);
    assert.match(stderr, /unknown\.yaml:6:23: error: There is no sink "lines"/);
    assert.match(stderr, /hint: .*text.*jsonl/);
  });
});

describe("a backend from outside", () => {
  it("builds on a built-in one, with its own options", async () => {
    const file = config(`out: { type: text, path: ${join(scratch.path, "b.txt")} }`, "back.yaml");
    const args = ["run", file, "--plugin", backend, "--backend", "noisy"];
    const { code, stderr } = await call(...args, "--backend-option", "word=doing");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^doing \d+$/m);
    assert.match(stderr, /^2 events, none lost$/m);
  });

  it("has its options checked", async () => {
    const file = config("", "back2.yaml");
    const args = ["plan", file, "--plugin", backend, "--backend", "noisy"];
    for (const option of ["word=5", "wort=x"]) {
      const { code, stderr } = await call(...args, "--backend-option", option);
      assert.equal(code, 2);
      assert.match(stderr, /Bad options of backend "noisy" at "wor[dt]"/);
    }
  });
});

describe("--plugin", () => {
  it("may be given again and again, and list shows all", async () => {
    const args = ["list", "plugins", "--plugin", sink, "--plugin", backend];
    const { code, stdout } = await call(...args, "--format", "json");
    assert.equal(code, 0);
    const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
    for (const name of ["tracefs", "simulated", "text", "jsonl", "lines", "noisy"]) {
      assert.ok(names.includes(name), name);
    }
  });

  it("says what is wrong with a file, and ends with 2", async () => {
    const wrong: [text: string, message: RegExp][] = [
      ["export default () => ({});", /version undefined of the plugin interface/],
      ["export const apiVersion = 1;", /no default export/],
      [
        'export const apiVersion = 1; export default () => { throw new Error("no luck"); };',
        /factory failed: no luck/,
      ],
      ["export const apiVersion = 1; export default () => 5;", /gave no plugin/],
    ];
    for (const [index, [text, message]] of wrong.entries()) {
      const file = writePlugin(plugins.path, text, `wrong${index}.ts`);
      const { code, stdout, stderr } = await call("list", "plugins", "--plugin", file);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /);
    }
    const taken = await call("list", "plugins", "--plugin", sink, "--plugin", sink);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /There is a sink called "lines" already/);
  });

  it("does not run what others could have written, as root", {
    skip: IS_ROOT ? false : "only root's plugins are vetted",
  }, async () => {
    const file = writePlugin(plugins.path, "throw new Error('it ran');", "writable.ts");
    chmodSync(file, 0o666);
    const { code, stderr } = await call("list", "plugins", "--plugin", file);
    assert.equal(code, 2);
    assert.match(stderr, /Refused to load plugin .* as root: .* can be written by others/);
    assert.match(stderr, /hint: .*only root can write/);
  });
});
