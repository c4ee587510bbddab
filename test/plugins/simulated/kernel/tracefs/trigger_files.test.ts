import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import { appendText, readText, writeText } from "../../../../../core/kernel/files.ts";
import { performCall } from "../../../../../plugins/simulated/kernel/calls.ts";
import { HostProfile, placeFunctions } from "../../../../../plugins/simulated/kernel/profile.ts";
import { SimulatedKernel } from "../../../../../plugins/simulated/kernel/simulated_kernel.ts";

const ROOT = "/sys/kernel/tracing";

function start() {
  const functions = placeFunctions([
    {
      name: "vfs_read",
      parameters: [{ type: "u64" }, { type: "u64" }, { type: "u64" }],
      returns: "s64",
      traceable: true,
      blacklisted: false,
    },
  ]);
  const facts = { functions, symbols: [], modules: [], tracepoints: [], executables: [] };
  const kernel = new SimulatedKernel({ profile: new HostProfile(facts) });
  const process = kernel.spawn({ pid: 100, comm: "tester" });
  const read = (count: number, tid = 7) =>
    performCall(
      kernel,
      { function: "vfs_read", args: [1, 2, count], returns: count, latency: 5_000n, calls: [] },
      { pid: tid, tid, comm: "cat", cpu: 0 },
    );
  return { process, read };
}

describe("trigger and hist files", () => {
  it("count hits without the event being enabled, by key", () => {
    const { process, read } = start();
    appendText(process, `${ROOT}/kprobe_events`, "p:lat/in vfs_read n=%dx:u64");
    writeText(process, `${ROOT}/events/lat/in/trigger`, "hist:keys=n:sort=n");
    for (const count of [10, 20, 10, 10]) read(count);
    const hist = readText(process, `${ROOT}/events/lat/in/hist`);
    assert.match(hist, /\{ n: +10 \} hitcount: +3\n\{ n: +20 \} hitcount: +1\n/);
    assert.match(hist, /Hits: 4\n/);
    assert.equal(readText(process, `${ROOT}/events/lat/in/enable`), "0*\n");
    assert.match(readText(process, `${ROOT}/per_cpu/cpu0/stats`), /^entries: 0$/m);
  });

  it("keep the event from being deleted until they are gone", () => {
    const { process } = start();
    appendText(process, `${ROOT}/kprobe_events`, "p:lat/in vfs_read n=%dx:u64");
    writeText(process, `${ROOT}/events/lat/in/trigger`, "hist:keys=n");
    assert.throws(
      () => appendText(process, `${ROOT}/kprobe_events`, "-:lat/in"),
      (error) => isKernelError(error, "EBUSY"),
    );
    writeText(process, `${ROOT}/events/lat/in/trigger`, "!hist:keys=n");
    appendText(process, `${ROOT}/kprobe_events`, "-:lat/in");
    assert.equal(readText(process, `${ROOT}/kprobe_events`), "");
  });

  it("measure latency through a variable and a synthetic event", () => {
    const { process, read } = start();
    appendText(process, `${ROOT}/kprobe_events`, "p:lat/in vfs_read\nr:lat/out vfs_read");
    appendText(process, `${ROOT}/synthetic_events`, "olat u64 lat; pid_t pid");
    const trigger = (path: string, text: string) =>
      writeText(process, `${ROOT}/events/${path}/trigger`, text);
    trigger("lat/in", "hist:keys=common_pid:ts0=common_timestamp.usecs");
    trigger(
      "lat/out",
      "hist:keys=common_pid:lat=common_timestamp.usecs-$ts0,p=common_pid" +
        ":onmatch(lat.in).trace(olat,$lat,$p)",
    );
    trigger("synthetic/olat", "hist:keys=lat");
    read(1);
    read(1, 8);
    assert.match(
      readText(process, `${ROOT}/events/synthetic/olat/hist`),
      /\{ lat: +5 \} hitcount: +2\n/,
    );
  });

  it("switch tracing off", () => {
    const { process, read } = start();
    appendText(process, `${ROOT}/kprobe_events`, "p:lat/in vfs_read n=%dx:u64");
    writeText(process, `${ROOT}/events/lat/in/trigger`, "traceoff if n == 2");
    writeText(process, `${ROOT}/events/lat/in/enable`, "1");
    for (const count of [1, 2, 3]) read(count);
    assert.equal(readText(process, `${ROOT}/tracing_on`), "0\n");
    // The entry that switches it off has its room already (seen on Linux 6.12).
    assert.match(readText(process, `${ROOT}/per_cpu/cpu0/stats`), /^entries: 2$/m);
  });

  it("say what is wrong, in error_log too", () => {
    const { process } = start();
    appendText(process, `${ROOT}/kprobe_events`, "p:lat/in vfs_read n=%dx:u64");
    assert.throws(
      () => writeText(process, `${ROOT}/events/lat/in/trigger`, "hist:keys=nothing"),
      (error) => isKernelError(error, "EINVAL"),
    );
    assert.match(readText(process, `${ROOT}/error_log`), /hist:lat:in: error: Couldn't find field/);
  });
});
