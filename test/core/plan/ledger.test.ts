import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Operation } from "../../../core/operation.ts";
import { deleteLedger, Ledger, listLedgers, readLedger } from "../../../core/plan/ledger.ts";
import { ensureStateDirectory } from "../../../core/plan/state.ts";
import { atEveryCall } from "../../support/faults.ts";
import { hostState, makeKernel, readHostFile, writeHostFile } from "../../support/host.ts";

const FILE = "/run/sonde/edge.ledger";

function operation(name: string): Operation {
  return {
    kind: "definition",
    target: `sonde_edge/${name}`,
    probe: name,
    step: { call: "append", file: "kprobe_events", text: `p:sonde_edge/${name} vfs_read` },
    undo: { call: "append", file: "kprobe_events", text: `-:sonde_edge/${name}` },
  };
}

const [A, B, C] = ["a", "b", "c"].map(operation);

function setUp() {
  const kernel = makeKernel();
  const sonde = kernel.spawn({ pid: 10, comm: "sonde" });
  ensureStateDirectory(sonde);
  return { kernel, sonde };
}

describe("Ledger", () => {
  it("holds what was recorded, uncommitted, in the order of recording", () => {
    const { sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    ledger.record([A, B]);
    ledger.record([C]);
    assert.deepEqual(readLedger(sonde, "edge"), {
      name: "edge",
      backend: "tracefs",
      thisBoot: true,
      committed: false,
      operations: [A, B, C],
    });
  });

  it("is written before record returns, and nothing of it waits for close", () => {
    const { kernel, sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    ledger.record([A]);
    sonde.kill();
    const other = kernel.spawn({ pid: 11, comm: "sonde" });
    assert.deepEqual(readLedger(other, "edge")?.operations, [A]);
  });

  it("is flushed to the disk before record returns", () => {
    const { kernel, sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    kernel.faults.add({ call: "fsync", nth: 1, times: 1, error: "EIO" });
    assert.throws(() => ledger.record([A]), /fsync/);
  });

  it("holds what it is committed to, and nothing else", () => {
    const { kernel, sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    ledger.record([A, B]);
    ledger.commit([B, C]);
    ledger.close();
    const content = readLedger(sonde, "edge");
    assert.deepEqual([content?.committed, content?.operations], [true, [B, C]]);
    assert.deepEqual(hostState(kernel).files, ["edge.ledger"]);
  });

  it("is not committed any more once it is opened again", () => {
    const { sonde } = setUp();
    const first = new Ledger(sonde, "edge", "tracefs");
    first.commit([A]);
    first.close();
    const second = new Ledger(sonde, "edge", "tracefs");
    second.record([B]);
    second.close();
    const content = readLedger(sonde, "edge");
    assert.deepEqual([content?.committed, content?.operations], [false, [A, B]]);
  });

  it("stays what it was if a call fails while it is committed or opened", async () => {
    const prepare = () => {
      const { kernel, sonde } = setUp();
      const first = new Ledger(sonde, "edge", "tracefs");
      first.commit([A]);
      first.close();
      const act = () => {
        const ledger = new Ledger(sonde, "edge", "tracefs");
        ledger.commit([B]);
        ledger.close();
      };
      return Promise.resolve({ kernel, sonde, run: () => Promise.resolve().then(act) });
    };
    await atEveryCall("ENOSPC", prepare, ({ sonde }, { error, call }) => {
      const content = readLedger(sonde, "edge");
      // Opened, it is committed no more: its sonde then takes back what it did.
      const was = error === undefined ? [B] : [A];
      assert.deepEqual(content?.operations, was, call);
      return Promise.resolve();
    });
  });

  it("drops a torn last line, and lines that are nothing", () => {
    const { kernel, sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    ledger.record([A]);
    ledger.close();
    const text = readHostFile(kernel, FILE);
    for (
      const rest of ['{"operation":{"ki', "null\n", "7\n", "\n\n", "\0\0\0\0", '"x"\n', "{}\n"]
    ) {
      writeHostFile(kernel, FILE, text + rest);
      const content = readLedger(sonde, "edge");
      assert.deepEqual([content?.thisBoot, content?.operations], [true, [A]], rest);
      assert.equal(content?.committed, false);
    }
  });

  it("is not committed by a torn line", () => {
    const { kernel, sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    ledger.commit([A]);
    ledger.close();
    const text = readHostFile(kernel, FILE);
    for (let length = 0; length < text.length; length++) {
      writeHostFile(kernel, FILE, text.slice(0, length));
      assert.equal(readLedger(sonde, "edge")?.committed, false);
    }
  });

  it("knows the ledger of another boot", () => {
    const { kernel, sonde } = setUp();
    const ledger = new Ledger(sonde, "edge", "tracefs");
    ledger.commit([A]);
    const text = readHostFile(kernel, FILE);
    writeHostFile(kernel, FILE, text.replace(/"boot":"[^"]*"/, '"boot":"an-earlier-one"'));
    assert.equal(readLedger(sonde, "edge")?.thisBoot, false);
  });

  it("does not take a boot id that cannot be read for another boot", () => {
    const { kernel, sonde } = setUp();
    new Ledger(sonde, "edge", "tracefs").commit([A]);
    kernel.faults.add({ path: "boot_id", nth: 1, times: 1, error: "EMFILE" });
    assert.throws(() => readLedger(sonde, "edge"), /EMFILE/);
  });

  it("is one file a trace", () => {
    const { sonde } = setUp();
    for (const name of ["edge", "edge-two"]) new Ledger(sonde, name, "tracefs").close();
    assert.deepEqual(listLedgers(sonde), ["edge", "edge-two"]);
    deleteLedger(sonde, "edge");
    deleteLedger(sonde, "edge");
    assert.deepEqual(listLedgers(sonde), ["edge-two"]);
    assert.equal(readLedger(sonde, "edge"), undefined);
  });

  it("is not taken for missing when it cannot be read", () => {
    const { kernel, sonde } = setUp();
    new Ledger(sonde, "edge", "tracefs").commit([A]);
    kernel.faults.add({ path: FILE, nth: 1, times: 1, error: "EIO" });
    assert.throws(() => readLedger(sonde, "edge"), /EIO/);
  });
});
