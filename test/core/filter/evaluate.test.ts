import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compilePredicate, type FilterContext } from "../../../core/filter/compile.ts";
import { FilterError } from "../../../core/filter/error.ts";
import { type FilterField, filterTypeOf } from "../../../core/filter/field.ts";
import {
  readFilterFile,
  writeFilterFile,
  writeSubsystemFilterFile,
} from "../../../core/filter/file.ts";
import { bindFilter, parseFilter } from "../../../core/filter/parse.ts";
import { compileRecordFilter } from "../../../core/filter/record.ts";
import { KernelError } from "../../../core/kernel/error.ts";
import { filterText, soundFilter } from "./arbitrary.ts";

const OPTIONS = { version: "6.12", cpuCount: 4 } as const;

function layout(types: Readonly<Record<string, string>>): FilterField[] {
  let offset = 8;
  return Object.entries(types).map(([name, type]) => {
    const size = /^[su](\d+)$/.test(type)
      ? Number(type.slice(1)) / 8
      : type.startsWith("char *")
      ? 8
      : 4;
    const filterType = filterTypeOf(type, "6.12");
    const field = { name, type, offset, size, signed: type.startsWith("s"), filterType };
    offset += size;
    return field;
  });
}

const FIELDS = layout({
  a: "u8",
  b: "s8",
  c: "u16",
  d: "s16",
  e: "u32",
  f: "s32",
  g: "u64",
  h: "s64",
  y: "__data_loc char[]",
  r: "__rel_loc char[]",
});

type Value = bigint | string;

/** The entry of an event with {@link FIELDS}, at `lead` bytes in its view. */
function encode(values: Readonly<Record<string, Value>>, lead: number): DataView {
  const strings = FIELDS.flatMap(({ name }) => {
    const value = values[name];
    return typeof value === "string" ? [Buffer.from(`${value}\0`)] : [];
  });
  const fixed = 8 + FIELDS.reduce((sum, { size }) => sum + size, 0);
  const data = Buffer.alloc(lead + fixed + Buffer.concat(strings).length);
  let end = fixed;
  for (const { name, offset, size, filterType } of FIELDS) {
    const value = values[name];
    if (typeof value === "string") {
      const bytes = Buffer.from(`${value}\0`);
      const start = filterType === "rdyn_string" ? end - (offset + 4) : end;
      data.writeUInt32LE(bytes.length << 16 | start, lead + offset);
      data.set(bytes, lead + end);
      end += bytes.length;
    } else {
      const unsigned = BigInt.asUintN(8 * size, value);
      for (let i = 0; i < size; i++) {
        data[lead + offset + i] = Number(unsigned >> BigInt(8 * i) & 0xffn);
      }
    }
  }
  return new DataView(data.buffer, data.byteOffset, data.length);
}

const values = fc.record(Object.fromEntries(FIELDS.map(({ name, size, signed, filterType }) => {
  if (filterType !== "other") {
    return [name, fc.string({ unit: fc.constantFrom(..."ab1*?é"), maxLength: 5 })];
  }
  const bits = BigInt(8 * size);
  const min = signed ? -(1n << (bits - 1n)) : 0n;
  const max = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  const near = fc.bigInt({ min: signed ? -3n : 0n, max: 3n });
  return [name, fc.oneof(near, fc.bigInt({ min, max }), fc.constantFrom(min, max))];
}))) as fc.Arbitrary<Record<string, Value>>;

const seeded = { seed: 20, numRuns: 600 };

describe("filters", () => {
  it("fail with FilterError alone, whatever the text", () => {
    const anything = fc.oneof(filterText(FIELDS), fc.string({ unit: "binary", maxLength: 40 }));
    fc.assert(
      fc.property(anything, fc.constantFrom("6.12", "6.1"), (text, version) => {
        for (
          const action of [
            () => void compileRecordFilter(parseFilter(text, version)),
            () => void compilePredicate(bindFilter(text, FIELDS, { ...OPTIONS, version })),
          ]
        ) {
          try {
            action();
          } catch (error) {
            assert.ok(error instanceof FilterError, String(error));
            assert.ok(error.errno > 0 && error.offset >= 0 && error.offset <= text.length);
          }
        }
      }),
      seeded,
    );
  });

  it("mean the same on raw entries and on records", () => {
    fc.assert(
      fc.property(soundFilter(FIELDS), values, fc.nat(9), (text, args, lead) => {
        const entry = encode(args, lead);
        const raw = compilePredicate(bindFilter(text, FIELDS, OPTIONS));
        const context: FilterContext = { cpu: 0, comm: "" };
        const decoded = compileRecordFilter(parseFilter(text));
        assert.equal(raw(entry, lead, entry.byteLength - lead, context), decoded({ args }));
      }),
      seeded,
    );
  });

  it("are false beyond the end of an entry, never an error", () => {
    fc.assert(
      fc.property(soundFilter(FIELDS), values, fc.nat(60), (text, args, length) => {
        const entry = encode(args, 0);
        const short = Math.min(length, entry.byteLength);
        compilePredicate(bindFilter(text, FIELDS, OPTIONS))(entry, 0, short, { cpu: 0, comm: "" });
      }),
      seeded,
    );
  });
});

describe("compilePredicate", () => {
  const passes = (
    filter: string,
    args: Record<string, Value>,
    context: Partial<FilterContext> = {},
  ) => {
    const fill = Object.fromEntries(FIELDS.map(({ name, filterType }) => {
      return [name, filterType === "other" ? 0n : ""];
    }));
    const entry = encode({ ...fill, ...args }, 0);
    const predicate = compilePredicate(bindFilter(filter, FIELDS, OPTIONS));
    return predicate(entry, 0, entry.byteLength, { cpu: 0, comm: "", ...context });
  };

  it("tells 64-bit values apart", () => {
    assert.ok(passes("g == 9007199254740993", { g: 9007199254740993n }));
    assert.ok(!passes("g == 9007199254740993", { g: 9007199254740992n }));
    assert.ok(passes("g > 9223372036854775807", { g: 1n << 63n }));
  });

  it("cuts the operand to the size of the field", () => {
    assert.ok(passes("a == 256", { a: 0n }));
    assert.ok(passes("f == 0xffffffff", { f: -1n }));
  });

  it("compares the task's name as the array of 16 bytes that it is", () => {
    assert.ok(passes('comm == "sh"', {}, { comm: "sh" }));
    assert.ok(!passes('comm ~ "*sh"', {}, { comm: "sh" }));
    assert.ok(passes('comm ~ "*sh"', {}, { comm: "a-longer-one-sh" }));
  });

  it("knows the CPU, but no & of it", () => {
    assert.ok(passes("cpu == 3 && cpu & CPUS{2-3}", {}, { cpu: 3 }));
    assert.ok(!passes("cpu & 3", {}, { cpu: 3 }));
  });

  it("reads a string behind a pointer", () => {
    const fields = layout({ p: "char *" });
    const entry = new DataView(new ArrayBuffer(16));
    entry.setBigUint64(8, 0xffff_8000_0000_1234n, true);
    const read = (filter: string, text: string | undefined) =>
      compilePredicate(bindFilter(filter, fields, OPTIONS))(entry, 0, 16, {
        cpu: 0,
        comm: "",
        readString: (address, memory) => {
          assert.equal(address, 0xffff_8000_0000_1234n);
          assert.equal(memory, filter.includes(".ustring") ? "user" : "kernel");
          return text === undefined ? undefined : Buffer.from(text);
        },
      });
    assert.ok(read('p == "name"', "name"));
    assert.ok(read('p.ustring ~ "*me"', "name"));
    assert.ok(!read('p != "name"', undefined));
  });

  it("finds an address in a function", () => {
    const findFunction = (name: string | bigint) =>
      name === "schedule" || name === 0x105n ? { start: 0x100n, end: 0x110n } : undefined;
    const options = { ...OPTIONS, findFunction };
    const entry = new DataView(new ArrayBuffer(8));
    const at = (filter: string, address: bigint) => {
      entry.setBigUint64(0, address, true);
      const ip = {
        name: "ip",
        type: "u64",
        offset: 0,
        size: 8,
        signed: false,
        filterType: "other",
      } as const;
      return compilePredicate(bindFilter(filter, [ip], options))(entry, 0, 8, { cpu: 0, comm: "" });
    };
    assert.ok(at("ip.function == schedule", 0x10fn));
    assert.ok(at("ip.function == 0x105", 0x100n));
    assert.ok(at("ip.function != schedule", 0x110n));
  });

  it("compares sets of CPUs", () => {
    const mask = {
      name: "mask",
      type: "__data_loc cpumask_t[]",
      offset: 0,
      size: 4,
      signed: false,
      filterType: "cpumask",
    } as const;
    const entry = new DataView(new ArrayBuffer(12));
    entry.setUint32(0, 8 << 16 | 4, true);
    entry.setUint8(4, 0b0110);
    const test = (filter: string) =>
      compilePredicate(bindFilter(filter, [mask], OPTIONS))(entry, 0, 12, { cpu: 0, comm: "" });
    assert.ok(test("mask == CPUS{1-2}"));
    assert.ok(test("mask & CPUS{2-3}"));
    assert.ok(!test("mask & CPUS{0,3}"));
    assert.ok(test("mask != CPUS{1}"));
    assert.ok(test("mask & CPUS{1}"));
  });
});

describe("compileRecordFilter", () => {
  const passes = (filter: string, record: Parameters<ReturnType<typeof compileRecordFilter>>[0]) =>
    compileRecordFilter(parseFilter(filter))(record);

  it("looks at arguments, then at the task and CPU", () => {
    const record = { cpu: 1, tid: 42, comm: "sh", args: { n: 7, ok: true } };
    assert.ok(
      passes('n == 7 && ok == 1 && common_pid == 42 && comm == "sh" && cpu & CPUS{0-1}', record),
    );
    assert.ok(passes('comm == "mine"', { comm: "sh", args: { comm: "mine" } }));
  });

  it("is false where the field is absent or of another kind", () => {
    for (const filter of ["n == 7", "n != 7", 'n == "7"', 'n != "7"']) {
      assert.ok(!passes(filter, { args: {} }), filter);
    }
    assert.ok(!passes('n != "7"', { args: { n: 7 } }));
    assert.ok(!passes("toString == 1", { args: {} }));
  });

  it("compares numbers exactly", () => {
    assert.ok(!passes("n == 256", { args: { n: 0 } }));
    assert.ok(passes("n == 9007199254740993", { args: { n: 9007199254740993n } }));
  });

  it("needs the kernel for .function", () => {
    assert.throws(() => compileRecordFilter(parseFilter("ip.function == x")), FilterError);
  });
});

describe("the filter file", () => {
  const write = (text: string) => writeFilterFile(text, FIELDS, OPTIONS);

  it("reads back the filter as written", () => {
    assert.equal(readFilterFile(write("  a  ==1 \n")), "  a  ==1\n");
    assert.equal(readFilterFile(write(" 0\n")), "none\n");
  });

  it("shows the error under the filter", () => {
    assert.equal(
      readFilterFile(write("a = 1\n")),
      "a = 1\n   ^\nparse_error: Invalid operator\n\n",
    );
    assert.equal(readFilterFile(write("")), "\nError: (0)\n\n");
  });

  it("refuses a page", () => {
    assert.throws(() => write(" ".repeat(4096)), (error: KernelError) => error.code === "EINVAL");
  });

  it("names no field for a whole subsystem", () => {
    assert.equal(
      readFilterFile(writeSubsystemFilterFile("nosuch == 1", FIELDS, OPTIONS)),
      "nosuch == 1\n^\nparse_error: Couldn't find or set field in one of a subsystem's events\n\n",
    );
  });
});
