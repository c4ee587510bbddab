/** Programs with user_events under Bun, recorded by the compiled sonde, on real kernels. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { buildSonde } from "../support/binary.ts";
import { type KernelName, repository } from "./kernels.ts";
import { runInVm } from "./machine.ts";
import { vmTest } from "./suite.ts";

/** Limit on a guest. Software emulation on a busy machine takes several times the usual. */
const TIMEOUT_MS = 600_000;

const GUEST = fileURLToPath(new URL("./provider", import.meta.url));

/** What three programs and sonde do in a guest; `read` gives what they left in a file. */
async function runPrograms(kernel: KernelName, other: string): Promise<(file: string) => string> {
  const directory = mkdtempSync(join(tmpdir(), "sonde-provider-"));
  try {
    const bun = realpathSync(join(repository, "node_modules/.bin/bun"));
    const program = join(directory, "program.js");
    execFileSync(bun, ["build", "--target=bun", `--outfile=${program}`, join(GUEST, "program.ts")]);
    const results = join(directory, "results");
    mkdirSync(results);
    const run = await runInVm({
      kernel,
      script: `exec sh /test/guest.sh ${other}`,
      files: {
        "/test/program.js": program,
        "/test/guest.sh": join(GUEST, "guest.sh"),
        "/test/shop.yaml": join(GUEST, "shop.yaml"),
        "/usr/bin/bun": bun,
        "/usr/bin/sonde": buildSonde(),
      },
      results,
      timeoutMs: TIMEOUT_MS,
    });
    assert.ok(run.finished, JSON.stringify(run, undefined, 2));
    const files = Object.fromEntries(
      [
        ...["records.jsonl", "sonde.err", "sonde.status", "held.status", "killed.status", "dmesg"],
        ...["typed.out", "typed.err", "late.out", "other.out"],
      ].map((file) => [file, readFileSync(join(results, file), "utf8")]),
    );
    return (file) => files[file];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The lines of `args` that `sonde run` printed for each probe. */
function argsByProbe(jsonl: string): Record<string, string[]> {
  const args: Record<string, string[]> = {};
  for (const line of jsonl.trim().split("\n")) {
    const probe = /"probe":"(\w+)"/.exec(line)![1];
    (args[probe] ??= []).push(/"args":(\{.*?\})/.exec(line)![1]);
  }
  return args;
}

const rest = '"delta":-9223372036854775808,"cents":-5,"small":255,"stage":"paid ",' +
  '"note":"größer","blob":[0,255]}';
const TYPED = ["1", "9007199254740993", "18446744073709551615"].map((id) =>
  `{"order_id":${id},${rest}`
);

for (const [release, other] of [["6.12", "checkout"], ["6.1", "other"]] as const) {
  describe(`user_events of programs on ${release}`, () => {
    vmTest(
      "are enabled, recorded and disabled, early or late",
      `${release}-user-events`,
      async (kernel) => {
        const read = await runPrograms(kernel, other);
        const log = [read("sonde.err"), read("typed.err"), read("typed.out")].join("\n");
        assert.equal(read("sonde.status"), "0\n", log);
        const records = argsByProbe(read("records.jsonl"));
        const expected = other === "checkout"
          ? { checkout: [...TYPED, '{"n":7}'], late: ['{"n":7}'] }
          : { checkout: TYPED, late: ['{"n":7}'], other: ['{"n":7}'] };
        assert.deepEqual(records, expected, log);
        assert.equal(
          read("typed.out"),
          "registered emulated false\nenabled true,true,true\ndisabled false,false,false\nclosed\n",
        );
        assert.match(read("late.out"), /^registered emulated .*\nenabled true\ndisabled false\n$/);
        assert.match(read("held.status"), /shop\.late/);
        // Version 2 forgets events with the last program that holds them; version 1 keeps them.
        if (release === "6.12") assert.doesNotMatch(read("killed.status"), /shop\./);
        else assert.match(read("killed.status"), /shop\.late\n/);
        assert.doesNotMatch(read("dmesg"), /WARNING:|BUG:|Oops|user_events: Fault/);
      },
      TIMEOUT_MS + 60_000,
    );
  });
}
