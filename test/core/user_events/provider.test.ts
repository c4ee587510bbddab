import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALL_TYPES, ERAS, later, makeEra, record, startProvider } from "./fixture.ts";

const CHECKOUT = { order_id: "u64", stage: "char[16]", note: "string" } as const;
const ORDER = { order_id: 7n, stage: "paid", note: "hello" } as const;
const SHOP = { namespace: "shop" };

for (const era of ERAS) {
  describe(`a provider on ${era}`, () => {
    it("is disabled until somebody listens, writes, and is disabled again", async () => {
      const kernel = makeEra(era);
      const { process, provider } = startProvider(kernel, SHOP);
      const event = provider.event("checkout", CHECKOUT);
      assert.equal(event.name, "user_events.shop/checkout");
      assert.equal(event.enabled, false);
      assert.equal(event.write(ORDER), false);
      const records = await record(kernel, ["shop/checkout"], () => {
        assert.equal(event.enabled, true);
        assert.equal(event.write(ORDER), true);
        later(kernel, 5, () => event.write({ ...ORDER, order_id: 8n, note: "" }));
      });
      assert.equal(event.enabled, false);
      assert.equal(event.write(ORDER), false);
      assert.deepEqual(
        records.map(({ probe, event, tid, comm, args }) => ({ probe, event, tid, comm, args })),
        [
          {
            probe: "checkout",
            event: "user_events.shop/checkout",
            tid: process.pid,
            comm: "shop",
            args: { order_id: 7n, stage: "paid", note: "hello" },
          },
          {
            probe: "checkout",
            event: "user_events.shop/checkout",
            tid: process.pid,
            comm: "shop",
            args: { order_id: 8n, stage: "paid", note: "" },
          },
        ],
      );
    });

    it("hands over the lowest and highest value of every type", async () => {
      const kernel = makeEra(era);
      const { provider } = startProvider(kernel);
      const event = provider.event("types", ALL_TYPES);
      const low = {
        a: 0,
        b: 0,
        c: 0,
        d: 0n,
        e: -(2 ** 7),
        f: -(2 ** 15),
        g: -(2 ** 31),
        h: -(2n ** 63n),
        i: -(2 ** 31),
        j: 0,
        stage: "",
        note: "",
        blob: new Uint8Array(),
      };
      const high = {
        a: 2 ** 8 - 1,
        b: 2 ** 16 - 1,
        c: 2 ** 32 - 1,
        d: 2n ** 64n - 1n,
        e: 2 ** 7 - 1,
        f: 2 ** 15 - 1,
        g: 2 ** 31 - 1,
        h: 2n ** 63n - 1n,
        i: 2 ** 31 - 1,
        j: 2 ** 16 - 1,
        // Seven bytes and a NUL: the second ü does not fit.
        stage: "ab€cü",
        note: "größer als ein Feld",
        blob: Uint8Array.of(0, 255, 10),
      };
      const records = await record(kernel, ["types"], () => {
        event.write(low);
        event.write(high);
      });
      assert.deepEqual(records.map(({ args }) => args), [
        { ...low, blob: [] },
        { ...high, stage: "ab€c", blob: [0, 255, 10] },
      ]);
    });
  });
}
