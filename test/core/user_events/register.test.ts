import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { appendText } from "../../../core/kernel/files.ts";
import { RegistrationError } from "../../../core/user_events/data_file.ts";
import {
  registerEvents,
  type Registration,
  UnavailableError,
} from "../../../core/user_events/register.ts";
import { listNamespaces, listUserEvents, parseStatus } from "../../../core/user_events/status.ts";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { makeConfig, TRACEFS } from "../../support/host.ts";
import { ERAS, makeEra, startProgram, startProvider } from "./fixture.ts";

const CONFIG = makeConfig(`
namespaces: { shop: {} }
user_events:
  checkout:
    namespace: shop
    fields: { order_id: u64, stage: "char[16]", note: string }
    persist: true
  cart: { namespace: shop, fields: { n: u32 } }
  plain: { fields: { n: u32 } }
`);

/** Names and listeners of all events, as the kernel has them. */
function listed(kernel: SimulatedKernel): Record<string, string> {
  const events = listUserEvents(startProgram(kernel));
  assert.ok(Array.isArray(events));
  return Object.fromEntries(events.map(({ name, listeners }) => [name, listeners.join()]));
}

function settle(kernel: SimulatedKernel): void {
  kernel.scheduler.advance(10_000_000n);
}

function register(kernel: SimulatedKernel, uid = 0): Registration {
  return registerEvents(startProgram(kernel, uid), CONFIG);
}

for (const era of ERAS) {
  describe(`registering a config's events on ${era}`, () => {
    it("makes them all, and leaves those that are to stay", () => {
      const kernel = makeEra(era);
      const registration = register(kernel);
      assert.deepEqual(registration.events, [
        { name: "user_events.shop/checkout", stays: true },
        { name: "user_events.shop/cart", stays: false },
        { name: "user_events/plain", stays: false },
      ]);
      assert.deepEqual(Object.keys(listed(kernel)).sort(), [
        "user_events.shop/cart",
        "user_events.shop/checkout",
        "user_events/plain",
      ]);
      registration.close();
      settle(kernel);
      assert.deepEqual(listed(kernel), { "user_events.shop/checkout": "" });
    });

    it("leaves what other programs have registered or hold", () => {
      const kernel = makeEra(era);
      startProvider(kernel).provider.event("plain", { n: "u32" });
      const registration = register(kernel);
      startProvider(kernel, { namespace: "shop" }).provider.event("cart", { n: "u32" });
      registration.close();
      settle(kernel);
      assert.deepEqual(Object.keys(listed(kernel)).sort(), [
        "user_events.shop/cart",
        "user_events.shop/checkout",
        "user_events/plain",
      ]);
    });

    it("lists carrier, listeners, fields and namespaces", () => {
      const kernel = makeEra(era);
      register(kernel);
      const process = startProgram(kernel);
      appendText(process, `${TRACEFS}/events/user_events/plain/enable`, "1");
      const carrier = era === "rfc2022" ? "kernel" : "emulated";
      const events = listUserEvents(process);
      assert.ok(Array.isArray(events));
      const byName = Object.fromEntries(events.map((event) => [event.name, event]));
      assert.deepEqual(byName["user_events/plain"], {
        name: "user_events/plain",
        carrier: "root",
        listeners: ["ftrace"],
        fields: "u32 n",
      });
      assert.deepEqual(byName["user_events.shop/checkout"], {
        name: "user_events.shop/checkout",
        carrier,
        listeners: [],
        fields: "u64 order_id; char[16] stage; __rel_loc char[] note",
      });
      assert.deepEqual(listNamespaces(process), [
        { name: "user_events", carrier: "root", events: 1, limit: undefined },
        {
          name: "user_events.shop",
          carrier,
          events: 2,
          limit: era === "rfc2022" ? 32767 : undefined,
        },
      ]);
    });
  });
}

describe("registering a config's events", () => {
  it("holds what cannot stay, and says why", () => {
    const kernel = makeEra("6.12");
    // Three calls ask for the interface in the first namespace, the fourth registers.
    kernel.faults.add({ call: "ioctl", nth: 4, times: 1, error: "EPERM" });
    const [checkout] = register(kernel).events;
    assert.equal(checkout.stays, false);
    assert.match(checkout.heldBecause!, /CAP_PERFMON/);
  });

  it("lets go of all if one is refused", () => {
    const kernel = makeEra("6.12");
    startProvider(kernel).provider.event("plain", { other: "u64" });
    assert.throws(
      () => register(kernel),
      (error) => error instanceof RegistrationError && error.code === "EADDRINUSE",
    );
    settle(kernel);
    assert.deepEqual(Object.keys(listed(kernel)).sort(), [
      // What stays cannot be taken back by closing.
      "user_events.shop/checkout",
      "user_events/plain",
    ]);
  });

  it("fails with a reason where there is no permission", () => {
    assert.throws(
      () => register(makeEra("6.12"), 1000),
      (error) => error instanceof UnavailableError && error.message.length > 20,
    );
  });
});

describe("parseStatus", () => {
  it("reads both versions", () => {
    assert.deepEqual(parseStatus("a # Used by ftrace perf\nshop.b\n\nActive: 2\nBusy: 1\n"), [
      { name: "a", listeners: ["ftrace", "perf"] },
      { name: "shop.b", listeners: [] },
    ]);
    assert.deepEqual(parseStatus("1:a # Used by other\n\nActive: 1\nBusy: 1\nMax: 32768\n"), [
      { name: "a", listeners: ["other"] },
    ]);
    assert.deepEqual(parseStatus("\nActive: 0\nBusy: 0\n"), []);
  });
});
