import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { call, callOn } from "../support/call.ts";
import { Scratch, sonde } from "../support/cli.ts";
import { hostState, makeKernel, startOtherTool, startSonde } from "../support/host.ts";
import { IS_ROOT } from "../support/plugin_file.ts";

const scratch = new Scratch();
after(() => scratch.remove());

const HEAD = "apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: edge }\n";

/** Files that are no config, and what is said of them. */
const BAD_FILES: [path: string, message: RegExp][] = [
  [join(scratch.path, "nothing.yaml"), /Cannot read the file: there is no such file/],
  [scratch.path, /it is a directory/],
  [join(scratch.write("file", ""), "below"), /is not a directory/],
  [scratch.write("empty.yaml", ""), /./],
  [scratch.write("tabs.yaml", `${HEAD}probes:\n\tx: 1\n`), /:5:\d+: error/],
  [scratch.write("open.yaml", `${HEAD}probes: {\n`), /error/],
  [scratch.write("binary.yaml", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0xff, 0, 0xfe])), /error/],
  [scratch.write("utf16.yaml", new Uint8Array([0xff, 0xfe, 0x61, 0])), /UTF-16/],
  [scratch.write("big.yaml", `${HEAD}# ${"x".repeat(10 * 1024 * 1024)}\n`), /larger than 1 MiB/],
  [scratch.write("list.yaml", "- 1\n- 2\n"), /error/],
  [scratch.write("two.yaml", `${HEAD}---\n${HEAD}`), /error/],
];

/** Each level holds the one before it nine times: a billion laughs. */
function yamlBomb(): string {
  const levels = ["l0: &l0 lol"];
  for (let i = 1; i < 12; i++) levels.push(`l${i}: &l${i} [${`*l${i - 1},`.repeat(9)}]`);
  return `${HEAD}x-bomb:\n  ${levels.join("\n  ")}\n`;
}

describe("validate", () => {
  it("finds nothing wrong with a right config", async () => {
    const file = scratch.config("probes: { a: { kprobe: { symbol: vfs_read } } }");
    const { code, stdout, stderr } = await call("validate", file);
    assert.deepEqual([code, stdout, stderr], [0, "", `${file}: ok, 1 probe\n`]);
  });

  it("shows every mistake of a file, with its place, a caret and what would be right", async () => {
    const file = scratch.config(`
probes:
  open:
    kprobe: { symbl: do_sys_openat2 }
    capture: { a: "$arg9:s32" }
  Open: { tracepoint: sched_switch }
sinks:
  out: { type: jsnl }
`);
    const { code, stdout, stderr } = await call("validate", file);
    assert.deepEqual([code, stdout], [78, ""]);
    const mistakes = stderr.split("\n").filter((line) => /: error: /.test(line));
    assert.ok(mistakes.length >= 4, stderr);
    for (const mistake of mistakes) {
      assert.match(mistake, /^\/.*trace\.yaml:\d+:\d+: error: [A-Z"$]/);
    }
    assert.match(
      stderr,
      /:7:15: error: .*symbl.*\n {4}kprobe: \{ symbl: do_sys_openat2 \}\n {14}\^+\n/,
    );
    assert.match(stderr, /hint: .*symbol/);
    assert.match(stderr, /^ *\^+$/m);
  });

  it("says what is wrong with what is no config, and goes on with the next file", async () => {
    const right = scratch.config("probes: {}", "right.yaml");
    const files = BAD_FILES.map(([path]) => path);
    const { code, stdout, stderr } = await call("validate", ...files, right);
    assert.deepEqual([code, stdout], [78, ""]);
    for (const [path, message] of BAD_FILES) {
      const said = stderr.split("\n").filter((line) => line.startsWith(`${path}:`)).join("\n");
      assert.match(said, /error: /, path);
      assert.match(said, message, path);
    }
    assert.match(stderr, /right\.yaml: ok/);
    assert.doesNotMatch(stderr, /\n +at /);
  });

  it("says that a file may not be read", {
    skip: IS_ROOT ? "root may read everything" : false,
  }, async () => {
    const file = scratch.config("probes: {}", "secret.yaml");
    chmodSync(file, 0o000);
    const { code, stderr } = await call("validate", file);
    assert.equal(code, 78);
    assert.match(stderr, /permission denied/);
  });

  it("is not felled by aliases that stand for billions", async () => {
    const start = performance.now();
    const { code, stderr } = await call("validate", scratch.write("bomb.yaml", yamlBomb()));
    assert.equal(code, 78, stderr);
    assert.ok(performance.now() - start < 20_000);
    assert.ok(stderr.length < 20_000);
  });

  it("gives its findings as JSON, all files together", async () => {
    const wrong = scratch.config("probes: { a: { kprobe: {} } }", "wrong.yaml");
    const nothing = join(scratch.path, "nothing.yaml");
    const { code, stdout, stderr } = await call("validate", wrong, nothing, "--format", "json");
    assert.deepEqual([code, stderr], [78, ""]);
    const { diagnostics } = JSON.parse(stdout);
    assert.deepEqual(diagnostics.map(({ file }: { file: string }) => file), [wrong, nothing]);
    const [first] = diagnostics;
    assert.deepEqual([first.severity, first.line, first.column], ["error", 4, 16]);
  });

  it("ends the process with 78", async () => {
    const { code, stderr } = await sonde("validate", join(scratch.path, "nothing.yaml"));
    assert.equal(code, 78);
    assert.match(stderr, /there is no such file/);
  });
});

/** What a name may not be, for it reaches the kernel's parsers. */
const EVIL_NAMES = [
  "a\np:evil/x vfs_read",
  "a;b",
  "a#b",
  "a b",
  "a/b",
  "a:b",
  "a\0b",
  "a\tb",
  "a\rb",
  "-a",
  "",
  "..",
  "x".repeat(300),
  "é",
  "$(reboot)",
  "a\u2028b",
  "1a",
];

describe("names that would mean something else to the kernel", () => {
  const name = (value: string) => JSON.stringify(value);
  const places: Record<string, (value: string) => string> = {
    "metadata.name": (value) =>
      `apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: ${name(value)} }\nprobes: {}\n`,
    "probe id": (value) => `${HEAD}probes: { ${name(value)}: { kprobe: { symbol: vfs_read } } }\n`,
    symbol: (value) => `${HEAD}probes: { x: { kprobe: { symbol: ${name(value)} } } }\n`,
    module: (value) =>
      `${HEAD}probes: { x: { kprobe: { symbol: vfs_read, module: ${name(value)} } } }\n`,
    "capture name": (value) =>
      `${HEAD}probes: { x: { kprobe: { symbol: vfs_read }, capture: { ${
        name(value)
      }: "$arg1:u64" } } }\n`,
    capture: (value) =>
      `${HEAD}probes: { x: { kprobe: { symbol: vfs_read }, capture: { a: ${name(value)} } } }\n`,
    tracepoint: (value) => `${HEAD}probes: { x: { tracepoint: ${name(`sched/${value}`)} } }\n`,
    system: (value) => `${HEAD}probes: { x: { tracepoint: ${name(`${value}/sched_switch`)} } }\n`,
    path: (value) => `${HEAD}probes: { x: { uprobe: { path: ${name(value)}, symbol: main } } }\n`,
    "user_event": (value) => `${HEAD}probes: { x: { user_event: ${name(`shop/${value}`)} } }\n`,
    namespace: (value) => `${HEAD}namespaces: { ${name(value)}: {} }\n`,
  };

  for (const [place, config] of Object.entries(places)) {
    it(`are refused as ${place}, and the kernel is left as it is`, async () => {
      for (const [index, value] of EVIL_NAMES.entries()) {
        // A function, tracepoint or file may have a longer name, or one beyond ASCII, in a place.
        const file = scratch.write(`evil${index}.yaml`, config(value));
        const kernel = makeKernel();
        startOtherTool(kernel);
        const before = hostState(kernel);
        const { code, stderr } = await callOn(startSonde(kernel), "apply", file);
        assert.notEqual(code, 0, `${name(value)} as ${place}`);
        const cannotBeThere = /error: .*(has no|There is no)/.test(stderr);
        assert.equal(code, cannotBeThere ? 1 : 78, `${name(value)}: ${stderr}`);
        // Nothing of it reaches the terminal as it is.
        assert.doesNotMatch(stderr, /[^\P{Cc}\n\t]/u);
        assert.deepEqual({ ...hostState(kernel), files: [] }, { ...before, files: [] });
      }
    });
  }
});

describe("a directory in place of a file", () => {
  it("is refused by every command that takes a file", async () => {
    const directory = join(scratch.path, "directory");
    mkdirSync(directory);
    for (const command of ["validate", "plan", "run", "apply", "doctor"]) {
      const backend = command === "validate" ? [] : ["--backend", "simulated"];
      const { code, stdout, stderr } = await call(command, directory, ...backend);
      assert.deepEqual([code, stdout], [78, ""], command);
      assert.match(stderr, /it is a directory/);
    }
  });
});
