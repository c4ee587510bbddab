import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Facility } from "../../../core/backend.ts";
import type { Kernel } from "../../../core/kernel/port.ts";
import { hostProfile } from "../../../plugins/simulated/host_profile.ts";
import { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { tracefsBackend } from "../../../plugins/tracefs/backend.ts";
import { makeEra, startProgram } from "../../core/user_events/fixture.ts";

async function userEventsOf(kernel: Kernel): Promise<Facility> {
  const { list } = await tracefsBackend(kernel).inspect();
  return list.find(({ name }) => name === "user_events")!;
}

describe("the user_events of inspect", () => {
  for (
    const [era, says] of [
      [
        "6.12",
        /: version 2, persist, several formats of a name, at most 32768 events \(.*\), emulated namespaces$/,
      ],
      ["6.1", /: version 1, events stay until they are deleted, emulated namespaces$/],
      ["rfc2022", /: version 1, events stay until they are deleted, namespaces of the kernel$/],
    ] as const
  ) {
    it(`tell the interface of ${era}, and register nothing`, async () => {
      const kernel = makeEra(era);
      const { available, detail } = await userEventsOf(startProgram(kernel));
      assert.ok(available);
      assert.match(detail, says);
      assert.equal(kernel.tracing.userEvents!.eventCount, 0);
    });
  }

  it("are there without native calls too, with less to tell", async () => {
    const program = startProgram(makeEra("6.12"));
    const native = { unavailable: "no FFI" };
    const kernel = new Proxy<Kernel>(program, {
      get: (target, key) => {
        const value = key === "native" ? native : Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const { available, detail } = await userEventsOf(kernel);
    assert.deepEqual([available, detail], [true, "/sys/kernel/tracing/user_events_data"]);
  });

  it("are missing where the kernel was built without", async () => {
    const kernel = new SimulatedKernel({ era: null, profile: hostProfile(undefined) });
    const { available, remedy } = await userEventsOf(startProgram(kernel));
    assert.equal(available, false);
    assert.match(remedy!, /CONFIG_USER_EVENTS/);
  });
});
