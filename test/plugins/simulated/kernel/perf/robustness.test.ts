import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isKernelError } from "../../../../../core/kernel/error.ts";
import { head, recordsBetween, setTail } from "./records.ts";
import { FUNCTION } from "./scenarios.ts";
import { simulatedStage } from "./simulated.ts";

const SETTINGS = { seed: 20261122, numRuns: 500 } as const;

/** Attributes that are nearly right more often than chance would have it. */
const attributes = fc.tuple(
  fc.uint8Array({ minLength: 0, maxLength: 160 }),
  fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
  fc.constantFrom(0, 63, 64, 72, 112, 128, 136, 144, 4096, 65536),
  fc.boolean(),
).map(([bytes, type, size, sparse]) => {
  const attr = new Uint8Array(Math.max(bytes.length, 8));
  attr.set(bytes);
  if (sparse) attr.fill(0, 16);
  const view = new DataView(attr.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, size, true);
  return attr;
});

const number = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.integer());

describe("perf_event_open", () => {
  it("answers any attribute with a descriptor or an error of the kernel", () => {
    for (const version of ["6.1", "6.12"] as const) {
      const { bench, fire } = simulatedStage(version);
      fc.assert(
        fc.property(attributes, number, number, number, number, (attr, pid, cpu, group, flags) => {
          const memory = bench.memory(attr);
          try {
            const fd = bench.native.perfEventOpen(memory, pid, cpu, group, flags);
            fire(1);
            bench.read(fd);
            bench.close(fd);
          } catch (error) {
            if (!isKernelError(error)) throw error;
          } finally {
            memory.free();
          }
        }),
        SETTINGS,
      );
    }
  });
});

describe("ioctl on a perf event", () => {
  it("answers any request with a result or an error of the kernel", () => {
    const { bench, fire } = simulatedStage("6.12");
    const fd = bench.open({ type: "kprobe", config1: FUNCTION, period: 1n, sample: 0x400 });
    const ring = bench.mmap(fd, 1);
    const memory = bench.memory(new Uint8Array(64));
    const request = fc.oneof(
      fc.integer({ min: 0x2400, max: 0x240b }),
      fc.constantFrom(0x40082404, 0x40082406, 0x80082407, 0x40042408, 0x40042409, 0xc008240a),
      fc.constant(0x4008240b),
      fc.integer(),
    );
    const arg = fc.oneof(
      fc.bigInt(-2n, 20n),
      fc.constant(memory.address),
      fc.bigInt(0n, 1n << 64n),
    );
    fc.assert(
      fc.property(request, arg, fc.uint8Array({ maxLength: 64 }), (code, value, content) => {
        memory.bytes.fill(0);
        memory.bytes.set(content);
        bench.ioctl(fd, code, value);
        fire(2);
      }),
      SETTINGS,
    );
    ring.free();
  });
});

describe("a ring", () => {
  it("accounts for every sample, however it is read", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4),
        fc.constantFrom(0x400, 0x10447, 0x10000),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 0, max: 100 }))),
        (pages, sample, steps) => {
          const { bench, fire } = simulatedStage("6.12");
          const fd = bench.open({
            type: "kprobe",
            config1: FUNCTION,
            period: 1n,
            sample,
            format: 16,
            flags: 1n << 18n,
          });
          const ring = bench.mmap(fd, pages);
          let [read, samples, toldLost] = [0n, 0n, 0n];
          const take = (portion: number) => {
            const records = recordsBetween(ring, read, head(ring));
            for (const record of records.slice(0, Math.ceil(records.length * portion / 100))) {
              read += BigInt(record.body.byteLength + 8);
              if (record.type === 9) samples++;
              else toldLost += record.body.getBigUint64(8, true);
            }
            setTail(ring, read);
          };
          for (const [fired, portion] of steps) {
            fire(fired);
            take(portion);
          }
          take(100);
          fire(1);
          take(100);
          const [count, lost] = bench.read(fd) as bigint[];
          assert.deepEqual({ samples: samples + lost, toldLost }, {
            samples: count,
            toldLost: lost,
          });
        },
      ),
      { seed: SETTINGS.seed, numRuns: 60 },
    );
  });
});
