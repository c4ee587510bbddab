import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { call } from "../support/call.ts";
import { Scratch, sonde } from "../support/cli.ts";

const COMMANDS = [
  "validate",
  "plan",
  "run",
  "apply",
  "status",
  "remove",
  "gc",
  "doctor",
  "list",
  "schema",
  "version",
];

const scratch = new Scratch();
after(() => scratch.remove());

const file = scratch.config("probes: {}");

describe("help", () => {
  it("lists every command", async () => {
    for (const args of [["--help"], ["help"]]) {
      const { code, stdout, stderr } = await call(...args);
      assert.deepEqual([code, stderr], [0, ""]);
      for (const command of COMMANDS) {
        assert.match(stdout, new RegExp(`^ +${command}\\b.* {2,}\\S`, "m"));
      }
    }
  });

  it("tells of every command how it is used", async () => {
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await call(command, "--help");
      assert.deepEqual([code, stderr], [0, ""], command);
      assert.match(stdout, new RegExp(`^Usage: sonde ${command}`));
    }
  });
});

describe("what sonde does not understand", () => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /Usage: sonde/],
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["statsu"], /Did you mean status\?/],
    [["run"], /missing required argument 'file'/],
    [["run", file, "extra"], /too many arguments/],
    [["run", file, "--nope"], /unknown option '--nope'/],
    [["run", file, "--quite"], /Did you mean --quiet\?/],
    [["run", file, "--for", "10"], /--for.*10/],
    [["run", file, "--for", "-1s"], /--for/],
    [["run", file, "--events", "0"], /--events.*whole number from 1/],
    [["run", file, "--events", "1e3"], /--events/],
    [["run", file, "--backend", "tracfs"], /There is no backend "tracfs"[^]*tracefs/],
    [["run", file, "--backend", "simulated", "--backend-option", "x"], /--backend-option x/],
    [["run", file, "--backend", "simulated", "--backend-option", "x=1"], /no option "x"/],
    [["run", file, "--quiet", "--verbose"], /--quiet' cannot be used with option '-v, --verbose/],
    [["plan", file, "--format", "xml"], /text, json/],
    [["list", "everything"], /functions, tracepoints/],
    [["remove", "Not A Name", "--backend", "simulated"], /cannot be the name of a trace/],
    [["status", "../../etc", "--backend", "simulated"], /cannot be the name of a trace/],
  ];

  it("is refused with 2, and said on standard error", async () => {
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await call(...args);
      assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
      assert.equal(stdout, "", args.join(" "));
      assert.match(stderr, message);
    }
  });

  it("ends the process with 2", async () => {
    const { code, stdout, stderr } = await sonde("run");
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /missing required argument/);
  });
});

describe("version and schema", () => {
  it("are data", async () => {
    const text = await call("version");
    assert.match(text.stdout, /^sonde \d+\.\d+\.\d+ \((Bun|Deno) \S+, linux-\w+\)\n$/);
    assert.equal(text.code, 0);
    const json = await call("version", "--format", "json");
    assert.match(JSON.parse(json.stdout).version, /^\d+\.\d+\.\d+$/);
    const schema = await call("schema");
    assert.equal(JSON.parse(schema.stdout).type, "object");
    assert.deepEqual([schema.code, schema.stderr], [0, ""]);
  });
});
