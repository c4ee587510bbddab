/**
 * A service that tells what it does by user_events. It runs with or without somebody who listens,
 * and on machines without user_events:
 *
 *   bun examples/shop-service.ts
 *   deno run -A examples/shop-service.ts
 *
 * Record it as root, from another terminal: sonde run examples/shop.yaml
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { openProvider } from "../mod.ts";

// On the main thread, before any worker is started: the kernel knows events by this thread.
const provider = await openProvider({ namespace: "shop" });
const checkout = provider.event("checkout", {
  order_id: "u64",
  stage: "char[16]",
  amount_cents: "s32",
  note: "string",
});

let lastOrder = 0n;

/** Takes an order. While nobody listens, its events cost one read of memory. */
function placeOrder(cents: number, note: string): bigint {
  const order_id = ++lastOrder;
  tell(order_id, "placed", cents, note);
  tell(order_id, "paid", cents, note);
  return order_id;
}

function tell(order_id: bigint, stage: string, amount_cents: number, note: string): void {
  if (checkout.enabled) checkout.write({ order_id, stage, amount_cents, note });
}

/** `GET /order?cents=1250&note=gift`. */
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const cents = Number(searchParams.get("cents"));
  const note = (searchParams.get("note") ?? "").slice(0, 200).replaceAll("\0", "");
  if (pathname !== "/order" || !Number.isInteger(cents) || Math.abs(cents) > 1e9) {
    response.writeHead(400).end("GET /order?cents=1250&note=gift\n");
    return;
  }
  response.end(`order ${placeOrder(cents, note)}\n`);
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const events = provider.unavailable === undefined
    ? `${checkout.name}, carried by: ${provider.carrier?.kind}`
    : "none";
  console.log(`http://127.0.0.1:${port}/order?cents=1250 (user_events: ${events})`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    provider.close();
  });
}
