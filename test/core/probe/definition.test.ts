import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  formatDefinition,
  formatDelete,
  parseDefinition,
  sameDefinition,
} from "../../../core/probe/definition.ts";
import { DefinitionError } from "../../../core/probe/error.ts";
import type { DefinedProbe, KprobeProbe, UprobeProbe } from "../../../core/probe/probe.ts";
import { identifier } from "./arbitrary.ts";
import { LISTED } from "./fetch_cases.ts";

const kprobe: KprobeProbe = {
  id: "open",
  kind: "kprobe",
  group: "sonde_edge",
  event: "open",
  place: { symbol: "do_sys_openat2", offset: 0 },
  args: [{ name: "dfd", fetch: "$arg1:s32" }, { name: "file", fetch: "+0($arg2):ustring" }],
};

const uprobe: UprobeProbe = {
  id: "read",
  kind: "uprobe",
  group: "sonde_edge",
  event: "read",
  place: { path: "/usr/lib/libssl.so.3", offset: 0x1139n },
  args: [{ name: "num", fetch: "%dx:s32" }],
};

describe("formatDefinition", () => {
  it("writes the kernel's line", () => {
    assert.equal(
      formatDefinition(kprobe),
      "p:sonde_edge/open do_sys_openat2 dfd=$arg1:s32 file=+0($arg2):ustring",
    );
    assert.equal(
      formatDefinition({
        ...kprobe,
        place: { symbol: "nft_do_chain", offset: 20, module: "nf_tables" },
        args: [],
      }),
      "p:sonde_edge/open nf_tables:nft_do_chain+0x14",
    );
    const kretprobe = { ...kprobe, kind: "kretprobe" as const, args: [] };
    assert.equal(formatDefinition(kretprobe), "r:sonde_edge/open do_sys_openat2");
    assert.equal(
      formatDefinition({ ...kretprobe, maxActive: 256 }),
      "r256:sonde_edge/open do_sys_openat2",
    );
    assert.equal(
      formatDefinition(uprobe),
      "p:sonde_edge/read /usr/lib/libssl.so.3:0x1139 num=%dx:s32",
    );
    assert.equal(
      formatDefinition({
        ...uprobe,
        kind: "uretprobe",
        place: { ...uprobe.place, refCounter: 0x4010n },
        args: [],
      }),
      "r:sonde_edge/read /usr/lib/libssl.so.3:0x1139(0x4010)",
    );
  });

  it("refuses what the kernel would refuse, or take for something else", () => {
    const bad: DefinedProbe[] = [
      { ...kprobe, group: "a/b" },
      { ...kprobe, event: "open x" },
      { ...kprobe, event: "" },
      { ...kprobe, place: { symbol: "0xffffffff81000000", offset: 0 } },
      { ...kprobe, place: { symbol: "a", offset: -1 } },
      { ...kprobe, place: { symbol: "a", offset: 2 ** 32 } },
      { ...kprobe, place: { symbol: "a", offset: 0.5 } },
      { ...kprobe, place: { symbol: "a", offset: 0, module: "x:y" } },
      { ...kprobe, kind: "kretprobe", place: { symbol: "a", offset: 4 } },
      { ...kprobe, kind: "kretprobe", maxActive: 0 },
      { ...kprobe, kind: "kretprobe", maxActive: 4097 },
      { ...kprobe, args: [{ name: "a", fetch: "$retval" }] },
      { ...kprobe, args: [{ name: "a", fetch: "%di b=%si" }] },
      { ...kprobe, args: [{ name: "a", fetch: "%di" }, { name: "a", fetch: "%si" }] },
      { ...kprobe, args: [{ name: "a=b", fetch: "%di" }] },
      { ...uprobe, place: { path: "/a b", offset: 0n } },
      { ...uprobe, place: { path: "/a", offset: -1n } },
      { ...uprobe, place: { path: "/a", offset: 0n, refCounter: 1n << 63n } },
      { ...uprobe, args: [{ name: "a", fetch: "$arg1" }] },
    ];
    for (const probe of bad) assert.throws(() => formatDefinition(probe), DefinitionError);
  });

  it("keeps to the kernel's limits", () => {
    const args = (count: number, fetch: string) =>
      Array.from({ length: count }, (_, n) => ({ name: `a${n}`, fetch }));
    formatDefinition({ ...kprobe, args: args(128, "%di") });
    assert.throws(() => formatDefinition({ ...kprobe, args: args(129, "%di") }), /128 arguments/);
    formatDefinition({ ...kprobe, args: args(6, "+0(%di):u64[64]") });
    assert.throws(
      () => formatDefinition({ ...kprobe, args: args(7, "+0(%di):u64[64]") }),
      /3072 bytes, not 3584/,
    );
    const path = `/${"a".repeat(4000)}`;
    formatDefinition({ ...uprobe, place: { path, offset: 1n }, args: [] });
    assert.throws(
      () => formatDefinition({ ...uprobe, place: { path, offset: 1n }, args: args(8, "%r10:u32") }),
      /more than 4094/,
    );
  });

  it("never makes a line that is more than one definition", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 70 }),
      fc.array(fc.constantFrom("a", "/", ":", "\n", ";", "#", " ", "\0", "%di", "=", "0x1"), {
        maxLength: 8,
      }).map((parts) => parts.join("")),
      identifier,
    );
    const place = fc.oneof(
      fc.record({ symbol: text, offset: fc.nat(), module: fc.option(text, { nil: undefined }) }),
      fc.record({
        path: text.map((name) => `/${name}`),
        offset: fc.bigInt({ min: 0n, max: 1n << 64n }),
      }),
    );
    const args = fc.array(fc.record({ name: text, fetch: text }), { maxLength: 2 });
    fc.assert(
      fc.property(text, text, place, args, (group, event, where, captured) => {
        const common = { id: "x", group, event, args: captured };
        const probe: DefinedProbe = "path" in where
          ? { ...common, kind: "uprobe", place: where }
          : { ...common, kind: "kprobe", place: where };
        try {
          const line = formatDefinition(probe);
          assert.doesNotMatch(line, /[\n;#\0]/);
          assert.equal(line.split(" ").length, 2 + captured.length);
        } catch (error) {
          assert.ok(error instanceof DefinitionError, String(error));
        }
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});

describe("formatDelete", () => {
  it("deletes one event and nothing else", () => {
    assert.equal(formatDelete("sonde_edge", "open"), "-:sonde_edge/open");
    for (const [group, event] of [["sonde_edge", ""], ["", "open"], ["a", "b\n-:c/d"]]) {
      assert.throws(() => formatDelete(group, event), DefinitionError);
    }
  });
});

describe("parseDefinition", () => {
  it("reads what it wrote", () => {
    const name = identifier;
    const args = fc.uniqueArray(
      fc.tuple(name, fc.constantFrom("%di", "+0(%si):string", "$comm", "$stack1:x32", "\\1:u8")),
      { selector: ([key]) => key, maxLength: 4 },
    ).map((list) => list.map(([key, fetch]) => ({ name: key, fetch })));
    const file = fc.record({
      path: fc.stringMatching(/^\/[!$-:<-~]{1,20}$/),
      offset: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    }, { noNullPrototype: true });
    const probe: fc.Arbitrary<DefinedProbe> = fc.oneof(
      fc.tuple(name, name, name, fc.nat(0xffffffff), args).map(
        ([group, event, symbol, offset, list]): DefinedProbe => ({
          id: "x",
          kind: "kprobe",
          group,
          event,
          place: { symbol, offset },
          args: list,
        }),
      ),
      fc.tuple(name, name, name, name, fc.integer({ min: 1, max: 4096 }), args).map(
        ([group, event, symbol, module, maxActive, list]): DefinedProbe => ({
          id: "x",
          kind: "kretprobe",
          group,
          event,
          place: { symbol, offset: 0, module },
          args: list,
          maxActive,
        }),
      ),
      fc.tuple(name, name, file, fc.constantFrom("uprobe" as const, "uretprobe" as const), args)
        .map(([group, event, place, kind, list]): DefinedProbe => ({
          id: "x",
          kind,
          group,
          event,
          place,
          args: list,
        })),
    );
    fc.assert(
      fc.property(probe, (written) => {
        const { id: _, ...rest } = written;
        const line = formatDefinition(written);
        assert.deepEqual(parseDefinition(line), rest);
        assert.ok(sameDefinition(line, line));
      }),
      { seed: 6, numRuns: 1000 },
    );
  });

  it("reads what kernels list", () => {
    assert.deepEqual(parseDefinition("r10:kprobes/x nf_tables:nft_do_chain a=$retval"), {
      kind: "kretprobe",
      group: "kprobes",
      event: "x",
      place: { symbol: "nft_do_chain", offset: 0, module: "nf_tables" },
      args: [{ name: "a", fetch: "$retval" }],
      maxActive: 10,
    });
    assert.deepEqual(parseDefinition("p:kprobes/x vfs_read+20\n"), {
      kind: "kprobe",
      group: "kprobes",
      event: "x",
      place: { symbol: "vfs_read", offset: 20 },
      args: [],
    });
    assert.deepEqual(parseDefinition("p:u/x /tmp/a:b:0x0000000000001139(0x4010) a=%di"), {
      kind: "uprobe",
      group: "u",
      event: "x",
      place: { path: "/tmp/a:b", offset: 0x1139n, refCounter: 0x4010n },
      args: [{ name: "a", fetch: "%di" }],
    });
    assert.deepEqual(parseDefinition("p:kprobes/x 0x00000000f2a1c3d4"), {
      kind: "kprobe",
      group: "kprobes",
      event: "x",
      place: { address: 0xf2a1c3d4n },
      args: [],
    });
  });

  it("reads what people write", () => {
    const named = (line: string) => {
      const { kind, group, event } = parseDefinition(line);
      return `${kind} ${group}/${event}`;
    };
    assert.equal(named("p vfs_read"), "kprobe kprobes/p_vfs_read_0");
    assert.equal(named("p vfs_read%return"), "kretprobe kprobes/r_vfs_read_0");
    assert.equal(named("r m:a.isra.0"), "kretprobe kprobes/r_m_a_isra_0_0");
    assert.equal(named("p:g/ vfs_read+0x10"), "kprobe g/p_vfs_read_16");
    assert.equal(named("p:g.e vfs_read # comment"), "kprobe g/e");
    assert.equal(named("p /bin/my-prog:010"), "uprobe uprobes/p_my_0x8");
    // The kernel does not hold its own names to its rules.
    assert.equal(named("p /tmp/my+prog:0x3000"), "uprobe uprobes/p_my+prog_0x3000");
    assert.equal(named("p:e /bin/sh:16%return(8)"), "uretprobe uprobes/e");
  });

  it("recognises what it does not define", () => {
    const others: [string, string, string, string, string][] = [
      [
        "f:fprobes/x vfs_read%return a=$retval",
        "fprobe",
        "fprobes",
        "x",
        "vfs_read%return a=$retval",
      ],
      ["f10:fprobes/x vfs_*", "fprobe", "fprobes", "x", "vfs_*"],
      ["t:tracepoints/x sched_switch", "tprobe", "tracepoints", "x", "sched_switch"],
      [
        "e:eprobes/x sched.sched_switch a=$prev_pid",
        "eprobe",
        "eprobes",
        "x",
        "sched.sched_switch a=$prev_pid",
      ],
      ["s:synthetic/x u64 lat; pid_t pid;", "synthetic", "synthetic", "x", "u64 lat; pid_t pid;"],
      ["u:my.event u32 a; char b", "user_event", "user_events", "my.event", "u32 a; char b"],
      ["u:shop/x:persist", "user_event", "user_events", "shop/x", ""],
    ];
    for (const [line, kind, group, event, text] of others) {
      assert.deepEqual(parseDefinition(line), { kind, group, event, text });
    }
  });

  it("points at the fault", () => {
    const faults: [string, number][] = [
      ["x:a vfs_read", 0],
      ["-:a/b", 0],
      ["p:a", 3],
      ["p:a vfs_read+x", 12],
      ["p:a vfs_read%x", 12],
      ["p:a /bin/sh:x", 12],
      ["p:a vfs_read =%di", 13],
      ["p:a vfs_read\np:b vfs_write", 12],
      ["p8:a vfs_read", 1],
      ["p 0x1000", 0],
    ];
    for (const [line, offset] of faults) {
      assert.throws(
        () => parseDefinition(line),
        (error) => error instanceof DefinitionError && error.offset === offset,
        line,
      );
    }
  });

  it("throws nothing but its own error", () => {
    const pieces = "p r f t e s u : / . 0x10 + - % %return ( ) = $arg1 vfs_read # \n \0 é".split(
      " ",
    );
    const line = fc.oneof(
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.array(fc.constantFrom(...pieces, " ", "\t", "\n"), { maxLength: 20 }).map((parts) =>
        parts.join("")
      ),
    );
    fc.assert(
      fc.property(line, (text) => {
        try {
          parseDefinition(text);
        } catch (error) {
          assert.ok(error instanceof DefinitionError, String(error));
          assert.ok(error.offset >= 0 && error.offset <= text.length);
        }
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});

describe("sameDefinition", () => {
  it("knows its definition in a kernel's listing", () => {
    for (const [written, listed] of LISTED) assert.ok(sameDefinition(written, listed), written);
    assert.ok(sameDefinition(
      "p:u/x /bin/sh:0x1139(0x10) a=%di",
      "p:u/x /bin/sh:0x0000000000001139(0x10) a=%di",
    ));
    assert.ok(sameDefinition("p:k/x vfs_read+0x14", "p:k/x vfs_read+20"));
  });

  it("tells others from it", () => {
    const written = "r256:k/x vfs_read a=$retval:s32";
    const others = [
      "r10:k/x vfs_read a=$retval:s32",
      "p:k/x vfs_read a=$retval:s32",
      "r256:k/y vfs_read a=$retval:s32",
      "r256:k/x vfs_write a=$retval:s32",
      "r256:k/x m:vfs_read a=$retval:s32",
      "r256:k/x vfs_read a=$retval:u32",
      "r256:k/x vfs_read",
      "not a definition",
    ];
    assert.ok(sameDefinition(written, written));
    for (const other of others) assert.ok(!sameDefinition(written, other), other);
    assert.ok(
      !sameDefinition("p:k/x vfs_read n=%di:%pd", "p:k/x vfs_read n=+0x0(+0x28(%si)):string"),
    );
  });
});
