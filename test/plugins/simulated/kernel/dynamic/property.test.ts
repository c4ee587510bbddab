import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import {
  DEFINITION_FILES,
  type DefinitionFile,
  DynamicEvents,
} from "../../../../../plugins/simulated/kernel/dynamic/dynamic_events.ts";
import type { Hit } from "../../../../../plugins/simulated/kernel/dynamic/hit.ts";
import { TestHost } from "./host.ts";

const version = fc.constantFrom("6.12" as const, "6.1" as const);
const file = fc.constantFrom(...DEFINITION_FILES);

const places = [
  "vfs_read",
  "vfs_read+5",
  "kfree%return",
  "/bin/sh:0x10",
  "/bin/sh:1(2)",
  "tcp_*",
  "sched_switch",
  "sched/sched_switch",
  "gone:x",
  "0x10",
];
const pieces = [
  "$arg1",
  "$arg*",
  "$retval",
  "$stack3",
  "$comm",
  "$prev_pid",
  "%di",
  "@linux_banner+4",
  "@+8",
  "\\-1",
  '\\"a"',
  "file->f_inode->i_ino",
  "file->bits.high",
  "buf",
  "+8(",
  "-u0x10(",
  ")",
  ")",
  "a=",
  ":u8",
  ":string",
  ":string[2]",
  ":b3@2/16",
  ":symstr",
  ":%pd",
  "[3]",
  "u64 x;",
  " ",
  " if ",
];

/** Definitions that are often right, and seldom far from it. */
const line = fc.tuple(
  fc.constantFrom("p", "r", "r5", "f", "t", "e", "s", "-", "!", "p:a", "r:g/b", "s:a", "-:a", "a"),
  fc.constantFrom(...places),
  fc.array(fc.constantFrom(...pieces), { maxLength: 6 }),
).map(([head, place, rest]) => `${head} ${place} ${rest.join("")}`);

const text = fc.oneof(
  fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n")),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
);

function write(events: DynamicEvents, name: DefinitionFile, data: string): void {
  try {
    events.write(name, Buffer.from(data, "latin1"));
  } catch (error) {
    if (!isKernelError(error)) throw error;
  }
}

/** A hit that finds memory in some places only. */
function hit(seed: bigint): Hit {
  return {
    ip: seed,
    retIp: seed,
    comm: "comm",
    register: () => seed,
    argument: () => seed,
    returnValue: seed,
    stack: () => seed,
    readMemory: (address, length) =>
      address % 3n === 0n ? null : new Uint8Array(length).fill(Number(address % 5n)),
    symbolName: (address) => `symbol+0x${address.toString(16)}/0x100`,
    entry: new Uint8Array(12).fill(7),
  };
}

describe("any write", () => {
  it("succeeds or fails as a system call does", () => {
    const writes = fc.array(fc.tuple(file, text), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(version, writes, (linux, all) => {
        const events = new DynamicEvents(new TestHost(linux));
        for (const [name, data] of all) write(events, name, data);
        for (const event of events.events()) {
          assert.match(event.format(), /^name: .*\nID: \d+\n/);
          if (event.kind === "synthetic") continue;
          const fixed = Math.max(8, ...event.fields.map((field) => field.offset + field.size));
          for (const seed of [0n, 1n, 0xffffffff81000000n, (1n << 64n) - 1n]) {
            assert.ok(event.encode(hit(seed)).length >= fixed);
          }
        }
        for (const name of DEFINITION_FILES) events.read(name);
        events.errors.text();
      }),
      { seed: 612, numRuns: 3000 },
    );
  });

  it("leaves a listing that defines the same events again", () => {
    fc.assert(
      fc.property(version, fc.array(text, { maxLength: 8 }), (linux, all) => {
        const events = new DynamicEvents(new TestHost(linux));
        for (const data of all) write(events, "dynamic_events", data);
        // What `%p` shows of an address is not the address.
        const listing = events.read("dynamic_events").split("\n")
          .filter((entry) => !/ 0x[0-9a-f]{16}( |$)/.test(entry)).join("\n");
        const again = new DynamicEvents(new TestHost(linux));
        write(again, "dynamic_events", listing);
        assert.equal(again.read("dynamic_events"), listing);
      }),
      { seed: 61, numRuns: 2000 },
    );
  });

  it("can be undone", () => {
    fc.assert(
      fc.property(version, fc.array(text, { maxLength: 8 }), (linux, all) => {
        const host = new TestHost(linux);
        const events = new DynamicEvents(host);
        for (const data of all) write(events, "dynamic_events", data);
        // Event probes go before the events they are on.
        for (const entry of events.read("dynamic_events").split("\n").reverse()) {
          const name = /^[a-z]\d*:([^ \t]+)/.exec(entry)?.[1];
          if (name !== undefined) write(events, "dynamic_events", `-:${name}`);
        }
        assert.equal(events.read("dynamic_events"), "");
        assert.deepEqual([...events.events()], []);
        const added = host.journal.filter((entry) => entry.startsWith("add ")).length;
        const removed = host.journal.filter((entry) => entry.startsWith("remove ")).length;
        assert.equal(added, removed);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
