import assert from "node:assert/strict";
import process from "node:process";
import { after, describe, it } from "node:test";
import { TRACEFS } from "../support/host.ts";
import { appendText } from "../../core/kernel/files.ts";
import { tracefsBackend } from "../../plugins/tracefs/backend.ts";
import { ERAS, makeEra, startProgram } from "../core/user_events/fixture.ts";
import { hostProfile } from "../../plugins/simulated/host_profile.ts";
import { SimulatedKernel } from "../../plugins/simulated/kernel/simulated_kernel.ts";
import { call, callOn } from "../support/call.ts";
import { ended, Scratch, sondeCommand, start } from "../support/cli.ts";

const scratch = new Scratch();
after(() => scratch.remove());

function config(persist: boolean, simulate = ""): string {
  return scratch.write(
    `shop-${persist}${simulate}.yaml`,
    `apiVersion: sonde/v1
kind: Trace
metadata: { name: shop }
namespaces: { shop: {} }
user_events:
  checkout: { namespace: shop, fields: { order_id: u64, note: string }, persist: ${persist} }
${simulate}`,
  );
}

for (const era of ERAS) {
  describe(`sonde register on ${era}`, () => {
    it("leaves what is to stay, which list shows with who listens", async () => {
      const kernel = makeEra(era);
      const backend = () => tracefsBackend(startProgram(kernel));
      const { code, stdout, stderr } = await callOn(backend(), "register", config(true));
      assert.deepEqual([code, stdout], [0, "user_events.shop/checkout  stays\n"]);
      assert.match(stderr, /^user_events\.shop: .*; isolated: names.*; not isolated: .*deletion/);
      // It stays when the process that made it is gone.
      kernel.processes.forEach((program) => program.kill());
      const [system, name] = era === "6.12"
        ? ["user_events_multi", "shop.checkout.0"]
        : era === "6.1"
        ? ["user_events", "shop.checkout"]
        : ["user_events.shop", "checkout"];
      const enable = `${TRACEFS}/events/${system}/${name}/enable`;
      const carrier = era === "rfc2022" ? "kernel" : "emulated";
      const row = (listeners: string) =>
        `user_events.shop/checkout  ${carrier}  ${listeners}  ` +
        "u64 order_id; __rel_loc char[] note\n";
      assert.equal((await callOn(backend(), "list", "events")).stdout, row("nobody"));
      appendText(startProgram(kernel), enable, "1");
      assert.equal((await callOn(backend(), "list", "events", "shop")).stdout, row("ftrace"));
      const namespaces = await callOn(backend(), "list", "namespaces", "--format", "json");
      assert.deepEqual(JSON.parse(namespaces.stdout), [
        { name: "user_events", carrier: "root", events: "0", limit: "none" },
        {
          name: "user_events.shop",
          carrier,
          events: "1",
          limit: era === "rfc2022" ? "32767" : "none",
        },
      ]);
    });
  });
}

describe("sonde register", () => {
  it("holds what does not stay until a signal", async () => {
    const file = config(false, 'simulate: { kernel: "6.12" }');
    const child = start(sondeCommand("register", file, "--backend", "simulated"));
    child.stderr!.on("data", (text: Buffer) => {
      if (text.toString().includes("Holding 1 event")) process.kill(child.pid!, "SIGTERM");
    });
    const { code, stdout } = await ended(child);
    assert.deepEqual([code, stdout], [143, "user_events.shop/checkout  held\n"]);
  });

  it("exits with 69 where the kernel has no user_events, 77 without permission", async () => {
    const kernel = makeEra("6.12");
    const user = tracefsBackend(startProgram(kernel, 1000));
    const refused = await callOn(user, "register", config(true));
    assert.equal(refused.code, 77, refused.stderr);
    assert.match(refused.stderr, /user_events_data" may not be written \(EACCES\)/);
    const without = tracefsBackend(
      startProgram(new SimulatedKernel({ era: null, profile: hostProfile(undefined) })),
    );
    const missing = await callOn(without, "register", config(true));
    assert.equal(missing.code, 69);
    assert.match(missing.stderr, /CONFIG_USER_EVENTS/);
  });

  it("exits with 78 for a file without user_events", async () => {
    const file = scratch.write(
      "none.yaml",
      "apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: none }\n",
    );
    const { code, stderr } = await call("register", file, "--backend", "simulated");
    assert.equal(code, 78);
    assert.match(stderr, /declares no user_events/);
  });
});
