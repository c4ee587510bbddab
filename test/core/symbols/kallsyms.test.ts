import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kallsyms } from "../../../core/symbols/kallsyms.ts";

const TEXT = "ffffffff81000010 T vfs_read\n" +
  "ffffffff81000020 t name_show\n" +
  "ffffffff81000030 t name_show\n" +
  "ffffffff81000040 D vfs_read_count\n" +
  "ffffffff81000050 t do_work.isra.0\n" +
  "ffffffff81000060 W weak\n" +
  "ffffffffc0000010 t name_show\t[nf_tables]\n" +
  "ffffffffc0000020 t do_work.constprop.3.cold\t[nf_tables]\n";

describe("Kallsyms", () => {
  it("finds functions by name, weak ones too, and no data", () => {
    const symbols = new Kallsyms(TEXT);
    assert.deepEqual(symbols.find("vfs_read"), [
      { name: "vfs_read", address: 0xffffffff81000010n },
    ]);
    assert.equal(symbols.find("weak").length, 1);
    assert.deepEqual(symbols.find("vfs_read_count"), []);
    assert.deepEqual(symbols.find("vfs"), []);
  });

  it("tells functions of one name apart by their module", () => {
    const symbols = new Kallsyms(TEXT);
    assert.equal(symbols.find("name_show").length, 3);
    assert.deepEqual(symbols.find("name_show", "nf_tables"), [
      { name: "name_show", address: 0xffffffffc0000010n, module: "nf_tables" },
    ]);
  });

  it("answers the same whether it searches or has an index", () => {
    const symbols = new Kallsyms(TEXT);
    const first = symbols.find("name_show");
    for (let i = 0; i < 50; i++) symbols.find("nothing");
    assert.deepEqual(symbols.find("name_show"), first);
  });

  it("knows the copies that a compiler made", () => {
    assert.deepEqual(new Kallsyms(TEXT).variants("do_work"), [
      "do_work.isra.0",
      "do_work.constprop.3.cold",
    ]);
  });

  it("lists the names of all functions, with or without a last line end", () => {
    const names = ["vfs_read", "name_show", "name_show", "do_work.isra.0", "weak", "name_show"];
    assert.deepEqual([...new Kallsyms(TEXT).names()].slice(0, 6), names);
    assert.deepEqual([...new Kallsyms("1 t a\n2 t b").names()], ["a", "b"]);
  });

  it("is empty without symbols", () => {
    assert.equal(new Kallsyms("").empty, true);
    assert.equal(new Kallsyms(TEXT).empty, false);
  });
});
