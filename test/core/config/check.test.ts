import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mistakes } from "./fixture.ts";

/** What is wrong with one probe, without the place. */
function ofProbe(probe: string, more = ""): string[] {
  return mistakes(`${more}probes: { p: ${probe} }\n`).map((text) => text.replace(/^\d+:\d+ /, ""));
}

/** What is wrong with a capture of a probe of `kind`, and where in its text. */
function ofCapture(kind: string, fetch: string): string[] {
  const place = kind.startsWith("u") ? "{ path: /bin/a, symbol: f }" : "{ symbol: f }";
  const body = `probes:\n  p:\n    ${kind}: ${place}\n    capture:\n      x: "`;
  const start = '      x: "'.length + 1;
  return mistakes(`${body}${fetch}"\n`).map((text) => {
    const [, line, column, rest] = /^(\d+):(\d+) ([^]*)$/.exec(text)!;
    assert.equal(line, "5");
    return `${Number(column) - start} ${rest.replace(/ \([^]*$/, "")}`;
  });
}

describe("captures", () => {
  it("are read by the kernel's grammar, with the place of a mistake", () => {
    assert.deepEqual(ofCapture("kprobe", "+0($arg2):ustring"), []);
    assert.deepEqual(ofCapture("kprobe", "+0($arg2:ustring"), ["8 A parenthesis is not closed"]);
    assert.deepEqual(ofCapture("kprobe", "$arg1:s33"), ['6 Unknown type "s33"']);
    assert.match(ofCapture("kprobe", "$arg1 $arg2")[0], /^5 .*cannot hold " "/);
    assert.match(ofCapture("kprobe", "$arg1;x")[0], /cannot hold ";"/);
    assert.match(ofCapture("kprobe", "")[0], /empty/);
  });

  it("have six arguments, by number or in the kernel's words", () => {
    assert.deepEqual(ofCapture("kprobe", "$arg6"), []);
    assert.match(ofCapture("kprobe", "$arg7")[0], /^0 \$arg7 is past the 6 arguments/);
    assert.match(ofCapture("uprobe", "$arg7:s32")[0], /^0 \$arg7 is past the 6 arguments/);
    assert.match(ofCapture("kprobe", "$arg0")[0], /counted from 1/);
    assert.deepEqual(
      mistakes("probes: { p: { kprobe: { symbol: f }, capture: { x: { arg: 7, type: s32 } } } }\n"),
      ["1:60 $arg7 is past the 6 arguments that are in registers (At the entry of a function it is $stack1)"],
    );
    assert.equal(
      mistakes("probes: { p: { kprobe: { symbol: f }, capture: { x: { arg: 0 } } } }\n").length,
      1,
    );
  });

  it("know the return value at a return only", () => {
    assert.deepEqual(ofCapture("kretprobe", "$retval:s32"), []);
    assert.deepEqual(ofCapture("uretprobe", "$retval"), []);
    assert.match(ofCapture("kprobe", "$retval")[0], /only when the function returns/);
    assert.match(ofCapture("uprobe", "$retval")[0], /only when the function returns/);
    assert.match(ofCapture("uretprobe", "$arg1")[0], /is gone when the function returns/);
  });

  it("can be short for an argument, also for the text it points to", () => {
    assert.deepEqual(
      ofProbe(
        "{ kprobe: { symbol: f }, capture: { x: { arg: 2, type: ustring }, y: { arg: fd } } }",
      ),
      [],
    );
    assert.deepEqual(
      ofProbe("{ uprobe: { path: /b, symbol: f }, capture: { x: { arg: 2, type: string } } }"),
      [],
    );
    assert.match(
      ofProbe("{ uprobe: { path: /b, symbol: f }, capture: { x: { arg: fd } } }")[0],
      /needs BTF/,
    );
    assert.match(
      ofProbe("{ kprobe: { symbol: f }, capture: { x: { arg: 1, type: s33 } } }")[0],
      /Unknown type "s33"/,
    );
  });

  it("are of probes that are defined only", () => {
    assert.match(ofProbe("{ tracepoint: a/b, capture: { x: $arg1 } }")[0], /captures nothing/);
    assert.match(
      ofProbe("{ user_event: e, capture: { x: $arg1 } }", "user_events: { e: {} }\n")[0],
      /captures nothing/,
    );
  });

  it("fit the kernel all together", () => {
    const many = Array.from({ length: 129 }, (_, i) => `c${i}: $arg1`).join(", ");
    assert.match(
      ofProbe(`{ kprobe: { symbol: f }, capture: { ${many} } }`)[0],
      /captures 129 values/,
    );
    const large = Array.from({ length: 7 }, (_, i) => `c${i}: "+0($arg1):u64[64]"`).join(", ");
    assert.match(
      ofProbe(`{ kprobe: { symbol: f }, capture: { ${large} } }`)[0],
      /at most 3072 bytes/,
    );
    const long = Array.from(
      { length: 100 },
      (_, i) => `a_rather_long_name_${i}: "+0x10(+0x20(+0x30($arg1))):u64"`,
    );
    assert.match(
      ofProbe(`{ kprobe: { symbol: f }, capture: { ${long.join(", ")} } }`)[0],
      /definition has \d+ bytes/,
    );
  });
});

describe("filters", () => {
  const captured =
    "kprobe: { symbol: f }, capture: { dfd: '$arg1:s32', name: '+0($arg2):ustring', n: '$arg3:u8' }";

  function ofFilter(filter: string, probe = captured): string[] {
    return ofProbe(`{ ${probe}, filter: '${filter.replaceAll("'", "''")}' }`);
  }

  it("compare what is captured, and what every event has", () => {
    for (
      const filter of [
        "dfd == -100",
        'name ~ "/etc/*" && n != 0x1f',
        "common_pid == 1 || cpu < 4",
        'comm == "cat" && !(dfd > 3)',
        "__probe_ip != 0",
        "common_flags & 16",
      ]
    ) {
      assert.deepEqual(ofFilter(filter), [], filter);
    }
  });

  it("report every field that is not captured, at its place", () => {
    assert.deepEqual(
      mistakes(
        `probes:\n  p:\n    ${
          captured.replace(", capture", "\n    capture")
        }\n    filter: 'dfdd == 1 && (x < 2 || n == 3)'\n`,
      ),
      [
        '5:14 Field "dfdd" of the filter is not captured (Did you mean "dfd"?)',
        '5:28 Field "x" of the filter is not captured (The event has dfd, name, n, comm, cpu, common_pid)',
      ],
    );
    assert.match(ofFilter("ret < 0", "kretprobe: { symbol: f }")[0], /is not captured/);
  });

  it("are read by the kernel's grammar", () => {
    for (
      const filter of ["dfd = 1", "dfd == ", "(dfd == 1", "dfd == 1 &&", 'name == "x', "dfd == 1)"]
    ) {
      assert.equal(ofFilter(filter).length, 1, filter);
    }
    assert.match(ofFilter("dfd = 1")[0], /Write "=="/);
    assert.match(ofFilter("  ")[0], /filter is empty/);
    assert.match(ofProbe("{ tracepoint: a/b, filter: 'x ==' }")[0], /Invalid value/);
  });

  it("compare text with text, and numbers with numbers that they can be", () => {
    assert.match(ofFilter("name == 5")[0], /is a string, but/);
    assert.match(ofFilter('dfd == "x"')[0], /is no string/);
    assert.match(ofFilter("n == -1")[0], /Illegal integer value/);
    assert.match(ofFilter('dfd ~ "1*"')[0], /no string/);
  });

  it("leave fields alone whose type only the kernel knows", () => {
    const btf = "kprobe: { symbol: f }, capture: { file: file->f_inode }";
    assert.deepEqual(ofFilter("file == 5", btf), []);
    assert.deepEqual(ofFilter('file == "x"', btf), []);
    assert.deepEqual(ofProbe("{ tracepoint: sched/sched_switch, filter: 'prev_prio < 100' }"), []);
  });

  it("compare declared fields of a user_event", () => {
    const declared =
      "user_events: { e: { fields: { id: u64, stage: 'char[16]', note: string } } }\n";
    const filter = (text: string) => ofProbe(`{ user_event: e, filter: '${text}' }`, declared);
    assert.deepEqual(filter('id > 5 && stage == "paid" && note ~ "a*" && comm == "x"'), []);
    assert.match(filter("idd > 5")[0], /"idd" of the filter is not declared \(Did you mean "id"/);
    assert.match(filter("stage == 5")[0], /is a string/);
  });
});

describe("symbols", () => {
  it("are functions of the kernel, one by one", () => {
    assert.deepEqual(ofProbe("{ kprobe: { symbol: [vfs_read, __x64_sys_read, f.isra.0] } }"), []);
    assert.deepEqual(
      mistakes("probes: { p: { kprobe: { symbol: [vfs_read, 'vfs read'] } } }\n").map((t) =>
        t.slice(0, 4)
      ),
      ["1:45"],
    );
    assert.match(ofProbe("{ kretprobe: { symbol: 'vfs_*' } }")[0], /is a pattern/);
    assert.match(ofProbe("{ kprobe: { symbol: 'mod:f' } }")[0], /has ":"/);
  });

  it("of programs may be of any language", () => {
    assert.deepEqual(ofProbe("{ uprobe: { path: /b, symbol: 'main.(*T).Run' } }"), []);
    assert.deepEqual(ofProbe("{ uprobe: { path: /b, symbol: 'ns::f(int, char const*)' } }"), []);
    assert.match(
      ofProbe('{ uprobe: { path: /b, symbol: "a\\nb" } }')[0],
      /cannot be one of an ELF/,
    );
    assert.match(ofProbe("{ uprobe: { path: /b, symbol: '' } }")[0], /symbol is empty/);
  });
});

describe("user_events", () => {
  it("have fields of types that the kernel takes", () => {
    const types = [
      "u8",
      "s64",
      "int",
      "unsigned char",
      "char[16]",
      "unsigned char[4]",
      "string",
      "bytes",
    ];
    const fields = types.map((type, i) => `f${i}: "${type}"`).join(", ");
    assert.deepEqual(mistakes(`user_events: { e: { fields: { ${fields} } } }\n`), []);
    for (
      const type of [
        "u7",
        "float",
        "char[0]",
        "char[1025]",
        "u32[2]",
        "char*",
        "struct x 8",
        "u8;u8",
        "",
        "long",
      ]
    ) {
      const found = mistakes(`user_events: { e: { fields: { f: "${type}" } } }\n`);
      assert.equal(found.length, 1, type);
      assert.match(found[0], /^1:34 /, type);
    }
  });

  it("fit the 511 characters of a registration, with their namespace", () => {
    const fields = Array.from({ length: 30 }, (_, i) => `a_field_of_length_${i}: u64`).join(", ");
    assert.match(
      mistakes(`user_events: { e: { fields: { ${fields} } } }\n`)[0],
      /^1:16 The registration of the event has \d+ characters/,
    );
    // "e f63… u64; …" is 511 characters exactly; a namespace makes it longer.
    const names = Array.from({ length: 7 }, (_, i) => `f${i}`.padEnd(i < 6 ? 63 : 62, "x"));
    const exact = names.map((name) => `${name}: u64`).join(", ");
    const event = (more: string) =>
      `user_events: { ${"e".repeat(30)}: { fields: { ${exact} }${more} } }\n`;
    assert.deepEqual(mistakes(event("")), []);
    assert.match(
      mistakes(
        `namespaces: { ${"n".repeat(20)}: {} }\n${event(`, namespace: ${"n".repeat(20)}`)}`,
      )[0],
      /registration/,
    );
  });

  it("are in namespaces that are declared", () => {
    assert.deepEqual(
      mistakes("namespaces: { shop: {} }\nuser_events: { e: { namespace: shpp } }\n"),
      [
        '2:32 Namespace "shpp" is not declared (Did you mean "shop"?)',
      ],
    );
  });

  it("are found by probes", () => {
    const declared =
      "namespaces: { shop: {}, pay: {} }\nuser_events: { e: { namespace: shop }, r: {} }\n";
    const of = (reference: string) => ofProbe(`{ user_event: ${reference} }`, declared);
    assert.deepEqual(of("shop/e"), []);
    assert.deepEqual(of("r"), []);
    assert.deepEqual(of("shp/e"), ['Namespace "shp" is not declared (Did you mean "shop"?)']);
    assert.deepEqual(of("pay/e"), ['user_event "e" is in namespace "shop" (Write shop/e)']);
    assert.deepEqual(of("shop/r"), ['user_event "r" is in no namespace (Write r)']);
    assert.match(of("shop/checkout")[0], /^warning: .*is not declared in this file/);
  });
});

describe("simulate", () => {
  const host = `simulate:
  functions: { f: { args: [s32, string], returns: s32 } }
  executables: { /bin/a: { functions: { run: { args: [u64] } } } }
  processes: { cat: { pid: 42, comm: cat } }
`;

  function ofCall(call: string): string[] {
    return mistakes(`${host}  calls: [ ${call} ]\n`);
  }

  it("calls what is declared", () => {
    assert.deepEqual(
      ofCall(
        "{ function: f, args: [1, x], returns: -2, process: cat, latency: 3us, calls: [ { function: f } ] }",
      ),
      [],
    );
    assert.deepEqual(
      ofCall("{ function: run, executable: /bin/a, args: [1], process: { pid: 7, comm: x } }"),
      [],
    );
    assert.deepEqual(ofCall("{ tracepoint: sched/sched_switch, fields: { prev_prio: 1 } }"), []);
    assert.deepEqual(ofCall("{ function: ff }"), [
      '5:24 Function "ff" is not declared under simulate.functions (Did you mean "f"?)',
    ]);
    assert.match(ofCall("{ function: run }")[0], /"run" is not declared under simulate.functions/);
    assert.match(ofCall("{ function: f, executable: /bin/b }")[0], /simulate.executables/);
    assert.match(ofCall("{ function: f, calls: [ { function: g_missing } ] }")[0], /"g_missing"/);
    assert.match(ofCall("{ function: f, process: dog }")[0], /Process "dog" is not declared/);
    assert.match(ofCall("{ function: f, args: [1, x, 3] }")[0], /with 2 arguments, 3 are given/);
    assert.match(ofCall("{ args: [] }")[0], /needs a function or a tracepoint/);
    assert.match(ofCall("{ function: f, tracepoint: a/b }")[0], /has both/);
  });

  it("writes user_events that are declared, with their fields", () => {
    const declared = "user_events: { e: { fields: { id: u64 } } }\n";
    const of = (write: string) => mistakes(`${declared}simulate: { writes: [ ${write} ] }\n`);
    assert.deepEqual(of("{ user_event: e, fields: { id: 1 }, every: 1ms, count: 3 }"), []);
    assert.match(of("{ user_event: ee }")[0], /^2:37 user_event "ee" is not declared/);
    assert.match(of("{ user_event: e, fields: { idd: 1 } }")[0], /^2:50 .*has no field "idd"/);
  });
});

describe("tests", () => {
  const head = `probes: { p: { kretprobe: { symbol: f }, capture: { ret: $retval } } }
simulate: { functions: { f: { returns: s32 } } }
tests:
  t:
`;

  it("expect records that can come", () => {
    assert.deepEqual(
      mistakes(
        `${head}    expect: { p: { count: { min: 1 }, args: { ret: 1 }, records: [ { ret: 1 } ] }, lost: 0 }\n`,
      ),
      [],
    );
    assert.deepEqual(mistakes(`${head}    expect: { pp: { count: 1 } }\n`), [
      '5:15 Probe "pp" is not declared (Did you mean "p"?)',
    ]);
    assert.match(
      mistakes(`${head}    expect: { p: { args: { rte: 1 } } }\n`)[0],
      /does not capture "rte"/,
    );
    assert.match(mistakes(`${head}    expect: { p: { records: [ { rte: 1 } ] } }\n`)[0], /"rte"/);
    assert.match(
      mistakes(`${head}    calls: [ { function: g } ]\n    expect: {}\n`)[0],
      /"g" is not declared/,
    );
  });

  it("need a name for lost events that no probe has", () => {
    assert.match(mistakes("probes: { lost: { tracepoint: a/b } }\n")[0], /cannot be called "lost"/);
  });
});
