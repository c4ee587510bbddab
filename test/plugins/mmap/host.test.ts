/**
 * The mmap backend on the kernel of this machine: uprobes on a program of ours, for its process
 * only, against what the tracefs backend records of the same calls.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import type { Backend } from "../../../core/backend.ts";
import { parseConfig } from "../../../core/config/config.ts";
import { desiredProbes } from "../../../core/config/desired.ts";
import { linuxKernel } from "../../../core/kernel/linux.ts";
import { placeProbes } from "../../../core/session/place.ts";
import { runTrace } from "../../../core/session/run.ts";
import { archOf } from "../../../core/probe/registers.ts";
import { mmapBackend } from "../../../plugins/mmap/backend.ts";
import { readPmu } from "../../../plugins/mmap/pmu.ts";
import { tracefsBackend } from "../../../plugins/tracefs/backend.ts";
import { CollectingSink } from "../../support/sink.ts";

/** Waits for a byte, makes its calls, and waits for the end of its input. */
const PROGRAM = `
#include <unistd.h>
__attribute__((noinline)) long charge(long a, int b, short c, const char *s) {
  __asm__ volatile("" :: "r"(s) : "memory");
  return a - b + c;
}
int main(void) {
  char go;
  long sum = 0;
  if (read(0, &go, 1) != 1) return 1;
  for (int i = 0; i < 500; i++) sum += charge(1000000000000000L + i, -i, (short)(-3 * i), "hello");
  while (read(0, &go, 1) == 1) {}
  return sum == 7;
}
`;

const directory = mkdtempSync(join(tmpdir(), "sonde-mmap-"));
const program = join(directory, "program");
after(() => rmSync(directory, { recursive: true }));

const CONFIG = `
apiVersion: sonde/v1
kind: Trace
metadata: { name: mmap-parity-${process.pid} }
probes:
  charge:
    uprobe: { path: ${program}, symbol: charge }
    capture: { a: "$arg1:s64", b: "$arg2:s32", c: "$arg3:s16", low: "$arg1:x32" }
  charged:
    uretprobe: { path: ${program}, symbol: charge }
    capture: { ret: "$retval:u64" }
  named:
    uprobe: { path: ${program}, symbol: charge }
    capture: { s: "+0($arg4):string" }
  some:
    uprobe: { path: ${program}, symbol: charge }
    capture: { b: "$arg2:s32" }
    filter: 'b < -400'
`;

/** Why this cannot be tested here; undefined if it can. Builds the program. */
async function unavailable(): Promise<string | undefined> {
  const kernel = linuxKernel();
  if ("unavailable" in kernel.native) return kernel.native.unavailable;
  // Its node:fs closes and reads only what it has opened itself, not what a native call has.
  if ("Deno" in globalThis) return "Deno cannot close the descriptors of native calls";
  if (kernel.machine.uid !== 0) return "needs root";
  if (readPmu(kernel, "uprobe") === undefined) return "this kernel has no uprobe PMU";
  if (!(await tracefsBackend(kernel).inspect()).usable) return "tracefs cannot be used";
  writeFileSync(`${program}.c`, PROGRAM);
  const { status } = spawnSync("cc", ["-O1", "-o", program, `${program}.c`]);
  return status === 0 ? undefined : "there is no C compiler";
}

const reason = await unavailable();

/** What a backend records of one run of the program. */
async function record(start: (pid: number) => Backend) {
  const target = spawn(program, { stdio: ["pipe", "ignore", "ignore"] });
  await once(target, "spawn");
  const backend = start(target.pid!);
  try {
    return { ...await recordCalls(backend, target), pid: target.pid! };
  } finally {
    const exited = once(target, "exit");
    target.stdin.end();
    await exited;
    await backend.close();
  }
}

async function recordCalls(backend: Backend, target: ChildProcess) {
  const { config, diagnostics } = parseConfig(CONFIG, { file: "test.yaml" });
  assert.deepEqual(diagnostics, []);
  const arch = archOf(backend.kernel.machine.arch)!;
  const { placed, unplaced } = await placeProbes(backend, desiredProbes(config!, arch));
  assert.deepEqual(unplaced, []);
  const sink = new CollectingSink();
  const request = { name: config!.metadata.name, probes: placed };
  const summary = await runTrace(backend, request, [sink], {
    events: 3 * 500 + 99,
    duration: 5_000_000_000n,
    started: () => target.stdin!.write("x"),
  });
  const records = sink.records.map(({ timeNs: _time, cpu: _cpu, tid, ...rest }) => ({
    ...rest,
    own: tid === target.pid,
  }));
  return { summary, records };
}

describe("the mmap backend on this kernel", { skip: reason }, () => {
  it("records of a program what the tracefs backend records", { timeout: 60_000 }, async () => {
    const mmap = await record((pid) => mmapBackend(tracefsBackend(linuxKernel()), { pid }));
    const tracefs = await record(() => tracefsBackend(linuxKernel()));
    assert.equal(mmap.records.length, 3 * 500 + 99);
    assert.ok(mmap.records.every(({ own }) => own));
    assert.deepEqual(mmap.summary.leftovers, []);
    assert.equal(mmap.summary.lost, 0);
    const ofProbe = (records: typeof mmap.records, id: string) =>
      records.filter(({ probe }) => probe === id);
    for (const id of ["charge", "charged", "named", "some"]) {
      assert.deepEqual(ofProbe(mmap.records, id), ofProbe(tracefs.records, id), id);
    }
  });
});
