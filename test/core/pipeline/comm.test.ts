import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommResolver } from "../../../core/pipeline/comm.ts";
import { makeKernel, TRACEFS } from "../../support/host.ts";

const SAVED = `${TRACEFS}/saved_cmdlines`;

function setUp() {
  const kernel = makeKernel();
  return { kernel, sonde: kernel.spawn({ pid: 10, comm: "sonde" }) };
}

describe("CommResolver", () => {
  it("names running threads by /proc, once", () => {
    const { kernel, sonde } = setUp();
    const { commOf } = new CommResolver(sonde);
    assert.equal(commOf(42), "cat");
    const calls = kernel.faults.calls;
    assert.equal(commOf(42), "cat");
    assert.equal(kernel.faults.calls, calls);
  });

  it("knows the idle task", () => {
    assert.equal(new CommResolver(setUp().sonde).commOf(0), "<idle>");
  });

  it("asks the kernel's own list for threads that have ended", () => {
    const { kernel, sonde } = setUp();
    const short = (tid: number, comm: string) => {
      const [event] = kernel.tracing.registry.all();
      kernel.tracing.record({ event, entry: new Uint8Array(16), cpu: 0, comm, tid });
    };
    short(7, "a b");
    short(77, "other");
    const { commOf } = new CommResolver(sonde, SAVED);
    assert.deepEqual([commOf(7), commOf(77)], ["a b", "other"]);
  });

  it("leaves the name out where nobody knows it", () => {
    const { sonde } = setUp();
    assert.equal(new CommResolver(sonde, SAVED).commOf(12345), "");
    assert.equal(new CommResolver(sonde).commOf(12345), "");
    assert.equal(new CommResolver(sonde, "/no/such/file").commOf(12345), "");
  });

  it("keeps blanks and odd characters of a name", () => {
    const { kernel, sonde } = setUp();
    for (const [pid, comm] of [[50, "(sd-pam)"], [51, " x y "], [52, "kworker/0:1-ev"]] as const) {
      kernel.spawn({ pid, comm });
      assert.equal(new CommResolver(sonde).commOf(pid), comm);
    }
  });
});
