import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestKernel } from "./kernel.ts";

const REFUSED = "EINVAL; Failed to register probe event @4";

describe("where a kprobe may sit", () => {
  it("depends on the function", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("p:a notrace_function"), REFUSED);
    assert.equal(kernel.kprobe("p:a nokprobe_function"), REFUSED);
    assert.equal(kernel.kprobe("p:a linux_banner"), REFUSED);
    assert.equal(kernel.kprobe("p twice"), "EINVAL; The symbol is not unique @2");
    assert.equal(kernel.kprobe("p nosuch"), "EINVAL; Invalid probed address or symbol @2");
    // A function with a suffix goes by the one without it.
    assert.equal(kernel.kprobe("p vfs_read.cold"), "ok");
  });

  it("is an instruction", () => {
    const kernel = new TestKernel();
    const boundary = "EILSEQ; Probe point is not an instruction boundary @2";
    assert.equal(kernel.kprobe("p vfs_read+5"), "ok");
    assert.equal(kernel.kprobe("p vfs_read+1"), boundary);
    assert.equal(kernel.kprobe("p endbr_function+4 $arg1"), "ok");
    assert.equal(kernel.kprobe("p vfs_read+4"), boundary);
    const place = kernel.event("kprobes/p_endbr_function_4");
    assert.ok(place.kind === "kprobe" && place.probes[0]?.place.kind === "kprobe");
    assert.equal(place.probes[0].place.address, 0xffffffff81000a04n);
  });

  it("is the entry for a return", () => {
    const kernel = new TestKernel();
    const entry = "EINVAL; Retprobe address must be an function entry @2";
    assert.equal(kernel.kprobe("r vfs_read+5"), entry);
    assert.equal(kernel.kprobe("p vfs_read+5%return"), entry);
    assert.equal(kernel.kprobe("r endbr_function+4"), "ok");
    assert.equal(kernel.kprobe("p vfs_read+0x100%return"), "ok");
    assert.deepEqual(kernel.lines(), [
      "r10:kprobes/r_endbr_function_4 endbr_function+4",
      "r10:kprobes/r_vfs_read_256 vfs_read+256",
    ]);
  });

  it("may be in a module that is not there", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("p nf_tables:nft_lookup"), "ok");
    assert.equal(kernel.kprobe("p nft_lookup"), "ok");
    assert.equal(
      kernel.kprobe("p nf_tables:nope"),
      "EINVAL; Invalid probed address or symbol @2",
    );
    assert.equal(kernel.kprobe("r gone:nope"), "ok");
    assert.deepEqual(kernel.lines().at(-1), "r:kprobes/r_gone_nope_0 gone:nope");
  });

  it("may be an address, of which only the hash is shown", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("p:a 0xffffffff81000000"), "ok");
    assert.equal(kernel.kprobe("p:b 0x10 $stack"), "ok");
    assert.equal(kernel.kprobe("p:c 0"), REFUSED);
    assert.equal(
      kernel.kprobe("p:d 0xffffffff81000000 $arg1"),
      "EINVAL; $arg* can be used only on function entry or exit @23",
    );
    const [first] = kernel.lines();
    assert.match(first ?? "", /^p:kprobes\/a 0x00000000[0-9a-f]{8}$/);
    const word = (first ?? "").split(" ")[1];
    assert.equal(kernel.kprobe(`-:a ${word}`), "ok");
  });

  it("is refused by 6.1 in another order and with other numbers", () => {
    const kernel = new TestKernel("6.1");
    assert.equal(kernel.kprobe("p nosuch"), "ENOENT; Invalid probed address or symbol @2");
    assert.equal(kernel.kprobe("p twice"), "EADDRNOTAVAIL; The symbol is not unique @2");
    assert.equal(kernel.kprobe("p5 vfs_read"), "EINVAL; Maxactive is not for kprobe @1");
    assert.equal(
      kernel.kprobe("r twice+1"),
      "EINVAL; Retprobe address must be an function entry @2",
    );
    assert.equal(
      kernel.kprobe("p nf_tables:nope"),
      "ENOENT; Invalid probed address or symbol @2",
    );
  });
});

describe("the head of a definition", () => {
  it("may count returns", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("r0x10:a vfs_read"), "ok");
    assert.equal(kernel.kprobe("p5:b vfs_read"), "EINVAL; Maxactive is only for function exit @1");
    assert.equal(kernel.kprobe("r0:b vfs_read"), "EINVAL; Invalid maxactive number @1");
    assert.equal(kernel.kprobe("r4097:b vfs_read"), "EINVAL; Maxactive is too big @1");
    assert.equal(kernel.kprobe("rest:b vfs_read"), "ok");
    assert.deepEqual(kernel.lines(), ["r16:kprobes/a vfs_read", "r10:kprobes/b vfs_read"]);
  });

  it("may name a group, an event, both or none", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("p:g.x vfs_read\np:h/ vfs_read\np vfs_read"), "ok");
    assert.deepEqual(kernel.lines(), [
      "p:g/x vfs_read",
      "p:h/p_vfs_read_0 vfs_read",
      "p:kprobes/p_vfs_read_0 vfs_read",
    ]);
    const long = "x".repeat(64);
    const refused: [string, string][] = [
      ["p: vfs_read", "Event name is not specified @2"],
      ["p:/x vfs_read", "Group name is not specified @2"],
      [`p:${long}/x vfs_read`, "Group name is too long @2"],
      ["p:1/x vfs_read", "Group name must follow the same rules as C identifiers @2"],
      [`p:g/${long} vfs_read`, "Event name is too long @4"],
      ["p:g/a-b vfs_read", "Event name must follow the same rules as C identifiers @4"],
    ];
    for (const [line, text] of refused) assert.equal(kernel.kprobe(line), `EINVAL; ${text}`);
  });

  it("yields to uprobes where the place is a path", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("p:a /bin/sh:0x10"), "EINVAL");
    assert.equal(kernel.dynamic("p:a /bin/sh:0x10"), "ok");
  });
});

describe("events with several probes", () => {
  it("take probes with the same arguments", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.kprobe("p:a vfs_read x=%di:u8\np:a vfs_write x=%si:u8"), "ok");
    assert.equal(
      kernel.kprobe("p:a vfs_read x=%di:u8"),
      "EEXIST; There is already the exact same probe event @0",
    );
    assert.equal(
      kernel.kprobe("r:a vfs_read x=%di:u8"),
      "EEXIST; Probe type is different from existing probe @0",
    );
    const different = "Argument type or name is different from existing probe";
    assert.equal(kernel.kprobe("p:a vfs_open x=%di:x8"), `EEXIST; ${different} @13`);
    assert.equal(kernel.kprobe("p:a vfs_open"), `EEXIST; ${different} @13`);
    assert.equal(kernel.kprobe("p:a vfs_open x=%di:u8 y=%si"), `EEXIST; ${different} @22`);
    const event = kernel.event("kprobes/a");
    assert.ok(event.kind !== "synthetic");
    assert.equal(event.probes.length, 2);
  });

  it("lose all probes but one though they are enabled", () => {
    const kernel = new TestKernel();
    kernel.kprobe("p:a vfs_read\np:a vfs_write\np:a vfs_open");
    kernel.host.enabled.add(kernel.event("kprobes/a"));
    assert.equal(kernel.kprobe("-:a"), "EBUSY");
    assert.deepEqual(kernel.lines(), ["p:kprobes/a vfs_open"]);
  });

  it("do not take the name of another event", () => {
    const kernel = new TestKernel();
    const taken = "EEXIST; Given group/event name is already used by another event @0";
    assert.equal(kernel.kprobe("p:sched/sched_switch vfs_read"), taken);
    kernel.dynamic("p:g/a /bin/sh:0x10");
    assert.equal(kernel.kprobe("p:g/a vfs_read"), taken);
  });
});

describe("deleting", () => {
  it("goes by group, event, place and arguments", () => {
    const kernel = new TestKernel();
    kernel.kprobe("p:g/a vfs_read %di\np:g/b vfs_read+5\np:h/a vfs_read\np:h/c vfs_read");
    assert.equal(kernel.kprobe("-:g/a vfs_read arg1=%si"), "ENOENT");
    assert.equal(kernel.kprobe("-:g/a vfs_read arg1=%di arg2=%si"), "ENOENT");
    assert.equal(kernel.kprobe("-:g/a vfs_read arg1=%di"), "ok");
    assert.equal(kernel.kprobe("-:b vfs_read+0x5"), "ENOENT");
    assert.equal(kernel.kprobe("-:b vfs_read+5"), "ok");
    assert.equal(kernel.kprobe("-:h/"), "ok");
    assert.deepEqual(kernel.lines(), []);
    assert.equal(kernel.kprobe("-:h/"), "ENOENT");
    for (const line of ["-", "-x:a", "-:", "- :a"]) assert.equal(kernel.kprobe(line), "EINVAL");
  });

  it("starts at the first column", () => {
    const kernel = new TestKernel();
    kernel.kprobe("p:a vfs_read");
    assert.equal(kernel.kprobe(" -:a"), "EINVAL");
    assert.equal(kernel.dynamic("!p:kprobes/a vfs_read"), "ok");
  });

  it("tells the kernel around it", () => {
    const kernel = new TestKernel();
    kernel.kprobe("p:a vfs_read\np:b vfs_read\n-:a");
    assert.equal(kernel.truncate("kprobe_events"), "ok");
    assert.deepEqual(kernel.host.journal, [
      "add kprobes/a",
      "add kprobes/b",
      "remove kprobes/a",
      "wipe",
      "remove kprobes/b",
      "wipe",
    ]);
  });

  it("of everything stops before it starts if an event is enabled", () => {
    const kernel = new TestKernel();
    kernel.dynamic("p:a vfs_read\np:b vfs_read\np:c /bin/sh:0x10");
    kernel.host.enabled.add(kernel.event("kprobes/b"));
    assert.equal(kernel.truncate("kprobe_events"), "EBUSY");
    assert.equal(kernel.truncate("dynamic_events"), "EBUSY");
    assert.equal(kernel.lines().length, 3);
    assert.equal(kernel.truncate("uprobe_events"), "ok");
    assert.equal(kernel.lines().length, 2);
  });
});
