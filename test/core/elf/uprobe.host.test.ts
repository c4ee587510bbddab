/**
 * Holds offsets and listings against the kernel of this machine. It needs root and tracefs, traces
 * a program of its own in an instance of its own, and runs only with SONDE_HOST_TESTS=1.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { after, afterEach, describe, it } from "node:test";
import { resolveFunction } from "../../../core/elf/resolve.ts";
import {
  formatDefinition,
  formatDelete,
  parseDefinition,
  sameDefinition,
} from "../../../core/probe/definition.ts";
import { prepareFetchArg } from "../../../core/probe/fetch_check.ts";
import type { UprobeProbe } from "../../../core/probe/probe.ts";
import { Programs, withFile } from "./program.ts";

const TRACEFS = "/sys/kernel/tracing";
const DEFINITIONS = `${TRACEFS}/uprobe_events`;
const GROUP = "sonde_t_elf";
const skip = process.env.SONDE_HOST_TESTS !== "1"
  ? "SONDE_HOST_TESTS is not 1"
  : process.arch !== "x64" && "It names registers of x86-64";

/** The lines of our group, as the kernel lists them. */
function listed(): string[] {
  return readFileSync(DEFINITIONS, "utf8").split("\n").filter((line) =>
    line.includes(`:${GROUP}/`)
  );
}

describe("uprobes on this machine", { skip }, () => {
  const programs = new Programs();
  const instance = `${TRACEFS}/instances/sonde-t-elf`;

  afterEach(() => {
    for (const line of listed()) {
      const { group, event } = parseDefinition(line);
      appendFileSync(DEFINITIONS, formatDelete(group, event));
    }
    assert.deepEqual(listed(), []);
  });
  after(() => programs.remove());

  /** Defines `probe` and returns the line that the kernel then lists. */
  function define(probe: UprobeProbe): string {
    const line = formatDefinition(probe);
    appendFileSync(DEFINITIONS, line);
    const [found, ...others] = listed().filter((text) => text.includes(`/${probe.event} `));
    assert.deepEqual(others, []);
    assert.ok(sameDefinition(line, found), `${line} is listed as ${found}`);
    const { id: _, ...rest } = probe;
    assert.deepEqual(parseDefinition(found), rest);
    return found;
  }

  const probeOf = (path: string, fields: Partial<UprobeProbe> = {}): UprobeProbe => ({
    id: "x",
    kind: "uprobe",
    group: GROUP,
    event: "target",
    place: { path, offset: withFile(path, (elf) => resolveFunction(elf, "target").fileOffset) },
    args: [],
    ...fields,
  });

  it("lists every form as it was written", () => {
    const path = programs.compile("forms", "-pie", "-fPIE");
    const nested = `${"+0(".repeat(14)}%di${")".repeat(14)}`;
    const fetches = [
      ..."%di:s32 +u0(%si):ustring +8(%sp):u64[4] $stack $stack3:x16 $comm %di:b4@4/8".split(" "),
      ..."@+0x10:u32 @0x1000:string \\-1:s8 +u0(%si):ustring[2]".split(" "),
      '\\"text"',
      nested,
    ];
    const args = fetches.map((fetch, index) => ({ name: `a${index}`, fetch }));
    define(probeOf(path, { args }));
    define(probeOf(path, {
      kind: "uretprobe",
      event: "returned",
      args: [{ name: "ret", fetch: "$retval:s32" }],
    }));
  });

  it("takes what looks odd in a path", () => {
    const path = programs.compile("odd", "-pie", "-fPIE");
    const odd = `${programs.directory}/é:0x5:(%return)='"$x`;
    renameSync(path, odd);
    define(probeOf(odd));
  });

  it("would take the byte 0xa0 of a path for a blank", () => {
    const path = programs.compile("blank", "-pie", "-fPIE");
    const blank = `${programs.directory}/à`;
    renameSync(path, blank);
    assert.throws(() => formatDefinition(probeOf(blank)), /0xa0/);
    assert.throws(() => appendFileSync(DEFINITIONS, `p:${GROUP}/target ${blank}:0x1000`));
  });

  it("refuses what is refused offline", () => {
    const path = programs.compile("refused", "-pie", "-fPIE");
    const { offset } = probeOf(path).place;
    const fetches = [
      ..."%rdi $arg1 $retval @jiffies %di:symbol %di:string %di:u8[2] +u8(%di):u32[2]".split(" "),
      ..."$stack:string %di:%pd file".split(" "),
      `${"+0(".repeat(15)}%di${")".repeat(15)}`,
    ];
    for (const fetch of fetches) {
      assert.throws(() => prepareFetchArg(fetch, "uprobe"), fetch);
      assert.throws(
        () =>
          appendFileSync(DEFINITIONS, `p:${GROUP}/x ${path}:0x${offset.toString(16)} a=${fetch}`),
        fetch,
      );
    }
  });

  for (const flags of [["-pie", "-fPIE"], ["-no-pie", "-fno-pie"], ["-static"]]) {
    it(`fires at the resolved offset of a program made with ${flags[0]}`, () => {
      const path = programs.compile(`fires${flags[0]}`, ...flags);
      const args = [["a", "$arg1:s32"], ["b", "+0($arg2):ustring"]].map(([name, fetch]) => ({
        name,
        fetch: prepareFetchArg(fetch, "uprobe", { arch: "x86-64" }),
      }));
      define(probeOf(path, { args }));
      mkdirSync(instance);
      try {
        writeFileSync(`${instance}/events/${GROUP}/enable`, "1");
        spawnSync(path, ["one", "two"]);
        const trace = readFileSync(`${instance}/trace`, "utf8");
        assert.match(trace, new RegExp(`target: \\(0x[0-9a-f]+\\) a=3 b="${path}"`));
      } finally {
        writeFileSync(`${instance}/events/${GROUP}/enable`, "0");
        rmdirSync(instance);
      }
    });
  }
});
