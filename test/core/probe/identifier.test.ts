import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  eventFault,
  fieldFault,
  groupFault,
  moduleFault,
  pathFault,
  sanitizeEventName,
  symbolFault,
} from "../../../core/probe/identifier.ts";

describe("names", () => {
  it("holds groups and events to 63 characters", () => {
    for (const fault of [groupFault, eventFault]) {
      assert.equal(fault("a".repeat(63)), undefined);
      assert.match(fault("a".repeat(64)) ?? "", /64 characters, more than 63/);
      assert.equal(fault("_Open2"), undefined);
      for (const name of ["", "2open", "a.b", "a/b", "a b", "a\n", "é", "a\0"]) {
        assert.notEqual(fault(name), undefined, JSON.stringify(name));
      }
    }
    assert.equal(groupFault("-my-group"), undefined);
    assert.notEqual(eventFault("my-event"), undefined);
  });

  it("holds fields to 32 characters and keeps the kernel's own", () => {
    assert.equal(fieldFault("a".repeat(32)), undefined);
    assert.notEqual(fieldFault("a".repeat(33)), undefined);
    for (const name of ["common_pid", "__probe_ip", "a-b", "1a"]) {
      assert.notEqual(fieldFault(name), undefined, name);
    }
    assert.equal(fieldFault("common_foo"), undefined);
  });

  it("knows symbols and modules", () => {
    for (const name of ["vfs_read", "do_exit.isra.0", ".dot", "_RNvCs1_4core3foo", "a$b"]) {
      assert.equal(symbolFault(name), undefined, name);
    }
    for (const name of ["", "0x1000", "a+4", "a-4", "m:a", "a%return", "a b", "a".repeat(512)]) {
      assert.notEqual(symbolFault(name), undefined, name);
    }
    for (const name of ["nf_tables", "8021q", "a".repeat(55)]) {
      assert.equal(moduleFault(name), undefined, name);
    }
    assert.match(moduleFault("nf-tables") ?? "", /writes "_"/);
    for (const name of ["", "a:b", "a b", "a".repeat(56)]) {
      assert.notEqual(moduleFault(name), undefined);
    }
  });

  it("keeps a path to one word", () => {
    for (const path of ["/bin/sh", "/tmp/a:b:0x10", "/tmp/é(%return)=x", '/a\\b"c']) {
      assert.equal(pathFault(path), undefined, path);
    }
    const bad = ["", "sh", "./sh", "/a b", "/a\nb", "/a\0", "/a#b", "/a;b", "/a\u2028b", "/\ud800"];
    for (const path of bad) assert.notEqual(pathFault(path), undefined, JSON.stringify(path));
    assert.match(pathFault("/tmp/à") ?? "", /0xa0/);
    assert.match(pathFault(`/${"a".repeat(4095)}`) ?? "", /4096 bytes/);
  });

  it("never lets a path be more than one word to the kernel", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }).map((text) => `/${text}`), (path) => {
        if (pathFault(path) !== undefined) return;
        const blanks = [...new TextEncoder().encode(path)].filter((byte) =>
          byte <= 0x20 || byte === 0x7f || byte === 0xa0
        );
        assert.deepEqual(blanks, []);
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});

describe("sanitizeEventName", () => {
  it("makes an event name of a symbol", () => {
    assert.equal(sanitizeEventName("__x64_sys_getpid"), "_x64_sys_getpid");
    assert.equal(sanitizeEventName("a.....a"), "a_a");
    assert.equal(sanitizeEventName("do_exit.isra.0"), "do_exit_isra_0");
    assert.equal(sanitizeEventName("8021q"), "_8021q");
    assert.equal(sanitizeEventName(""), "_");
  });

  it("always makes a valid one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (symbol) => {
        assert.equal(eventFault(sanitizeEventName(symbol)), undefined);
      }),
      { seed: 4 },
    );
  });
});
