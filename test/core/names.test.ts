import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  groupOf,
  instanceOf,
  isTraceName,
  ownerOfGroup,
  ownerOfInstance,
} from "../../core/names.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$|^[a-z]$/);

describe("names of what a trace owns", () => {
  it("tell the trace", () => {
    fc.assert(
      fc.property(name, (trace) => {
        assert.equal(isTraceName(trace), true);
        assert.equal(ownerOfGroup(groupOf(trace)), trace);
        assert.equal(ownerOfInstance(instanceOf(trace)), trace);
        assert.match(groupOf(trace), /^[A-Za-z_][A-Za-z0-9_]{0,62}$/);
      }),
      { seed: 3 },
    );
  });

  it("are different for different traces", () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        fc.pre(a !== b);
        assert.notEqual(groupOf(a), groupOf(b));
        assert.notEqual(instanceOf(a), instanceOf(b));
      }),
      { seed: 4 },
    );
  });

  it("are not seen in what is somebody else's", () => {
    const groups = [
      "",
      "sonde",
      "sonde_",
      "sonde_A",
      "sonde_1a",
      "sonde_a_",
      "xsonde_a",
      "kprobes",
    ];
    for (const group of groups) assert.equal(ownerOfGroup(group), undefined, group);
    for (const instance of ["", "sonde", "sonde-", "sonde-A", "sonde-a_b", "sonde-a-", "sonde_a"]) {
      assert.equal(ownerOfInstance(instance), undefined, instance);
    }
    assert.equal(ownerOfGroup(`sonde_${"a".repeat(41)}`), undefined);
  });

  it("cannot be made of what is no name", () => {
    for (
      const text of ["", "A", "1a", "-a", "a-", "a_b", "a b", "a/b", "a\n", "é", "a".repeat(41)]
    ) {
      assert.equal(isTraceName(text), false, JSON.stringify(text));
    }
  });
});
