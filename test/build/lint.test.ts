/** The lint rules that keep the structure. The linter is Deno's, so they are tested there. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

interface LintRunner {
  readonly lint: {
    runPlugin(plugin: unknown, file: string, source: string): readonly { readonly id: string }[];
  };
}

const runtime = (globalThis as { readonly Deno?: LintRunner }).Deno;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** The rules that `source` breaks if it stands in `file`. */
async function broken(file: string, source: string): Promise<string[]> {
  const { default: plugin } = await import("../../build/lint/sonde.ts");
  return runtime!.lint.runPlugin(plugin, root + file, source).map(({ id }) => id);
}

const DIRECTION = "sonde/import-direction";
const GLOBALS = "sonde/runtime-globals";

describe("lint rules (need Deno)", { skip: runtime === undefined }, () => {
  it("keep core from importing a plugin or a command", async () => {
    const source = (path: string) => `import { a } from "${path}"; a();`;
    assert.deepEqual(await broken("core/plan/x.ts", source("../../plugins/tracefs/mod.ts")), [
      DIRECTION,
    ]);
    assert.deepEqual(await broken("core/plan/x.ts", source("../../cli/main.ts")), [DIRECTION]);
    assert.deepEqual(await broken("core/plan/x.ts", source("../kernel/port.ts")), []);
  });

  it("keep a plugin from importing another one", async () => {
    const other = `export * from "../sinks/text.ts";`;
    assert.deepEqual(await broken("plugins/tracefs/x.ts", other), [DIRECTION]);
    assert.deepEqual(await broken("plugins/sinks/x.ts", other), []);
    const dynamic = `await import("../../cli/main.ts");`;
    assert.deepEqual(await broken("plugins/tracefs/x.ts", dynamic), [DIRECTION]);
  });

  it("let the simulated kernel drive the backends, and the list name all plugins", async () => {
    const tracefs = `import { a } from "../tracefs/backend.ts"; a();`;
    assert.deepEqual(await broken("plugins/simulated/x.ts", tracefs), []);
    const list = `import { a } from "./tracefs/mod.ts"; a();`;
    assert.deepEqual(await broken("plugins/builtin.ts", list), []);
  });

  it("let nothing but core/kernel name the runtime", async () => {
    assert.deepEqual(await broken("core/plan/x.ts", "Deno.exit(1);"), [GLOBALS]);
    assert.deepEqual(await broken("cli/x.ts", "Bun.gc(true);"), [GLOBALS]);
    assert.deepEqual(await broken("core/kernel/sys/x.ts", "Deno.exit(1);"), []);
    assert.deepEqual(await broken("cli/x.ts", "console.log(process.versions.Bun);"), []);
  });
});
