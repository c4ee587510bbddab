import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KernelError } from "../../../../../core/kernel/error.ts";
import { EventIds } from "../../../../../plugins/simulated/kernel/dynamic/event_ids.ts";
import type {
  DeleteTarget,
  DynamicEntry,
  DynamicParser,
  Registry,
} from "../../../../../plugins/simulated/kernel/dynamic/registry.ts";
import { TestKernel } from "./kernel.ts";

/** A kind of event that is kept elsewhere: lines `u:name`. */
class OtherEvents implements DynamicParser {
  readonly name = "other";
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  create(line: string): "not mine" | void {
    if (!line.startsWith("u:")) return "not mine";
    if (line === "u:") throw new KernelError("EINVAL", "write");
    this.#registry.insert(new OtherEntry(this, this.#registry, line.slice(2)));
  }
}

class OtherEntry implements DynamicEntry {
  readonly parser: DynamicParser;
  readonly name: string;
  readonly #registry: Registry;

  constructor(parser: DynamicParser, registry: Registry, name: string) {
    this.parser = parser;
    this.#registry = registry;
    this.name = name;
  }

  show(): string {
    return `u:${this.name}`;
  }

  matches(target: DeleteTarget): boolean {
    return target.event === this.name;
  }

  isBusy(): boolean {
    return this.name === "busy";
  }

  free(): void {
    if (this.isBusy()) throw new KernelError("EBUSY", "write");
    this.#registry.erase(this);
  }
}

describe("events of a kind that is plugged in", () => {
  it("are defined, listed and deleted among the others", () => {
    const kernel = new TestKernel();
    kernel.events.registry.addParser(new OtherEvents(kernel.events.registry));
    assert.equal(kernel.dynamic("p:a vfs_read\nu:one\ns:b u8 x\nu:busy"), "ok");
    assert.equal(kernel.dynamic("u:"), "EINVAL");
    assert.deepEqual(kernel.lines(), [
      "p:kprobes/a vfs_read",
      "u:one",
      "s:synthetic/b\tu8 x",
      "u:busy",
    ]);
    assert.deepEqual(kernel.lines("kprobe_events"), ["p:kprobes/a vfs_read"]);
    assert.equal(kernel.dynamic("-:one"), "ok");
    assert.equal(kernel.dynamic("!u:busy"), "EBUSY");
    assert.equal(kernel.truncate("dynamic_events"), "EBUSY");
    assert.equal(kernel.lines().length, 3);
    assert.equal(kernel.truncate("kprobe_events"), "ok");
  });
});

describe("event ids", () => {
  it("are the lowest free ones on 6.12", () => {
    const ids = new EventIds("6.12", 100);
    assert.deepEqual([1, 2, 3, 4].map(() => ids.allocate()), [100, 101, 102, 103]);
    for (const id of [102, 100, 101]) ids.release(id);
    assert.deepEqual([1, 2, 3, 4].map(() => ids.allocate()), [100, 101, 102, 104]);
  });

  it("are new ones on 6.1 until there are none", () => {
    const ids = new EventIds("6.1", 65533);
    ids.release(65534);
    assert.deepEqual([1, 2, 3].map(() => ids.allocate()), [65533, 65534, 65535]);
    assert.equal(ids.allocate(), 65534);
    assert.equal(ids.allocate(), undefined);
  });

  it("are spent on 6.1 also by probes that cannot be placed", () => {
    for (const [version, id] of [["6.12", 1554], ["6.1", 1555]] as const) {
      const kernel = new TestKernel(version);
      assert.notEqual(kernel.kprobe("p:a notrace_function"), "ok");
      assert.equal(kernel.kprobe("p:a vfs_read"), "ok");
      assert.equal(kernel.event("kprobes/a").id, id);
    }
  });
});
