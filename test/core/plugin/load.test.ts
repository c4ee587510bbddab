import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { PluginError } from "../../../core/plugin/error.ts";
import { loadPlugin } from "../../../core/plugin/load.ts";
import { PluginRegistry } from "../../../core/plugin/registry.ts";
import {
  IS_ROOT,
  makePluginDirectory,
  SINK_PLUGIN,
  writePlugin,
} from "../../support/plugin_file.ts";

const ROOT_ONLY = IS_ROOT ? false : "only root's plugins are vetted";

let directory: string;
let remove: () => void;
beforeEach(() => ({ path: directory, remove } = makePluginDirectory()));
afterEach(() => remove());

/** The error that loading fails with. */
async function refusal(file: string): Promise<PluginError> {
  const error = await loadPlugin(file).then(() => assert.fail("it was loaded"), (error) => error);
  assert.ok(error instanceof PluginError, String(error));
  assert.ok(error.message.includes(`"${file}"`), error.message);
  return error;
}

describe("loadPlugin", () => {
  it("loads a plugin written in TypeScript", async () => {
    const registry = new PluginRegistry([]);
    const plugin = registry.register(await loadPlugin(writePlugin(directory, SINK_PLUGIN)));
    assert.deepEqual([plugin.kind, plugin.name], ["sink", "lines"]);
  });

  it("says what is wrong with what is no plugin", async () => {
    const cases: [text: string, message: RegExp][] = [
      ["export const apiVersion = 1;", /no default export that is a function/],
      ["export const apiVersion = 1; export default {};", /no default export that is a function/],
      ["export default () => ({});", /is for version undefined of the plugin interface/],
      ["export const apiVersion = 2; export default () => ({});", /is for version 2 .* version 1/],
      ['export const apiVersion = "1"; export default () => ({});', /is for version 1/],
      ["export const apiVersion = ", /Cannot load plugin/],
      ['throw new RangeError("too early");', /Cannot load plugin .*too early/],
      ['import "no-such-package-at-all";', /Cannot load plugin/],
    ];
    for (const [index, [text, message]] of cases.entries()) {
      const error = await refusal(writePlugin(directory, text, `wrong${index}.ts`));
      assert.match(error.message, message);
      assert.notEqual(error.hint, undefined);
    }
  });

  it("looks at the version before anything else", async () => {
    const text = "export const apiVersion = 7; export default 5;";
    assert.match((await refusal(writePlugin(directory, text))).message, /version 7/);
  });

  it("says that there is no such file, or that it is a directory", async () => {
    assert.match((await refusal(join(directory, "nothing.ts"))).message, /ENOENT/);
    await refusal(directory);
  });

  it("follows a link", async () => {
    const file = writePlugin(directory, SINK_PLUGIN);
    symlinkSync(file, join(directory, "link.ts"));
    assert.equal(typeof await loadPlugin(join(directory, "link.ts")), "function");
  });

  it("does not run what others can write, as root", { skip: ROOT_ONLY }, async () => {
    for (const mode of [0o666, 0o664, 0o646]) {
      const file = writePlugin(directory, "throw new Error('it ran');", `mode${mode}.ts`);
      chmodSync(file, mode);
      const error = await refusal(file);
      assert.match(error.message, /Refused.*as root.*can be written by others/);
      assert.ok(error.message.includes(mode.toString(8)));
      assert.match(error.hint!, /only root can write/);
    }
  });

  it("does not run what lies below a directory of others, as root", {
    skip: ROOT_ONLY,
  }, async () => {
    for (const [name, mode] of [["all", 0o777], ["group", 0o775], ["sticky", 0o1777]] as const) {
      mkdirSync(join(directory, name, "deep"), { recursive: true });
      const file = writePlugin(join(directory, name, "deep"), "throw new Error('it ran');");
      chmodSync(join(directory, name), mode);
      assert.match((await refusal(file)).message, new RegExp(`${name}" can be written by others`));
    }
  });

  it("does not run what belongs to somebody else, as root", { skip: ROOT_ONLY }, async () => {
    const file = writePlugin(directory, "throw new Error('it ran');");
    chownSync(file, 1000, 0);
    assert.match((await refusal(file)).message, /belongs to user 1000/);
    chownSync(file, 0, 0);
    chownSync(directory, 1000, 0);
    assert.match((await refusal(file)).message, /belongs to user 1000/);
  });

  it("does not follow a link that somebody else could turn, as root", {
    skip: ROOT_ONLY,
  }, async () => {
    const open = mkdtempSync(join(tmpdir(), "sonde-open-"));
    try {
      chmodSync(open, 0o777);
      const safe = writePlugin(directory, SINK_PLUGIN);
      const turned = join(open, "turned.ts");
      symlinkSync(safe, turned);
      await refusal(turned);
      // A link of our own to that link.
      symlinkSync(turned, join(directory, "first.ts"));
      await refusal(join(directory, "first.ts"));
      // A directory that is reached through it.
      symlinkSync(directory, join(open, "directory"));
      symlinkSync(join(open, "directory"), join(directory, "through"));
      await refusal(join(directory, "through", "plugin.ts"));
      // A link of our own to a file that others can write.
      const unsafe = writePlugin(open, SINK_PLUGIN, "unsafe.ts");
      symlinkSync(unsafe, join(directory, "second.ts"));
      await refusal(join(directory, "second.ts"));
    } finally {
      rmSync(open, { recursive: true });
    }
  });
});
