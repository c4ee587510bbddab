import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DefinitionError } from "../../../core/probe/error.ts";
import { parseFetchArg } from "../../../core/probe/fetch_arg.ts";
import {
  checkFetchArg,
  type CheckOptions,
  prepareFetchArg,
} from "../../../core/probe/fetch_check.ts";
import type { DefinedProbe } from "../../../core/probe/probe.ts";
import { REFUSED, TAKEN, TAKEN_AT_RETURN } from "./fetch_cases.ts";

type Kind = DefinedProbe["kind"];

const check = (text: string, kind: Kind, options?: CheckOptions) =>
  checkFetchArg(parseFetchArg(text), kind, options);

/** `count` dereferences around `of`. */
const nest = (count: number, of: string) => "+0(".repeat(count) + of + ")".repeat(count);

describe("checkFetchArg", () => {
  it("takes what a 6.12 kernel takes", () => {
    const options: CheckOptions = { arch: "x86-64", release: "6.12.0" };
    for (const text of TAKEN) assert.equal(check(text, "kprobe", options), undefined, text);
    for (const text of TAKEN_AT_RETURN) {
      assert.equal(check(text, "kretprobe", options), undefined, text);
    }
  });

  it("refuses what a 6.12 kernel refuses", () => {
    for (const text of REFUSED) {
      assert.throws(
        () => prepareFetchArg(text, "kprobe", { arch: "x86-64" }),
        DefinitionError,
        text,
      );
    }
  });

  it("keeps $retval to return probes", () => {
    assert.match(check("$retval", "kprobe")?.hint ?? "", /kretprobe/);
    assert.match(check("+0($retval)", "uprobe")?.hint ?? "", /uretprobe/);
    assert.equal(check("$retval", "uretprobe"), undefined);
    assert.match(check("$retval->a", "uretprobe")?.reason ?? "", /BTF/);
  });

  it("keeps $argN to where the kernel has arguments", () => {
    assert.match(check("$arg0", "kprobe")?.reason ?? "", /counted from 1/);
    assert.match(check("$arg1", "uprobe")?.reason ?? "", /no \$arg1 for a uprobe/);
    assert.match(check("$arg1", "uretprobe")?.reason ?? "", /gone/);
    assert.match(check("$arg1", "kprobe", { offset: 5 })?.reason ?? "", /start/);
    assert.equal(check("$arg1", "kprobe", { offset: 4 }), undefined);
    assert.equal(check("$arg1", "kretprobe", { release: "6.12.1" }), undefined);
    assert.match(check("$arg1", "kretprobe", { release: "6.1.0-18" })?.reason ?? "", /6\.1\.0/);
    assert.match(check("file", "kprobe", { release: "6.1.0" })?.reason ?? "", /parameters/);
    assert.match(check("$arg*", "kprobe")?.hint ?? "", /each/);
  });

  it("counts the arguments in registers", () => {
    assert.equal(check("$arg6", "kprobe"), undefined);
    assert.match(check("$arg7", "kprobe")?.hint ?? "", /\$stack1$/);
    assert.equal(check("$arg8", "kprobe", { arch: "arm64" }), undefined);
    assert.match(check("$arg9", "kprobe", { arch: "arm64" })?.hint ?? "", /\$stack0$/);
  });

  it("knows the registers of each architecture", () => {
    const hints: [string, CheckOptions["arch"], string][] = [
      ["%rdi", "x86-64", "%di"],
      ["%edi", undefined, "%di"],
      ["%eflags", "x86-64", "%flags"],
      ["%r10d", "x86-64", "%r10"],
      ["%al", "x86-64", "%ax"],
      ["%RSI", "x86-64", "%si"],
      ["%w3", "arm64", "%x3"],
      ["%fp", "arm64", "%x29"],
    ];
    for (const [text, arch, meant] of hints) {
      const hint = check(text, "uprobe", { arch })?.hint ?? "";
      assert.ok(hint.endsWith(`${meant}`), `${text}: ${hint}`);
    }
    assert.match(check("%di", "uprobe", { arch: "arm64" })?.reason ?? "", /arm64/);
    assert.equal(check("%x7", "uprobe"), undefined);
    assert.equal(check("%lr", "kprobe", { arch: "arm64" }), undefined);
  });

  it("keeps symbols to the kernel and file offsets to uprobes", () => {
    assert.match(check("@jiffies", "uprobe")?.reason ?? "", /no symbols/);
    assert.match(check("@+16", "kretprobe")?.reason ?? "", /Only a uprobe/);
    assert.equal(check("@+16:string", "uprobe"), undefined);
    for (const type of ["symbol", "symstr", "%pd"]) {
      assert.match(check(`%di:${type}`, "uprobe")?.reason ?? "", /kernel probes only/);
    }
    assert.match(check("file", "uprobe")?.reason ?? "", /BTF/);
  });

  it("says how to read a string", () => {
    assert.match(check("$arg1:ustring", "kprobe")?.hint ?? "", /\+0\(\$arg1\):ustring$/);
    assert.match(check("$retval:string", "uretprobe")?.hint ?? "", /\+0\(\$retval\):string$/);
    assert.equal(check("$comm:string", "uprobe"), undefined);
    assert.match(check("%di:u8[4]", "uprobe")?.reason ?? "", /array needs memory/);
    assert.match(check("+u8(%di):u32[2]", "uprobe")?.hint ?? "", /\+ instead of \+u/);
    assert.equal(check("+u8(%di):ustring[2]", "uprobe"), undefined);
  });

  it("counts the kernel's steps", () => {
    assert.equal(check(nest(14, "%di"), "uprobe"), undefined);
    assert.match(check(nest(15, "%di"), "uprobe")?.reason ?? "", /Too many/);
    assert.equal(check(nest(13, "@1"), "uprobe"), undefined);
    assert.match(check(nest(14, "@1"), "uprobe")?.reason ?? "", /Too many/);
    assert.equal(check(nest(12, "@a"), "kprobe"), undefined);
    assert.match(check(nest(13, "@a"), "kprobe")?.reason ?? "", /Too many/);
  });

  it("refuses offsets that the kernel would cut", () => {
    assert.match(check("+0x80000000(%di)", "kprobe")?.reason ?? "", /32 bits/);
    assert.equal(check("-0x80000000(%di)", "kprobe"), undefined);
  });

  it("refuses what %pd makes too long", () => {
    assert.equal(check(`${"a".repeat(43)}:%pd`, "kprobe"), undefined);
    assert.match(check(`${"a".repeat(44)}:%pd`, "kprobe")?.reason ?? "", /too long/);
  });
});

describe("prepareFetchArg", () => {
  it("leaves the text alone unless an argument becomes a register", () => {
    assert.equal(
      prepareFetchArg("+0x8($arg1):u32", "kprobe", { arch: "x86-64" }),
      "+0x8($arg1):u32",
    );
    assert.equal(prepareFetchArg("+0x8(%di):u32", "uprobe", { arch: "x86-64" }), "+0x8(%di):u32");
    assert.equal(prepareFetchArg("+0x8($arg1):u32", "uprobe", { arch: "x86-64" }), "+8(%di):u32");
    assert.equal(prepareFetchArg("$retval:s32", "uretprobe", { arch: "arm64" }), "$retval:s32");
  });

  it("points at the part at fault", () => {
    const offsetOf = (text: string, kind: Kind) => {
      try {
        prepareFetchArg(text, kind, { arch: "x86-64" });
      } catch (error) {
        assert.ok(error instanceof DefinitionError);
        assert.equal(error.text, text);
        return error.offset;
      }
      assert.fail(text);
    };
    assert.equal(offsetOf("+8(+0(%rdi))", "kprobe"), 6);
    assert.equal(offsetOf("+0x8($arg9)", "uprobe"), 5);
    assert.equal(offsetOf("$arg1:string", "kprobe"), 5);
    assert.equal(offsetOf("$arg1", "uretprobe"), 0);
  });
});
