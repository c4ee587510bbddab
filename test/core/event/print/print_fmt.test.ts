import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileDecoder } from "../../../../core/event/decoder.ts";
import { parseFormat } from "../../../../core/event/format.ts";
import { DEFAULT_PAGE_LAYOUT } from "../../../../core/event/header_page.ts";
import { nameOfValue } from "../../../../core/event/print/functions.ts";
import { compilePrinter } from "../../../../core/event/print/print_fmt.ts";
import type { SymbolOf } from "../../../../core/event/print/scope.ts";
import { compileEvents, RecordBatch } from "../../../../core/event/record.ts";
import { type FieldLine, formatText } from "../format_text.ts";
import { fixture } from "../pages.ts";

const FIELDS: readonly FieldLine[] = [
  ["u32 u", 8, 4],
  ["s32 s", 12, 4, true],
  ["u64 big", 16, 8],
  ["s64 neg", 24, 8, true],
  ["char comm[8]", 32, 8],
  ["u8 mac[6]", 40, 6],
  ["u16 pairs[]", 46, 4],
  ["__data_loc char[] name", 50, 4],
  ["__rel_loc u8[] bytes", 54, 4],
  ["__data_loc char[][2] both", 58, 8],
  ["__data_loc char[] fault", 66, 4],
  ["u8 ip6[16]", 70, 16],
  ["u8 byte", 86, 1],
  ["__data_loc unsigned long[] mask", 87, 4],
];
const LENGTH = 128;

/** The entry that every print fmt here is tried on. */
function entry() {
  const bytes = new Uint8Array(LENGTH);
  const view = new DataView(bytes.buffer);
  const put = (text: string, at: number) => bytes.set(new TextEncoder().encode(text), at);
  view.setUint32(8, 0xfffffffe, true);
  view.setInt32(12, -2, true);
  view.setBigUint64(16, 0xffffffff81000010n, true);
  view.setBigInt64(24, -1n << 40n, true);
  put("cat", 32);
  bytes.set([0x52, 0x54, 0, 0x12, 0x34, 0xff], 40);
  view.setUint16(46, 7, true);
  view.setUint16(48, 65535, true);
  view.setUint32(50, (6 << 16) | 96, true);
  put("hello\0", 96);
  view.setUint32(54, (4 << 16) | (104 - 58), true);
  bytes.set([192, 168, 0, 1], 104);
  view.setUint32(58, (6 << 16) | 96, true);
  view.setUint32(62, (3 << 16) | 99, true);
  bytes.set([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 70);
  bytes[86] = 0xa5;
  view.setUint32(87, (8 << 16) | 112, true);
  view.setBigUint64(112, 0b1000_1111n, true);
  return { bytes, view };
}

const symbolOf: SymbolOf = (address, form) =>
  address === 0xffffffff81000010n ? (form === "name" ? "func" : "func+0x10/0x80") : undefined;

/** The printer of an event with the fields above and `printFmt`. */
function printerOf(printFmt: string) {
  const text = formatText("event", 1, FIELDS, printFmt);
  return compilePrinter(compileDecoder(parseFormat(text)), symbolOf);
}

function print(printFmt: string): string {
  const { problem, print } = printerOf(printFmt);
  assert.equal(problem, undefined);
  return print(entry(), 0, LENGTH);
}

/** What `expression` prints as a long long. */
const value = (expression: string) => print(`"%lld", ${expression}`);

describe("compilePrinter", () => {
  it("prints a uprobe of a real kernel as its trace file does", () => {
    const format = new TextDecoder().decode(fixture("uprobe.format"));
    const table = compileEvents([{ probe: "hit", event: "g/hit", format }]);
    const batch = new RecordBatch(table, () => "");
    batch.load(0, fixture("uprobe.page"), DEFAULT_PAGE_LAYOUT);
    const { print, problem } = compilePrinter(batch.event(0).decoder);
    assert.equal(problem, undefined);
    const { starts, lengths } = batch.columns;
    const lines = Array.from(
      { length: batch.count },
      (_, i) => print(batch, starts[i]!, lengths[i]!),
    );
    const real = new TextDecoder().decode(fixture("uprobe.trace")).split(/^ +target-.*: hit: /m)
      .slice(1).map((line) => line.replace(/\n$/, ""));
    assert.deepEqual(lines, real);
  });

  it("prints integers as printf does", () => {
    const cases = [
      [
        '"%d %u %x %X %o", REC->s, REC->u, REC->u, REC->u, REC->byte',
        "-2 4294967294 fffffffe FFFFFFFE 245",
      ],
      [
        '"%lld %llu %Lx", REC->neg, REC->big, REC->big',
        "-1099511627776 18446744071578845200 ffffffff81000010",
      ],
      ['"%d", REC->big', "-2130706416"],
      ['"%hhd %hhu %hd", REC->byte, REC->byte, REC->s', "-91 165 -2"],
      ['"%#x %#o %#X %#x", REC->byte, REC->byte, REC->byte, 0', "0xa5 0245 0XA5 0x0"],
      [
        '"[%5d] [%-5d] [%05d] [%+d] [% d]", REC->s, REC->s, REC->s, 3, 3',
        "[   -2] [-2   ] [-0002] [+3] [ 3]",
      ],
      ['"%08lx %#010x %.4d %*d", REC->byte, REC->byte, 7, 4, 7', "000000a5 0x000000a5 0007    7"],
      ['"%c%c 100%%", 65, REC->comm[0]', "Ac 100%"],
    ];
    for (const [printFmt, expected] of cases) assert.equal(print(printFmt!), expected);
  });

  it("prints text: arrays, dynamic strings, what the kernel could not read", () => {
    const cases = [
      [
        '"%s|%8s|%-8s|%.2s|%.*s", REC->comm, REC->comm, REC->comm, __get_str(name), 3, REC->comm',
        "cat|     cat|cat     |he|cat",
      ],
      ['"both={\\"%s\\",\\"%s\\"}", __get_str(both[0]), __get_str(both[1])', 'both={"hello","lo"}'],
      ['"a=\\"%s\\" b=%d", __get_str(fault), 5', "a=(fault) b=5"],
      [
        '"%s %s", REC->s < 0 ? "yes" : "no", REC->byte ? __get_str(name) : ((void *)0)',
        "yes hello",
      ],
      ['"%s", REC->byte ? ((void *)0) : __get_str(name)', "(null)"],
      ['"one\\ttwo" " three\\n"', "one\ttwo three\n"],
      ['""', ""],
    ];
    for (const [printFmt, expected] of cases) assert.equal(print(printFmt!), expected);
  });

  it("prints addresses, symbols and bytes", () => {
    const cases = [
      ['"%pS %ps %pS", REC->big, (void *)REC->big, REC->byte', "func+0x10/0x80 func 0xa5"],
      ['"%p %px", REC->byte, REC->big', "00000000000000a5 ffffffff81000010"],
      [
        '"%pM %pm %pMF %pMR", REC->mac, REC->mac, REC->mac, REC->mac',
        "52:54:00:12:34:ff 5254001234ff 52-54-00-12-34-ff ff:34:12:00:54:52",
      ],
      [
        '"%pI4 %pi4", __get_rel_dynamic_array(bytes), __get_rel_dynamic_array(bytes)',
        "192.168.0.1 192.168.000.001",
      ],
      [
        '"%pI6 %pI6c %pi6", REC->ip6, REC->ip6, REC->ip6',
        "2001:0db8:0000:0000:0000:0000:0000:0001 2001:db8::1 20010db8000000000000000000000001",
      ],
      [
        '"%pU %pUl %pUB", REC->ip6, REC->ip6, REC->ip6',
        "20010db8-0000-0000-0000-000000000001 b80d0120-0000-0000-0000-000000000001 20010DB8-0000-0000-0000-000000000001",
      ],
      ['"%*ph %3phC", 2, REC->mac, REC->mac', "52 54 52:54:00"],
      ['"%*pbl %*pb", 64, __get_dynamic_array(mask), 8, __get_dynamic_array(mask)', "0-3,7 8f"],
      ['"%s", __get_cpumask(mask)', "00000000,0000008f"],
    ];
    for (const [printFmt, expected] of cases) assert.equal(print(printFmt!), expected);
  });

  it("calculates as C does: types, wrapping, precedence", () => {
    const cases: [string, string][] = [
      ["REC->u + 3", "1"],
      ["(u64)REC->u + 3", "4294967297"],
      ["REC->s >> 1", "-1"],
      ["(unsigned int)REC->s >> 1", "2147483647"],
      ["REC->s > 0U", "1"],
      ["REC->neg >= -9ULL", "0"],
      ["(u8)REC->u", "254"],
      ["(s8)REC->u", "-2"],
      ["(unsigned short)REC->s + 2", "65536"],
      ["1 + 2 * 3 - 4 / 2 % 3", "5"],
      ["1 | 2 ^ 3 & 6 << 1", "3"],
      ["!REC->byte || !!REC->byte && ~0 == -1", "1"],
      ["-REC->byte", "-165"],
      ["REC->byte / 0", "0"],
      ["(1ULL << 63) >> 63", "1"],
      ["0x10 + 010 + 'A'", "89"],
      ["4294967295", "4294967295"],
      ["0xffffffff", "4294967295"],
      ["REC->pairs[0] + REC->pairs[1]", "65542"],
      ["REC->pairs[2]", "0"],
      ["*(u32 *)__get_rel_dynamic_array(bytes)", "16820416"],
      ["__get_dynamic_array_len(mask) / sizeof(u64)", "1"],
      ["((unsigned int) ((REC->u) >> 20))", "4095"],
      ["__builtin_expect(!!(REC->byte == 165), 1)", "1"],
      ["(REC)->byte ? 1 : REC->s ? 2 : 3", "1"],
      ["__print_ns_to_secs(5000000007ULL)", "5"],
      ["__print_ns_without_secs(5000000007ULL)", "7"],
    ];
    for (const [expression, expected] of cases) {
      assert.equal(value(expression), expected, expression);
    }
  });

  it("names values and flags", () => {
    const cases = [
      ['"%s", __print_symbolic(REC->byte, { 0xa5, "A5" }, { 1, "ONE" })', "A5"],
      ['"%s", __print_symbolic(REC->u, { 0, "NONE" }, { -1, ((void *)0) })', "0xfffffffe"],
      ['"%s", __print_symbolic(REC->s, { -2, "MINUS" })', "MINUS"],
      [
        '"%s", __print_flags(REC->byte, "|", { 1 << 0, "A" }, { (1UL << 2), "C" }, { 0x80 | 0x20, "HI" })',
        "A|C|HI",
      ],
      ['"%s", __print_flags(REC->byte, "", { 1, "A" })', "A0xa4"],
      ['"%s", __print_flags(0, "|", { 1, "A" })', ""],
      ['"%s %s", __print_hex(REC->mac, 3), __print_hex_str(REC->mac, 6)', "52 54 00 5254001234ff"],
      ['"%s", __print_array(REC->pairs, 2, sizeof(u16))', "{0x7,0xffff}"],
      ['"%s", __print_array(__get_dynamic_array(mask), 99, 8)', "{0x8f}"],
    ];
    for (const [printFmt, expected] of cases) assert.equal(print(printFmt!), expected);
  });

  it("tells what the values of a field are called", () => {
    const { names } = printerOf(
      '"%s %s %s", __print_symbolic((int)REC->byte, { 1, "ONE" }), ' +
        '__print_flags(REC->u & 7, "|", { 1, "A" }), __print_flags(REC->s, ",", { 1, "A" }, { 2, "B" })',
    );
    assert.deepEqual([...names.keys()], ["byte", "s"]);
    assert.deepEqual(names.get("byte"), {
      kind: "symbols",
      delimiter: "",
      values: [{ value: 1n, name: "ONE" }],
    });
    assert.equal(nameOfValue(names.get("s")!, 3n), "A,B");
    assert.equal(nameOfValue(names.get("byte")!, -1n), "0xffffffffffffffff");
  });

  it("says where a probe is with symbols, and the caller before the function", () => {
    const fields: FieldLine[] = [
      ["unsigned long __probe_func", 8, 8],
      ["unsigned long __probe_ret_ip", 16, 8],
      ["s32 ret", 24, 4, true],
    ];
    const text = formatText(
      "r",
      1,
      fields,
      '"(%lx <- %lx) ret=%d", REC->__probe_func, REC->__probe_ret_ip, REC->ret',
    );
    const source = entry();
    source.view.setBigUint64(8, 0xffffffff81000010n, true);
    source.view.setBigUint64(16, 0x401126n, true);
    source.view.setInt32(24, -1, true);
    const printer = compilePrinter(compileDecoder(parseFormat(text)), symbolOf);
    assert.equal(printer.print(source, 0, 28), "(0x401126 <- func) ret=-1");
  });

  it("falls back to fields, with the reason, where only the kernel knows", () => {
    const cases: [string, RegExp][] = [
      ['"%d", jiffies_to_msecs(REC->u)', /character 7: the function jiffies_to_msecs\(\)/],
      ['"%d", HZ', /what "HZ" is/],
      ['"%s", REC->big', /in the kernel's memory/],
      ['"%s", ({ int x = 1; x; })', /character/],
      ['"%d", REC->nothing', /no field "nothing"/],
      ['"%d %d", REC->u', /fewer values than conversions/],
      ['"%y", REC->u', /the conversion "%y"/],
      ['"%d", REC->comm', /"%d" of what is no integer/],
      ['"%d", (struct thing)REC->u', /a cast to "struct thing"/],
      ['"%s", __print_symbolic(REC->u, { REC->s, "S" })', /only a constant/],
      ['"%s", __get_str(comm)', /"comm" is not dynamic/],
      ["REC->u", /a string is missing/],
      ['"%d", REC->u REC->s', /"REC" is not understood/],
      ['"%d', /character 1: """ is not understood/],
      [`"%d", ${"(".repeat(5000)}1`, /nested deeper than 200/],
      [`"%d", ${"-".repeat(5000)}1`, /nested deeper than 200/],
      [`"%d", 1${"+1".repeat(5000)}`, /more than 200 operators/],
    ];
    for (const [printFmt, reason] of cases) {
      const { problem, print } = printerOf(printFmt);
      assert.match(problem?.message ?? "no problem", reason, printFmt);
      assert.match(
        print(entry(), 0, LENGTH),
        /^u=4294967294 s=-2 big=18446744071578845200 neg=-1099511627776 comm="cat" mac=\{82,84,0,18,52,255\} .*both=\{"hello","lo"\} fault=\(fault\) /,
      );
    }
  });

  it("still names the values of the arguments it understands", () => {
    const { problem, names } = printerOf('"%d %s", HZ, __print_symbolic(REC->byte, { 1, "ONE" })');
    assert.notEqual(problem, undefined);
    assert.deepEqual([...names.keys()], ["byte"]);
  });

  it("survives any text and any entry", () => {
    const piece = fc.constantFrom(
      ...[
        '"%s %d"',
        '"%*pbl"',
        '"%pI6c"',
        ",",
        "REC->",
        "u",
        "big",
        "mac",
        "name",
        "(",
        ")",
        "{",
        "}",
      ],
      ...[
        "[",
        "]",
        "__get_str",
        "__print_flags",
        "__print_symbolic",
        "__print_hex",
        "?",
        ":",
        "<<",
        "*",
      ],
      ...[
        "-",
        "1",
        "0xff",
        "1ULL",
        "(u8)",
        "(void *)",
        "sizeof",
        "&",
        "=",
        '"|"',
        "99999999999999999999",
      ],
    );
    const text = fc.array(piece, { maxLength: 25 }).map((pieces) => `"%d", ${pieces.join(" ")}`);
    const whole = fc.oneof(text, fc.string({ maxLength: 60 }));
    fc.assert(
      fc.property(
        whole,
        fc.uint8Array({ minLength: LENGTH, maxLength: LENGTH }),
        (printFmt, bytes) => {
          const printer = printerOf(printFmt.replaceAll("\n", " "));
          const source = { bytes, view: new DataView(bytes.buffer) };
          const decoder = compileDecoder(parseFormat(formatText("event", 1, FIELDS)));
          if (decoder.fits(source, 0, LENGTH)) printer.print(source, 0, LENGTH);
          const good = entry();
          assert.equal(typeof printer.print(good, 0, LENGTH), "string");
        },
      ),
      { numRuns: 800, seed: 1 },
    );
  });
});
