import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { call } from "../support/call.ts";
import { type Ended, ended, Scratch, shell, sonde, sondeCommand, start } from "../support/cli.ts";
import { makePluginDirectory, writePlugin } from "../support/plugin_file.ts";

const scratch = new Scratch();
const plugins = makePluginDirectory();
after(() => {
  scratch.remove();
  plugins.remove();
});

/** The backend that writes down what is left on its kernel. */
const plugin = writePlugin(
  plugins.path,
  `export { apiVersion, default } from ${
    JSON.stringify(new URL("../support/reporting_backend.ts", import.meta.url).href)
  };`,
);
const report = join(scratch.path, "report.json");
const REPORTING = [
  "--plugin",
  plugin,
  "--backend",
  "reporting",
  "--backend-option",
  `report=${report}`,
];

/** A config whose function is called `count` times, `burst` at once each millisecond. */
function counting(count: number, burst = 1, more = "sinks: { out: { type: jsonl } }"): string {
  return scratch.config(
    `
probes: { count: { kprobe: { symbol: count }, capture: { n: "$arg1:u64" } } }
${more}
simulate:
  functions: { count: { args: [u64] } }
  calls:
    - { function: count, args: [18446744073709551615], every: 1ms, count: ${count}, burst: ${burst} }
`,
    `count${count}-${burst}-${more.length}.yaml`,
  );
}

const output = join(scratch.path, "events.jsonl");

/** The same, with its events written to a file. */
function toFile(count: number, burst = 1, more = ""): string {
  return counting(count, burst, `${more}\nsinks: { out: { type: jsonl, path: ${output} } }`);
}

/** What was written to that file, which is gone then. */
function written(): Line[] {
  const text = readFileSync(output, "utf8");
  rmSync(output);
  return records(text);
}

/** More calls than a test waits for. */
const ENDLESS = counting(1_000_000_000, 100);

/** Nothing of sonde is left, and what was there before is. */
function assertNothingLeft(): void {
  const { before, after } = JSON.parse(readFileSync(report, "utf8"));
  rmSync(report);
  assert.deepEqual(before.kprobes, ["p:othertool/count count"]);
  assert.deepEqual(after, before);
}

/** Waits for the first piece of what a process prints. */
function firstOutput(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.stdout!.once("data", () => resolve()));
}

/** A line of JSON Lines. */
interface Line {
  readonly type: "event" | "lost";
  /** Of a loss. */
  readonly count?: number;
}

function records(stdout: string): Line[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

describe("run", () => {
  it("prints data on standard output and everything else on standard error", async () => {
    const { code, stdout, stderr } = await sonde("run", counting(20), ...REPORTING);
    assert.equal(code, 0);
    assert.equal(stderr, "Tracing 1 probe\n20 events, none lost\n");
    assert.equal(stdout.match(/"args":\{"n":18446744073709551615\}\}\n/g)?.length, 20);
    assert.equal(records(stdout).length, 20);
    assertNothingLeft();
  });

  it("ends after so many events, or after a time", async () => {
    const file = toFile(1_000_000_000);
    const few = await call("run", file, "--backend", "simulated", "--events", "7", "--quiet");
    assert.deepEqual([few.code, few.stderr, written().length], [0, "", 7]);
    const short = await call("run", file, "--backend", "simulated", "--for", "25ms");
    assert.deepEqual([short.code, written().length], [0, 25]);
  });

  it("ends cleanly when its reader goes", async () => {
    for (const line of ['$SONDE run "$@" | head -n 1', '$SONDE run "$@" 2>&1 | head -n 2']) {
      const { code, stdout, stderr } = await shell(line, ENDLESS, ...REPORTING);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /"type":"event".*\}\}\n$/);
      assert.doesNotMatch(stderr, /error|\n +at /);
      assertNothingLeft();
    }
  });

  it("says that the disk is full, and leaves nothing", async () => {
    const sinks = "sinks: { out: { type: text, path: /dev/full } }";
    for (
      const [line, file, name] of [
        ['$SONDE run "$@" > /dev/full', ENDLESS, "standard output"],
        ['$SONDE run "$@"', counting(1_000_000, 10, sinks), '"/dev/full"'],
      ]
    ) {
      const { code, stderr } = await shell(line, file, ...REPORTING);
      assert.equal(code, 1);
      assert.equal(stderr, `Tracing 1 probe\nerror: Cannot write ${name}: the disk is full\n`);
      assertNothingLeft();
    }
  });

  it("does not mind messages that cannot be written", async () => {
    const { code, stdout } = await shell('$SONDE run "$@" 2> /dev/full', counting(5), ...REPORTING);
    assert.deepEqual([code, records(stdout).length], [0, 5]);
    assertNothingLeft();
  });

  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it(`reads on to the end and takes everything out on ${signal}`, async () => {
      const child = start(sondeCommand("run", ENDLESS, ...REPORTING));
      const end: Promise<Ended> = ended(child);
      await firstOutput(child);
      process.kill(child.pid!, signal);
      const result = await end;
      assert.equal(result.code, code, result.stderr);
      const count = Number(/^(\d+) events, none lost$/m.exec(result.stderr)?.[1]);
      assert.equal(records(result.stdout).length, count);
      assertNothingLeft();
    });
  }

  it("ends on a signal although its reader stands still", async () => {
    const child = start(sondeCommand("run", ENDLESS, ...REPORTING));
    await firstOutput(child);
    child.stdout!.pause();
    child.stderr!.resume();
    const code = new Promise((resolve) => child.on("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.kill(child.pid!, "SIGTERM");
    assert.equal(await code, 143);
    child.stdout!.destroy();
    assertNothingLeft();
  });

  it("ends with 4 if events were lost and that is to be told", async () => {
    const file = toFile(20_000, 10_000, "buffer: { size: 8KiB }");
    for (const [flag, code] of [["--fail-on-loss", 4], ["--verbose", 0]] as const) {
      const result = await call("run", file, "--backend", "simulated", flag);
      assert.equal(result.code, code);
      const lines = written();
      const events = lines.filter(({ type }) => type === "event").length;
      const lost = lines.reduce((sum, { count = 0 }) => sum + count, 0);
      assert.equal(events + lost, 20_000);
      assert.match(result.stderr, new RegExp(`^${events} events, ${lost} lost$`, "m"));
    }
  });

  it("ends with 3 if a probe was left out", async () => {
    const path = join(scratch.path, "degraded.txt");
    const file = scratch.config(
      `
probes:
  there: { kprobe: { symbol: there } }
  gone: { kprobe: { symbol: gone }, on_missing: warn }
sinks: { out: { type: text, path: ${path} } }
simulate: { functions: { there: {} }, calls: [{ function: there }] }
`,
      "gone.yaml",
    );
    const { code, stderr } = await call("run", file, "--backend", "simulated");
    assert.equal(code, 3);
    assert.match(readFileSync(path, "utf8"), /^\S+ \[\d+\] program\/1000 +there\n$/);
    assert.match(stderr, /gone\.yaml:7:3: warning: /);
  });

  it("tells by its exit code why it could not start", async () => {
    const failing = (fault: string, name: string) =>
      scratch.config(
        `
probes: { x: { kprobe: { symbol: there } } }
simulate: { functions: { there: {} }, faults: [{ ${fault} }] }
`,
        `${name}.yaml`,
      );
    const cases: [fault: string, code: number, message: RegExp][] = [
      ["call: open, path: set_event, error: EACCES", 77, /EACCES/],
      ["call: stat, path: kprobe_events, error: ENOENT, times: 99", 69, /CONFIG_KPROBE_EVENTS/],
      ["call: write, path: x/enable, error: EBUSY", 75, /patched by something else/],
      ["call: write, path: kprobe_events, error: ENOMEM", 1, /out of memory/],
      ["call: write, path: kprobe_events, error: EINVAL", 78, /The kernel refuses this/],
      ["call: rmdir, error: EBUSY", 75, /Left behind: rmdir instances\/sonde-edge/],
      ["call: mkdir, path: /run/sonde, error: EROFS", 1, /EROFS/],
    ];
    for (const [index, [fault, code, message]] of cases.entries()) {
      const file = failing(fault, `fault${index}`);
      const result = await call("run", file, "--backend", "simulated");
      assert.equal(result.code, code, `${fault}: ${result.stderr}`);
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /\n +at /);
    }
  });

  it("says which file of a sink cannot be opened before it installs anything", async () => {
    const file = counting(5, 1, "sinks: { out: { type: jsonl, path: /nowhere/at/all } }");
    const { code, stderr } = await call("run", file, ...REPORTING);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      'error: Cannot write "/nowhere/at/all": there is no such directory\n',
    );
    assertNothingLeft();
  });

  it("appends to the file of a sink, and keeps standard output free", async () => {
    const file = toFile(5);
    for (const count of [5, 10]) {
      const { code, stdout } = await call("run", file, "--backend", "simulated");
      assert.deepEqual([code, stdout], [0, ""]);
      assert.equal(records(readFileSync(output, "utf8")).length, count);
    }
  });
});

describe("data that nobody reads", () => {
  it("ends every command quietly", async () => {
    const plan = '$SONDE plan "$1" --backend simulated | true; exit ${PIPESTATUS[0]}';
    const schema = "$SONDE schema | true; exit ${PIPESTATUS[0]}";
    for (const line of [plan, schema]) {
      const { code, stderr } = await shell(line, counting(5));
      assert.deepEqual([code, stderr], [0, ""]);
    }
    const full = await shell("$SONDE schema > /dev/full");
    assert.equal(full.code, 1);
    assert.equal(full.stderr, "error: Cannot write standard output: the disk is full\n");
  });
});

describe("colours", () => {
  it("are on a terminal only, and not with NO_COLOR", async () => {
    const bad = scratch.write("bad.yaml", "nothing: 1\n");
    const onTerminal = (env: string) =>
      shell(`script -qec "${env} $SONDE validate $1" /dev/null`, bad);
    const [plain, coloured, without] = await Promise.all([
      sonde("validate", bad),
      onTerminal(""),
      onTerminal("NO_COLOR=1"),
    ]);
    assert.ok(!plain.stderr.includes("\x1b"));
    assert.ok(coloured.stdout.includes("\x1b["), coloured.stdout);
    assert.ok(!without.stdout.includes("\x1b"), without.stdout);
  });
});
