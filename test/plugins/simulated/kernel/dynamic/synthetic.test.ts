import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SyntheticEvent } from "../../../../../plugins/simulated/kernel/dynamic/synthetic_event.ts";
import { TestKernel } from "./kernel.ts";

function synthetic(kernel: TestKernel, text: string): string {
  return kernel.write("synthetic_events", text);
}

const FORM = "Command must be of the form: <name> field[;field] ... @0";

describe("synthetic events", () => {
  it("are defined in two files", () => {
    const kernel = new TestKernel();
    assert.equal(synthetic(kernel, "a u64 lat; pid_t pid char comm[16];"), "ok");
    assert.equal(kernel.dynamic("s:b char msg[]; unsigned long[] st\ns:synthetic/c int x"), "ok");
    assert.deepEqual(kernel.lines("synthetic_events"), [
      "a\tu64 lat; pid_t pid; char[16] comm",
      "b\tchar[] msg; unsigned long[] st",
      "c\tint x",
    ]);
    assert.equal(kernel.lines()[0], "s:synthetic/a\tu64 lat; pid_t pid; char[16] comm");
    assert.equal(synthetic(kernel, "!a"), "ok");
    assert.equal(synthetic(kernel, "!a"), "ENOENT");
    assert.equal(kernel.dynamic("-:synthetic/"), "ENOENT");
    assert.equal(kernel.dynamic("-:synthetic/b\n-:c"), "ok");
  });

  it("are refused with a caret at the first such text", () => {
    const kernel = new TestKernel();
    const refused: [text: string, answer: string][] = [
      ["a", `EINVAL; ${FORM}`],
      ["a u64", `EINVAL; ${FORM}`],
      ["a\vu64\vx", `EINVAL; ${FORM}`],
      ["1a u64 x", "EINVAL; Illegal name @0"],
      ["a u64 1x", "EINVAL; Illegal name @6"],
      ["a foo x", "EINVAL; Invalid type @2"],
      ["a int x; unsigned y", "EINVAL; Incomplete type @9"],
      ["a u64 x; u64", "EINVAL; Invalid field @2"],
      ["a char x[257]", "EINVAL; Invalid array specification @7"],
      ["a char x[1000]", "EINVAL; Invalid array specification @7"],
      ["a u64 x[4]", "EINVAL; Invalid type @2"],
      [`a ${"u8 x;".repeat(65)}`, "EINVAL; Too many fields @0"],
    ];
    for (const [text, answer] of refused) assert.equal(synthetic(kernel, text), answer, text);
    synthetic(kernel, "a u64 x");
    assert.equal(synthetic(kernel, "a u64 y"), "EEXIST; Event already exists @0");
    assert.equal(
      kernel.dynamic("s:foo/b u64 x"),
      "EINVAL; Command must be of the form: s or -:[synthetic/]<name> field[;field] ... @0",
    );
  });

  it("have fields of eight bytes, strings of 256", () => {
    const kernel = new TestKernel();
    kernel.dynamic("s:a u8 q; char c[16]; s32 x; char msg[]; unsigned long[] st");
    const event = kernel.event("synthetic/a");
    assert.equal(
      event.format().slice(event.format().indexOf("\n\n") + 2),
      "\tfield:u8 q;\toffset:8;\tsize:1;\tsigned:0;\n" +
        "\tfield:char c[];\toffset:16;\tsize:16;\tsigned:1;\n" +
        "\tfield:s32 x;\toffset:272;\tsize:4;\tsigned:1;\n" +
        "\tfield:__data_loc char[] msg;\toffset:280;\tsize:8;\tsigned:1;\n" +
        "\tfield:__data_loc unsigned long[] st;\toffset:288;\tsize:8;\tsigned:1;\n" +
        '\nprint fmt: "q=%u, c=%s, x=%d, msg=%s, st=%s", REC->q, REC->c, REC->x, ' +
        "__get_str(msg), __get_stacktrace(st)\n",
    );
    assert.deepEqual(
      event.fields.map((field) => field.filterType),
      ["other", "static_string", "other", "dyn_string", "stacktrace"],
    );
  });

  it("are kept by actions that write them, and by being enabled", () => {
    const kernel = new TestKernel();
    kernel.dynamic("s:a u64 x\ns:b u64 x\ns:c u64 x");
    kernel.host.enabled.add(kernel.event("synthetic/b"));
    // Being enabled is seen when the event's turn comes.
    assert.equal(kernel.truncate("synthetic_events"), "EBUSY");
    assert.equal(kernel.lines().length, 2);
    kernel.host.referenced.add(kernel.event("synthetic/c"));
    assert.equal(synthetic(kernel, "!c"), "EBUSY");
    kernel.host.enabled.clear();
    assert.equal(kernel.truncate("synthetic_events"), "EBUSY");
    assert.equal(kernel.lines().length, 2);
  });

  it("encode values into their slots", () => {
    const kernel = new TestKernel();
    kernel.dynamic("s:a s32 x; char msg[]; char c[4]; long[] st");
    const event = kernel.event("synthetic/a");
    assert.ok(event instanceof SyntheticEvent);
    const entry = event.encode([-2n, "hi", "abc", [0x10n, 0x20n]]);
    const view = new DataView(entry.buffer);
    const end = 8 + 8 + 8 + 256 + 8;
    assert.equal(entry.length, end + 3 + 24);
    assert.equal(view.getBigUint64(8, true), 0xfffffffen);
    assert.equal(view.getUint32(16, true), (3 << 16) | end);
    assert.equal(String.fromCharCode(...entry.slice(end, end + 3)), "hi\0");
    assert.equal(String.fromCharCode(...entry.slice(24, 28)), "abc\0");
    assert.equal(view.getUint32(280, true), (24 << 16) | (end + 3));
    const words = [0, 8, 16].map((at) => view.getBigUint64(end + 3 + at, true));
    assert.deepEqual(words, [2n, 0x10n, 0x20n]);
    assert.throws(() => event.encode([1n]), TypeError);
  });
});
