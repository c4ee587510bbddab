import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ERAS, later, makeEra, probesOf, record, startProgram, startProvider } from "./fixture.ts";
import { openProviderOn } from "../../../core/user_events/provider.ts";
import { killSonde, makeRequest, startSonde } from "../../support/host.ts";
import { installTrace } from "../../../core/session/install.ts";

const SHOP = { namespace: "shop" };

for (const era of ERAS) {
  describe(`several programs on ${era}`, () => {
    it("records an event that is registered after sonde has started", async () => {
      const kernel = makeEra(era);
      const records = await record(kernel, ["shop/late"], () => {
        later(kernel, 20, () => {
          const event = startProvider(kernel, SHOP).provider.event("late", { n: "u32" });
          later(kernel, 150, () => event.write({ n: 5 }));
        });
      });
      assert.deepEqual(records.map(({ args }) => args), [{ n: 5 }]);
    });

    it("records 200 events of 20 namespaces, each as its own", async () => {
      const kernel = makeEra(era);
      const names = Array.from(
        { length: 200 },
        (_, i) => [`ns${i % 20}`, `event${i}`] as const,
      );
      const events = names.map(([namespace, name], n) => {
        const event = startProvider(kernel, { namespace }).provider.event(name, { n: "u32" });
        return () => event.write({ n });
      });
      const paths = names.map(([namespace, name]) => `${namespace}/${name}`);
      const records = await record(kernel, paths, () => events.forEach((write) => write()));
      const seen = records.map(({ event, args }) => `${event} ${args.n}`).sort();
      assert.deepEqual(seen, paths.map((path, n) => `user_events.${path} ${n}`).sort());
    });

    it("goes on where a provider of the same event is killed", async () => {
      const kernel = makeEra(era);
      const dying = startProvider(kernel, SHOP);
      const living = startProvider(kernel, SHOP).provider.event("beat", { n: "u32" });
      const event = dying.provider.event("beat", { n: "u32" });
      const records = await record(kernel, ["shop/beat"], () => {
        event.write({ n: 1 });
        dying.process.kill();
        living.write({ n: 2 });
        later(kernel, 10, () => living.write({ n: 3 }));
      });
      assert.deepEqual(records.map(({ args }) => args.n).sort(), [1, 2, 3]);
      assert.deepEqual(kernel.messages, []);
    });

    it("knows that the next sonde listens after one was killed", async () => {
      const kernel = makeEra(era);
      const { provider } = startProvider(kernel, SHOP);
      const event = provider.event("beat", { n: "u32" });
      const killed = startSonde(kernel);
      await installTrace(killed, await makeRequest(killed, probesOf(["shop/beat"])));
      await killed.capture(await makeRequest(killed, probesOf(["shop/beat"])));
      assert.equal(event.enabled, true);
      killSonde(killed);
      // What it enabled stays enabled, until the next one of its name has swept up.
      assert.equal(event.enabled, true);
      const records = await record(kernel, ["shop/beat"], () => event.write({ n: 9 }));
      assert.deepEqual(records.map(({ args }) => args), [{ n: 9 }]);
      assert.equal(event.enabled, false);
    });

    it("keeps equal names of different namespaces apart", async () => {
      const kernel = makeEra(era);
      const one = startProvider(kernel, { namespace: "one" }).provider.event("beat", { n: "u32" });
      const two = startProvider(kernel, { namespace: "two" }).provider.event("beat", {
        text: "string",
      });
      const records = await record(kernel, ["two/beat"], () => {
        assert.equal(one.enabled, false);
        one.write({ n: 1 });
        two.write({ text: "here" });
      });
      assert.deepEqual(records.map(({ args }) => args), [{ text: "here" }]);
    });

    it("takes a descriptor that was opened for it, and leaves it open", async () => {
      const kernel = makeEra(era);
      const process = startProgram(kernel);
      const fd = process.open("/sys/kernel/tracing/user_events_data", { access: "write" });
      const provider = openProviderOn(process, { namespace: "shop", fd });
      const event = provider.event("beat", { n: "u32" });
      const records = await record(kernel, ["shop/beat"], () => event.write({ n: 1 }));
      assert.deepEqual(records.map(({ args }) => args), [{ n: 1 }]);
      provider.close();
      process.close(fd);
    });
  });
}

describe("two providers with different fields of one name on 6.12", () => {
  it("are recorded each by its own format, early and late", async () => {
    const kernel = makeEra("6.12");
    const old = startProvider(kernel, SHOP).provider.event("beat", { n: "u32" });
    const text = startProvider(kernel, SHOP).provider.event("beat", { text: "string", big: "u64" });
    const records = await record(kernel, ["shop/beat"], () => {
      old.write({ n: 1 });
      later(kernel, 5, () => text.write({ text: "two", big: 2n ** 60n }));
      later(kernel, 10, () => {
        const late = startProvider(kernel, SHOP).provider.event("beat", { signed: "s8" });
        later(kernel, 150, () => late.write({ signed: -3 }));
      });
    });
    assert.deepEqual(records.map(({ event, args }) => [event, args]), [
      ["user_events.shop/beat", { n: 1 }],
      ["user_events.shop/beat", { text: "two", big: 2n ** 60n }],
      ["user_events.shop/beat", { signed: -3 }],
    ]);
  });
});
