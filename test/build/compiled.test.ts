import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { buildSonde } from "../support/binary.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const isRoot = process.geteuid?.() === 0;

/** A config whose one event says whether the variable of the environment is set. */
const CONFIG = `
apiVersion: sonde/v1
kind: Trace
metadata: { name: compiled }
probes:
  file_open:
    kprobe: { symbol: "\${env:SONDE_TEST_SYMBOL:-do_sys_openat2}" }
    capture: { dfd: "$arg1:s32", filename: "+0($arg2):ustring" }
simulate:
  functions:
    do_sys_openat2: { args: [s32, ustring], returns: s32 }
    other: { args: [s32, ustring], returns: s32 }
  calls:
    - { function: do_sys_openat2, args: [-100, /etc/hosts], process: { pid: 42, comm: cat }, count: 3 }
`;

describe("dist/sonde", () => {
  let sonde = "";
  let directory = "";

  before(() => {
    sonde = buildSonde();
    // As root, sonde takes plugins only from where nobody else can write: not from /tmp.
    directory = mkdtempSync(join(isRoot ? "/run" : tmpdir(), "sonde-compiled-"));
    writeFileSync(join(directory, "trace.yaml"), CONFIG);
  }, { timeout: 120_000 });

  after(() => rmSync(directory, { recursive: true, force: true }));

  const run = (program: string, ...args: string[]) =>
    spawnSync(program, args, {
      cwd: directory,
      encoding: "utf8",
      env: { HOME: directory, PATH: process.env.PATH },
    });

  it("runs a trace on the simulated kernel", () => {
    const { status, stdout, stderr } = run(sonde, "run", "trace.yaml", "--backend", "simulated");
    assert.equal(status, 0, stderr);
    assert.equal(stdout.match(/ cat\/42 .* dfd=-100 filename="\/etc\/hosts"$/gm)?.length, 3);
    assert.match(stderr, /^Tracing 1 probe\n3 events, none lost\n$/);
  });

  it("takes nothing from the directory that it is started in", () => {
    const trap = `require("node:fs").writeFileSync(${
      JSON.stringify(join(directory, "sprung"))
    }, "")`;
    writeFileSync(join(directory, "trap.js"), trap);
    writeFileSync(join(directory, "bunfig.toml"), 'preload = ["./trap.js"]\n');
    writeFileSync(join(directory, ".env"), "SONDE_TEST_SYMBOL=other\n");
    const sprung = () => existsSync(join(directory, "sprung"));
    const plan = ["plan", "trace.yaml", "--backend", "simulated"];

    const { status, stdout, stderr } = run(sonde, ...plan);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /file_open do_sys_openat2 /);
    assert.equal(sprung(), false);

    // The traps are good: Bun itself falls into both.
    const bun = join(repository, "node_modules/.bin/bun");
    const main = join(repository, "cli/main.ts");
    assert.match(run(bun, main, ...plan).stdout, /file_open other /);
    assert.equal(sprung(), true);
  });

  describe("with --plugin", () => {
    before(() => {
      copyFileSync(join(repository, "examples/plugins/logfmt.ts"), join(directory, "logfmt.ts"));
      const sinks = "sinks: { log: { type: logfmt, prefix: edge-7 } }\n";
      writeFileSync(join(directory, "logfmt.yaml"), CONFIG + sinks);
    });

    const useLogfmt = (command: string, file: string, ...options: string[]) =>
      run(sonde, command, file, "--plugin", "./logfmt.ts", ...options);
    const simulated = ["--backend", "simulated"];

    it("writes events by the sink of a plugin", () => {
      const { status, stdout, stderr } = useLogfmt("run", "logfmt.yaml", ...simulated);
      assert.equal(status, 0, stderr);
      const lines = stdout.trimEnd().split("\n");
      assert.equal(lines.length, 3);
      const form = "^edge-7 time_ns=\\d+ probe=file_open cpu=\\d+ tid=42 comm=cat dfd=-100 " +
        "filename=/etc/hosts$";
      for (const line of lines) assert.match(line, new RegExp(form));
    });

    it("checks the options that the plugin declares", () => {
      const sinks = "sinks: { log: { type: logfmt, prefix: 7 } }\n";
      writeFileSync(join(directory, "wrong.yaml"), CONFIG + sinks);
      const { status, stderr } = useLogfmt("validate", "wrong.yaml");
      assert.equal(status, 78);
      assert.match(stderr, /^wrong\.yaml:15:39: error: /);
    });

    const name = "refuses, as root, a plugin in a directory that others can write";
    if (!isRoot && process.env.CI !== "true") {
      it(`${name} (not root)`, { skip: true });
    } else {
      it(name, () => {
        assert.ok(isRoot, "this test needs root");
        chmodSync(directory, 0o777);
        try {
          const { status, stdout, stderr } = useLogfmt("run", "logfmt.yaml", ...simulated);
          assert.equal(status, 2);
          assert.equal(stdout, "");
          assert.match(
            stderr,
            /Refused to load plugin "\.\/logfmt\.ts" as root: ".*" can be written/,
          );
        } finally {
          chmodSync(directory, 0o700);
        }
      });
    }
  });
});
