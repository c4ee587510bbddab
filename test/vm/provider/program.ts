/**
 * A program with a user_event: waits for a listener, writes, waits until nobody listens.
 * Arguments: name of the event, `typed` or `plain` for its fields.
 */
import process from "node:process";
import { openProvider } from "../../../mod.ts";

const [name, fields] = process.argv.slice(2);
const provider = await openProvider({ namespace: "shop" });
const { enabled, write } = fields === "typed" ? typed() : plain();
console.log("registered", provider.carrier?.kind, enabled());
await until(enabled);
console.log("enabled", write());
await until(() => !enabled());
console.log("disabled", write());
if (fields === "typed") {
  provider.close();
  console.log("closed");
} else {
  // To be killed while it holds its event.
  setInterval(() => {}, 1000);
}

function typed() {
  const event = provider.event(name, {
    order_id: "u64",
    delta: "s64",
    cents: "s32",
    small: "u8",
    stage: "char[8]",
    note: "string",
    blob: "bytes",
  });
  return {
    enabled: () => event.enabled,
    write: () =>
      [1n, 2n ** 53n + 1n, 2n ** 64n - 1n].map((order_id) =>
        event.write({
          order_id,
          delta: -(2n ** 63n),
          cents: -5,
          small: 255,
          stage: "paid €€",
          note: "größer",
          blob: Uint8Array.of(0, 255),
        })
      ).join(),
  };
}

function plain() {
  const event = provider.event(name, { n: "u32" });
  return { enabled: () => event.enabled, write: () => event.write({ n: 7 }) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
