import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describe, it } from "node:test";
import { parseConfig, probeKind } from "../../core/config/config.ts";
import { formatDiagnostic } from "../../core/config/diagnostic.ts";
import { readConfigFile } from "../../core/config/file.ts";

const PATH = fileURLToPath(new URL("../../examples/quickstart.yaml", import.meta.url));

describe("examples/quickstart.yaml", () => {
  const { text } = readConfigFile(PATH) as { text: string };
  const { config, diagnostics } = parseConfig(text, { file: PATH });

  it("is right, without warnings", () => {
    assert.deepEqual(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, text)), []);
  });

  it("fits a page", () => {
    assert.ok(text.split("\n").length <= 61);
  });

  it("shows a kprobe, a kretprobe, a tracepoint and a uprobe, each with calls that fire it", () => {
    assert.ok(config);
    const kinds = Object.values(config.probes).map(probeKind);
    assert.deepEqual(kinds, ["kprobe", "kretprobe", "tracepoint", "uprobe"]);
    const called = config.simulate.calls.map((call) => call.function ?? call.tracepoint);
    for (const probe of Object.values(config.probes)) {
      const place = probe.kprobe ?? probe.kretprobe ?? probe.uprobe;
      assert.ok(called.includes((place?.symbol ?? probe.tracepoint) as string));
    }
    assert.deepEqual(config.sinks, { screen: { type: "text" } });
  });
});
