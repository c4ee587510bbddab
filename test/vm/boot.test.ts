/** That the guests are what the other tests take them for, and that a lost one is noticed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "node:test";
import { type KernelName, kernelNames, repository } from "./kernels.ts";
import { runInVm } from "./machine.ts";
import { vmTest } from "./suite.ts";

const bun = realpathSync(join(repository, "node_modules/.bin/bun"));
const { version } = JSON.parse(
  readFileSync(join(repository, "node_modules/bun/package.json"), "utf8"),
) as { version: string };

const probeAndReport = `
set -e
uname -r
cd /sys/kernel/tracing
grep -q ' /sys/kernel/tracing .* tracefs ' /proc/self/mountinfo
echo 'p:boot/opened do_sys_openat2 dfd=%di:s32' >> kprobe_events
cat kprobe_events
echo 1 > events/boot/opened/enable
cat /etc/hosts > /dev/null
echo 0 > events/boot/opened/enable
grep -c 'cat-.*opened: .*dfd=-100' trace
for file in user_events_data dynamic_events; do [ -e $file ] && echo $file; done || true
[ ! -e /sys/kernel/btf/vmlinux ] || echo btf
bun --version
`;

/** What the kernel of each name reports as its release, and what it has. */
const expected: Record<KernelName, { release: RegExp; files: string[] }> = {
  "6.12-user-events": { release: /^6\.12\.\d+/, files: ["user_events_data", "dynamic_events"] },
  "6.12-user-events-btf": {
    release: /^6\.12\.\d+/,
    files: ["user_events_data", "dynamic_events", "btf"],
  },
  "6.1-user-events": { release: /^6\.1\.\d+/, files: ["user_events_data", "dynamic_events"] },
  "6.12-debian": { release: /^6\.12\.\d+\+deb12-cloud-amd64$/, files: ["dynamic_events", "btf"] },
  "6.1-debian": { release: /^6\.1\.0-\d+-cloud-amd64$/, files: ["dynamic_events", "btf"] },
};

describe("guest kernels", () => {
  for (const name of kernelNames) {
    vmTest(`${name} boots, takes a probe and runs bun`, name, async (kernel) => {
      const { release, files } = expected[name];
      const result = await runInVm({
        kernel,
        script: probeAndReport,
        files: { "/usr/bin/bun": bun },
      });
      assert.equal(result.exitCode, 0, JSON.stringify(result, undefined, 2));
      const [uname, probe, hits, ...rest] = result.stdout.trim().split("\n");
      assert.match(uname, release);
      assert.equal(probe, "p:boot/opened do_sys_openat2 dfd=%di:s32");
      assert.ok(Number(hits) > 0, "the probe fired");
      assert.deepEqual(rest, [...files, version]);
    });
  }
});

describe("runInVm", () => {
  vmTest("brings back status, output and results", "6.12-user-events", async (kernel) => {
    const results = mkdtempSync(join(tmpdir(), "sonde-results-"));
    try {
      const script = `
        sleep 1000 &
        echo out; echo err > /dev/stderr; echo kept > /results/file; exit 3`;
      const result = await runInVm({ kernel, script, results });
      assert.deepEqual(
        { ...result, console: "", elapsedMs: 0 },
        {
          finished: true,
          timedOut: false,
          exitCode: 3,
          stdout: "out\n",
          stderr: "err\n",
          console: "",
          elapsedMs: 0,
        },
      );
      assert.equal(readFileSync(join(results, "file"), "utf8"), "kept\n");
    } finally {
      rmSync(results, { recursive: true });
    }
  });

  vmTest("tells a guest that crashed", "6.12-user-events", async (kernel) => {
    const result = await runInVm({ kernel, script: "echo c > /proc/sysrq-trigger" });
    assert.equal(result.finished, false);
    assert.equal(result.timedOut, false);
    assert.equal(result.exitCode, undefined);
    assert.match(result.console, /Kernel panic .*sysrq triggered crash/);
  });

  vmTest("tells a guest that powered off early", "6.12-user-events", async (kernel) => {
    const result = await runInVm({ kernel, script: "poweroff -f" });
    assert.equal(result.finished, false);
    assert.equal(result.timedOut, false);
  });

  vmTest("kills a guest at the time limit", "6.12-user-events", async (kernel) => {
    const result = await runInVm({ kernel, script: "sleep 1000", timeoutMs: 4000 });
    assert.equal(result.finished, false);
    assert.equal(result.timedOut, true);
  });
});
