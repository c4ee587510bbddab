import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parseConfig } from "../../core/config/config.ts";
import { readConfigFile } from "../../core/config/file.ts";
import { runConfigTest } from "../../core/config_test/run.ts";
import { simulatedBackend } from "../../plugins/simulated/backend.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** How the service is started under each runtime. */
const RUNTIMES = [
  ["bun", []],
  ["deno", ["run", "-A", "--no-check"]],
] as const;

describe("examples/shop.yaml", () => {
  const { text } = readConfigFile(path("examples/shop.yaml")) as { text: string };
  const { config, diagnostics } = parseConfig(text, { file: "shop.yaml" });

  it("is right, and its tests pass", async () => {
    assert.deepEqual(diagnostics, []);
    for (const name of Object.keys(config!.tests)) {
      const { mismatches, error } = await runConfigTest(config!, name, simulatedBackend);
      assert.deepEqual([mismatches, error], [[], undefined]);
    }
  });
});

describe("examples/shop-service.ts", () => {
  for (const [runtime, args] of RUNTIMES) {
    it(`serves under ${runtime}, whoever listens`, async () => {
      const child = spawn(
        path(`node_modules/.bin/${runtime}`),
        [...args, path("examples/shop-service.ts")],
        { env: { ...process.env, PORT: "0" }, stdio: ["ignore", "pipe", "ignore"] },
      );
      const ended = new Promise((resolve) => child.on("exit", resolve));
      try {
        const said = await new Promise<string>((resolve) => {
          child.stdout.setEncoding("utf8").on("data", resolve);
        });
        const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(said)![0];
        const order = await fetch(`${origin}/order?cents=1250&note=gift`, {
          headers: { connection: "close" },
        });
        assert.equal(await order.text(), "order 1\n");
        const wrong = await fetch(`${origin}/order?cents=x`, { headers: { connection: "close" } });
        assert.deepEqual([wrong.status, await wrong.text()], [
          400,
          "GET /order?cents=1250&note=gift\n",
        ]);
      } finally {
        child.kill("SIGTERM");
      }
      await ended;
    });
  }
});
