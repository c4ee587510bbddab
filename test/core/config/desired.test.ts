import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { desiredProbes, isUnresolved, resolveUprobe } from "../../../core/config/desired.ts";
import type { Arch } from "../../../core/probe/registers.ts";
import { parseBody } from "./fixture.ts";

function desired(body: string, arch: Arch = "x86-64") {
  const { config, diagnostics } = parseBody(body);
  assert.ok(config, JSON.stringify(diagnostics));
  return desiredProbes(config, arch);
}

describe("desiredProbes", () => {
  it("makes a candidate of each symbol, in order", () => {
    assert.deepEqual(
      desired(`probes:
  open_it:
    kprobe: { symbol: [do_sys_openat2, do_sys_open], offset: 4, module: mod }
    capture: { dfd: "$arg1:s32", name: { arg: 2, type: ustring }, n: { arg: 3, type: u16 } }
    filter: 'dfd == -100'
    on_missing: skip
`),
      [{
        id: "open_it",
        onMissing: "skip",
        path: ["probes", "open_it"],
        candidates: ["do_sys_openat2", "do_sys_open"].map((symbol) => ({
          id: "open_it",
          filter: "dfd == -100",
          group: "sonde_t",
          event: "open_it",
          kind: "kprobe",
          args: [
            { name: "dfd", fetch: "$arg1:s32" },
            { name: "name", fetch: "+0($arg2):ustring" },
            { name: "n", fetch: "$arg3:u16" },
          ],
          place: { symbol, offset: 4, module: "mod" },
        })),
      }],
    );
  });

  it("keeps what a kretprobe has, and takes on_missing from the defaults", () => {
    const [{ onMissing, candidates }] = desired(`defaults: { on_missing: warn }
probes: { r: { kretprobe: { symbol: f, max_active: 256 }, capture: { ret: $retval } } }
`);
    assert.equal(onMissing, "warn");
    assert.deepEqual(candidates, [{
      id: "r",
      group: "sonde_t",
      event: "r",
      kind: "kretprobe",
      args: [{ name: "ret", fetch: "$retval" }],
      maxActive: 256,
      place: { symbol: "f", offset: 0 },
    }]);
  });

  it("leaves uprobes by symbol or address to be resolved, and places those by offset", () => {
    const [bySymbol, byAddress, byOffset] = desired(`probes:
  a: { uprobe: { path: /bin/a, symbol: [f, g], ref_counter: 64 } }
  b: { uretprobe: { path: /bin/a, address: 0x401000 } }
  c: { uprobe: { path: /bin/a, offset: 0x1000 } }
`);
    assert.deepEqual(bySymbol.candidates.map((c) => isUnresolved(c) && c.target), [
      { path: "/bin/a", at: { symbol: "f" }, refCounter: 64n },
      { path: "/bin/a", at: { symbol: "g" }, refCounter: 64n },
    ]);
    assert.deepEqual(byAddress.candidates.map((c) => isUnresolved(c) && c.target), [
      { path: "/bin/a", at: { address: 0x401000n } },
    ]);
    const [placed] = byOffset.candidates;
    assert.ok(!isUnresolved(placed) && placed.kind === "uprobe");
    assert.deepEqual(placed.place, { path: "/bin/a", offset: 0x1000n });
    const [candidate] = bySymbol.candidates;
    assert.ok(isUnresolved(candidate));
    assert.deepEqual(resolveUprobe(candidate, { path: "/bin/a", offset: 5n }), {
      id: "a",
      group: "sonde_t",
      event: "a",
      kind: "uprobe",
      args: [],
      place: { path: "/bin/a", offset: 5n },
    });
  });

  it("turns $argN of a uprobe into the register of the machine", () => {
    const body = `probes:
  a:
    uprobe: { path: /bin/a, symbol: f }
    capture: { n: "$arg3:s32", s: { arg: 1, type: string }, r: "%sp" }
`;
    const args = (arch: Arch) => {
      const [{ candidates: [candidate] }] = desired(body, arch);
      return "args" in candidate ? candidate.args.map(({ fetch }) => fetch) : [];
    };
    assert.deepEqual(args("x86-64"), ["%dx:s32", "+0(%di):string", "%sp"]);
    assert.deepEqual(args("arm64"), ["%x2:s32", "+0(%x0):string", "%sp"]);
  });

  it("names tracepoints and user_events by their system", () => {
    const probes = desired(`namespaces: { shop: {} }
user_events: { checkout: { namespace: shop }, ping: {} }
probes:
  s: { tracepoint: sched/sched_switch, filter: 'prev_prio < 100' }
  c: { user_event: shop/checkout }
  p: { user_event: ping }
`);
    assert.deepEqual(probes.flatMap(({ candidates }) => candidates), [
      {
        id: "s",
        filter: "prev_prio < 100",
        kind: "tracepoint",
        group: "sched",
        event: "sched_switch",
      },
      {
        id: "c",
        kind: "user_event",
        group: "user_events.shop",
        event: "checkout",
        namespace: "shop",
      },
      { id: "p", kind: "user_event", group: "user_events", event: "ping" },
    ]);
  });

  it("leaves out what is not enabled", () => {
    assert.deepEqual(desired("probes: { a: { tracepoint: a/b, enabled: false } }\n"), []);
  });
});
