import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../../core/backend.ts";
import { PluginError } from "../../../core/plugin/error.ts";
import { optionProblems } from "../../../core/plugin/options.ts";
import type { BackendPlugin, JsonSchema, PluginFactory } from "../../../core/plugin/plugin.ts";
import { PluginRegistry } from "../../../core/plugin/registry.ts";
import { BUILTIN_PLUGINS } from "../../../plugins/builtin.ts";

const OPTIONS: JsonSchema = {
  type: "object",
  properties: {
    size: { type: "integer", minimum: 1 },
    mode: { enum: ["fast", "safe"] },
    nested: { type: "object", properties: { deep: { type: "string" } } },
  },
  required: ["size"],
  additionalProperties: false,
};

function backendPlugin(extra: Partial<BackendPlugin> = {}): BackendPlugin {
  return {
    kind: "backend",
    name: "mine",
    description: "a test's",
    create: () => ({ name: "mine" }) as Backend,
    ...extra,
  };
}

function errorOf(action: () => unknown): PluginError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof PluginError, String(error));
    return error;
  }
  assert.fail("it should have failed");
}

describe("PluginRegistry", () => {
  it("holds the built-in plugins, registered like any other", () => {
    const registry = new PluginRegistry(BUILTIN_PLUGINS);
    const names = registry.list().map(({ kind, name }) => `${kind} ${name}`);
    for (const name of ["backend tracefs", "backend simulated", "sink text", "sink jsonl"]) {
      assert.ok(names.includes(name), name);
    }
  });

  it("takes a plugin and makes its backend with the options given", () => {
    const registry = new PluginRegistry([]);
    let seen: unknown;
    const create: BackendPlugin["create"] = ({ options }) => {
      seen = options;
      return { name: "mine" } as Backend;
    };
    registry.register(() => backendPlugin({ options: OPTIONS, create }));
    registry.createBackend("mine", { options: { size: 3, mode: "fast" } });
    assert.deepEqual(seen, { size: 3, mode: "fast" });
  });

  it("refuses what is no plugin, saying what it is", () => {
    const cases: [unknown, RegExp][] = [
      [undefined, /gave no plugin/],
      [null, /gave no plugin/],
      ["text", /gave no plugin/],
      [{}, /kind is undefined/],
      [{ kind: "exporter", name: "x" }, /kind is "exporter"/],
      [{ kind: "sink" }, /name is undefined/],
      [{ kind: "sink", name: "" }, /name is ""/],
      [{ kind: "sink", name: "Upper" }, /name is "Upper"/],
      [{ kind: "sink", name: "a b\n" }, /name is "a b\\n"/],
      [{ kind: "sink", name: "x" }, /"x" has no function "create"/],
      [{ kind: "sink", name: "x", create: 5 }, /"x" has no function "create"/],
      [Promise.resolve(backendPlugin()), /kind is undefined/],
    ];
    for (const [made, message] of cases) {
      const registry = new PluginRegistry([]);
      const error = errorOf(() => registry.register((() => made) as PluginFactory));
      assert.match(error.message, message);
      assert.deepEqual(registry.list(), []);
    }
  });

  it("says that a factory failed, and with what", () => {
    const registry = new PluginRegistry([]);
    const error = errorOf(() =>
      registry.register(() => {
        throw new RangeError("no luck today");
      })
    );
    assert.match(error.message, /factory failed: no luck today/);
    assert.ok(error.cause instanceof RangeError);
  });

  it("keeps one plugin of a kind and name", () => {
    const registry = new PluginRegistry([() => backendPlugin()]);
    assert.match(errorOf(() => registry.register(() => backendPlugin())).message, /already/);
    const sink = { ...backendPlugin(), kind: "sink" } as never;
    registry.register(() => sink);
    assert.equal(registry.list().length, 2);
  });

  it("names what there is where something is not", () => {
    const registry = new PluginRegistry(BUILTIN_PLUGINS);
    const error = errorOf(() => registry.createBackend("tracfs", { options: {} }));
    assert.match(error.message, /There is no backend "tracfs"/);
    assert.match(error.hint!, /Did you mean "tracefs"\?.*simulated/);
    // A sink is no backend.
    errorOf(() => registry.createBackend("text", { options: {} }));
    errorOf(() => registry.sink("simulated"));
    errorOf(() => registry.sink("toString"));
  });

  it("gives its host to plugins: what they need to work", () => {
    const registry = new PluginRegistry(BUILTIN_PLUGINS);
    let backend: Backend | undefined;
    registry.register((host) => {
      assert.equal(host.apiVersion, 1);
      assert.equal(host.names.groupOf("edge-one"), "sonde_edge_one");
      assert.equal(host.names.ownerOfGroup("sonde_edge_one"), "edge-one");
      assert.equal(host.definitions.formatDelete("g", "e"), "-:g/e");
      return backendPlugin({
        create: (context) => backend = host.backend("simulated", { ...context, options: {} }),
      });
    });
    registry.createBackend("mine", { options: {} });
    assert.equal(backend?.name, "simulated");
  });
});

describe("optionProblems", () => {
  const plugin = backendPlugin({ options: OPTIONS });
  const problems = (options: Record<string, unknown>) =>
    optionProblems(plugin, options).map(({ path, message }) => [path.join("."), message] as const);

  it("finds nothing wrong with what fits", () => {
    assert.deepEqual(problems({ size: 1 }), []);
    assert.deepEqual(problems({ size: 9, mode: "safe", nested: { deep: "x" } }), []);
  });

  it("finds each thing that does not, at its place", () => {
    assert.equal(problems({}).length, 1);
    assert.match(problems({})[0][1], /size/);
    assert.equal(problems({ size: 0 })[0][0], "size");
    assert.equal(problems({ size: "9" })[0][0], "size");
    assert.equal(problems({ size: 1, mode: "slow" })[0][0], "mode");
    assert.equal(problems({ size: 1, nested: { deep: 5 } })[0][0], "nested.deep");
    assert.deepEqual(problems({ size: 1, extra: 1, more: 2 }), [
      ["extra", 'backend "mine" has no option "extra"'],
      ["more", 'backend "mine" has no option "more"'],
    ]);
  });

  it("allows no options where none are declared", () => {
    const bare = backendPlugin();
    assert.deepEqual(optionProblems(bare, {}), []);
    assert.deepEqual(optionProblems(bare, { x: 1 }).map(({ message }) => message), [
      'backend "mine" has no option "x"',
    ]);
  });

  it("is asked before a backend is made", () => {
    let made = 0;
    const create = () => (made++, { name: "mine" }) as Backend;
    const registry = new PluginRegistry([() => backendPlugin({ options: OPTIONS, create })]);
    const error = errorOf(() => registry.createBackend("mine", { options: { size: -1 } }));
    assert.match(error.message, /Bad options of backend "mine" at "size"/);
    assert.equal(made, 0);
  });
});
