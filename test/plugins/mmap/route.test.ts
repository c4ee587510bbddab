import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseFormat } from "../../../core/event/format.ts";
import type { Machine } from "../../../core/kernel/port.ts";
import type { KprobeProbe, Probe } from "../../../core/probe/probe.ts";
import { localFormat } from "../../../plugins/mmap/local_format.ts";
import { chooseRoute } from "../../../plugins/mmap/route.ts";

const PMUS = {
  kprobe: { type: 8, returnBit: 0n },
  uprobe: { type: 9, returnBit: 0n, refCounterShift: 32n },
};

function machine(arch: string): Machine {
  return { kind: "simulated", release: "6.12.0", arch, pid: 1, uid: 0 };
}

function kprobe(fetch: string, more: Partial<KprobeProbe> = {}): KprobeProbe {
  return {
    id: "a",
    kind: "kprobe",
    group: "sonde_x",
    event: "a",
    place: { symbol: "vfs_read", offset: 0 },
    args: [{ name: "v", fetch }],
    ...more,
  };
}

function registersOf(probe: Probe, arch = "x86_64") {
  const route = chooseRoute(probe, machine(arch), PMUS);
  return route.via === "pmu"
    ? route.captures.map(({ register, size, signed }) => [register, size, signed])
    : route.reason;
}

describe("chooseRoute", () => {
  it("takes integers from the registers of the calling convention", () => {
    assert.deepEqual(registersOf(kprobe("$arg1:s32")), [[5, 4, true]]);
    assert.deepEqual(registersOf(kprobe("$arg5:u64")), [[16, 8, false]]);
    assert.deepEqual(registersOf(kprobe("%sp:x16")), [[7, 2, false]]);
    assert.deepEqual(registersOf(kprobe("$arg8"), "aarch64"), [[7, 8, false]]);
    assert.deepEqual(registersOf(kprobe("%x30"), "aarch64"), [[30, 8, false]]);
    const returned = { ...kprobe("$retval:s64"), kind: "kretprobe" } as const;
    assert.deepEqual(registersOf(returned), [[0, 8, true]]);
    assert.deepEqual(registersOf(returned, "aarch64"), [[0, 8, true]]);
  });

  it("leaves to tracefs what is not in a register, or the PMU cannot do", () => {
    for (
      const fetch of [
        "+0($arg2):ustring",
        "$comm",
        "$arg7:u64",
        "$stack0",
        "$arg1:u8[4]",
        "$arg1:b4@0/8",
        "$arg1:symbol",
        "%orig_ax:u64",
        "$retval",
      ]
    ) {
      assert.match(registersOf(kprobe(fetch)) as string, /^defined by tracefs: "v" is no integer/);
    }
    assert.match(registersOf(kprobe("$arg1:u8", { filter: "v > 1" })) as string, /no filters/);
    const counted = { ...kprobe("$retval:s32"), kind: "kretprobe", maxActive: 8 } as const;
    assert.match(registersOf(counted) as string, /no max_active/);
    const without = chooseRoute(kprobe("%di"), machine("x86_64"), { ...PMUS, kprobe: undefined });
    assert.deepEqual(without, {
      via: "event",
      reason: "defined by tracefs: this kernel has no kprobe PMU",
    });
  });
});

describe("localFormat", () => {
  it("has the fields as tracefs has them, packed behind where the probe is", () => {
    const captures = [
      { name: "b", register: 4, size: 1, signed: true, hex: false },
      { name: "q", register: 5, size: 8, signed: false, hex: true },
    ];
    const probe = { ...kprobe("%di"), kind: "kretprobe" } as const;
    const format = parseFormat(localFormat(probe, captures, 65535));
    assert.equal(format.id, 65535);
    assert.deepEqual(
      format.fields.map(({ name, type, offset, size, signed }) => [
        name,
        type,
        offset,
        size,
        signed,
      ]),
      [
        ["__probe_func", "unsigned long", 8, 8, false],
        ["__probe_ret_ip", "unsigned long", 16, 8, false],
        ["b", "s8", 24, 1, true],
        ["q", "u64", 25, 8, false],
      ],
    );
    assert.equal(
      format.printFmt,
      '"(%lx <- %lx) b=%d q=0x%Lx", REC->__probe_ret_ip, REC->__probe_func, REC->b, REC->q',
    );
  });
});
