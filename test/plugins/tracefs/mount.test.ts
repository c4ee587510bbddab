import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";
import { tracefsDirectory } from "../../../plugins/simulated/kernel/tracefs/top.ts";
import {
  fixedDirectory,
  memoryDirectory,
  memoryFile,
  type Node,
} from "../../../plugins/simulated/kernel/vfs.ts";
import { NoTracefsError, tracefsBackend } from "../../../plugins/tracefs/backend.ts";
import { findTracefs } from "../../../plugins/tracefs/mount.ts";
import { makeKernel } from "../../support/host.ts";

const PROC = "21 1 0:21 / /proc rw - proc proc rw";
const SYS = "22 1 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw";

/** What {@link makeHost} makes. */
interface Host {
  /** Lines of mountinfo; null for no /proc. */
  readonly mounts: readonly string[] | null;
  /** Where tracefs really is. */
  readonly at?: readonly string[];
  readonly filesystems?: string;
}

function makeHost({ mounts, at = [], filesystems }: Host): SimulatedKernel {
  const kernel = makeKernel();
  kernel.root.unlink!("sys");
  kernel.root.unlink!("proc");
  if (mounts !== null) {
    kernel.root.place!(
      "proc",
      memoryDirectory({
        self: memoryDirectory({ mountinfo: file(mounts.map((line) => `${line}\n`).join("")) }),
        filesystems: file(filesystems ?? "nodev\tsysfs\nnodev\ttracefs\n"),
      }),
    );
  }
  for (const path of at) place(kernel, path, tracefsDirectory(kernel));
  return kernel;
}

function file(text: string): Node {
  return memoryFile(new TextEncoder().encode(text));
}

function place(kernel: SimulatedKernel, path: string, node: Node): void {
  const parts = path.split("/").slice(1);
  let directory = kernel.root;
  for (const part of parts.slice(0, -1)) {
    const next = directory.lookup(part) ?? memoryDirectory();
    directory.place!(part, next);
    assert.ok(next.kind === "directory");
    directory = next;
  }
  directory.place!(parts.at(-1)!, node);
}

function find(host: Host) {
  return findTracefs(makeHost(host).spawn({ pid: 10, comm: "sonde" }));
}

describe("findTracefs", () => {
  it("finds it at the usual place", () => {
    const tracefs = "23 22 0:11 / /sys/kernel/tracing rw,nosuid - tracefs tracefs rw";
    const at = ["/sys/kernel/tracing"];
    assert.deepEqual(find({ mounts: [PROC, SYS, tracefs], at }), { root: "/sys/kernel/tracing" });
  });

  it("finds it at an odd place, whatever is in the path", () => {
    for (
      const [escaped, path] of [
        ["/mnt/trace", "/mnt/trace"],
        ["/mnt/a\\040b", "/mnt/a b"],
        ["/mnt/tab\\011line\\012back\\134slash", "/mnt/tab\tline\nback\\slash"],
        ["/mnt/\\134040", "/mnt/\\040"],
        ["/mnt/grün", "/mnt/grün"],
        ["/-", "/-"],
      ]
    ) {
      const tracefs = `23 22 0:11 / ${escaped} rw shared:1 master:2 - tracefs nodev rw`;
      assert.deepEqual(find({ mounts: [PROC, SYS, tracefs], at: [path] }), { root: path });
    }
  });

  it("prefers the usual place, else takes the first whole mount", () => {
    const mount = (point: string, root = "/") => `23 22 0:11 ${root} ${point} rw - tracefs t rw`;
    const usual = mount("/sys/kernel/tracing");
    const at = ["/a", "/b", "/sys/kernel/tracing"];
    assert.deepEqual(find({ mounts: [mount("/a"), usual], at }), { root: "/sys/kernel/tracing" });
    const part = mount("/part", "/instances/x");
    assert.deepEqual(find({ mounts: [part, mount("/b"), mount("/a")], at }), { root: "/b" });
  });

  it("passes a bind mount of a part over, and says so", () => {
    const part = "23 22 0:11 /instances/x /mnt/x rw - tracefs tracefs rw";
    const found = find({ mounts: [PROC, SYS, part], at: ["/mnt/x"] });
    assert.ok("missing" in found);
    assert.match(found.missing, /Only a part of tracefs \("\/instances\/x"\).*"\/mnt\/x"/);
    assert.match(found.remedy, /mount -t tracefs/);
  });

  it("finds it in debugfs where there is no other mount", () => {
    const debugfs = "24 22 0:7 / /sys/kernel/debug rw - debugfs debugfs rw";
    const at = ["/sys/kernel/debug/tracing"];
    assert.deepEqual(find({ mounts: [PROC, SYS, debugfs], at }), {
      root: "/sys/kernel/debug/tracing",
    });
    const elsewhere = "24 22 0:7 / /debug rw - debugfs debugfs rw";
    assert.deepEqual(find({ mounts: [PROC, elsewhere], at: ["/debug/tracing"] }), {
      root: "/debug/tracing",
    });
    const part = "24 22 0:7 /tracing /mnt/x rw - debugfs debugfs rw";
    assert.ok("missing" in find({ mounts: [PROC, part], at: ["/mnt/x"] }));
  });

  it("looks at the usual places without /proc", () => {
    for (const root of ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]) {
      assert.deepEqual(find({ mounts: null, at: [root] }), { root });
    }
    assert.ok("missing" in find({ mounts: null }));
  });

  it("says how to mount it", () => {
    const found = find({ mounts: [PROC, SYS] });
    assert.deepEqual(found, {
      missing: "tracefs is not mounted",
      remedy: "As root: mount -t tracefs tracefs /sys/kernel/tracing",
    });
  });

  it("does not look where it is not mounted", () => {
    // A directory of that name is no tracefs.
    assert.ok("missing" in find({ mounts: [PROC, SYS], at: ["/sys/kernel/tracing"] }));
  });

  it("says if the kernel has none", () => {
    const found = find({ mounts: [PROC, SYS], filesystems: "nodev\tsysfs\n\text4\n" });
    assert.ok("missing" in found);
    assert.equal(found.missing, "This kernel has no tracefs");
    assert.match(found.remedy, /CONFIG_FTRACE/);
  });

  it("reads over lines that it does not understand", () => {
    const mounts = ["", "x", "1 2 3 4 5 6 7 8", "1 2 3 - tracefs", "- - - - - -", PROC];
    const tracefs = "23 22 0:11 / /t rw - tracefs tracefs rw";
    assert.deepEqual(find({ mounts: [...mounts, tracefs], at: ["/t"] }), { root: "/t" });
    assert.ok("missing" in find({ mounts }));
  });
});

describe("tracefsBackend without tracefs", () => {
  it("says so by inspect, and throws it from everything else", async () => {
    const backend = tracefsBackend(
      makeHost({ mounts: [PROC, SYS] }).spawn({ pid: 10, comm: "sonde" }),
    );
    const { usable, list } = await backend.inspect();
    assert.equal(usable, false);
    assert.deepEqual(list[0], {
      name: "tracefs",
      available: false,
      detail: "tracefs is not mounted",
      remedy: "As root: mount -t tracefs tracefs /sys/kernel/tracing",
    });
    const request = { name: "edge", probes: [] };
    for (
      const call of [
        () => backend.inventory(),
        () => backend.places("functions"),
        () => backend.status("edge"),
        () => backend.check([]),
        () => backend.perform([]),
        () => backend.undo({ call: "rmdir", path: "x" }),
        () => backend.capture(request),
      ]
    ) {
      await assert.rejects(call, NoTracefsError);
    }
  });

  it("tells a lack of permission from a lack of tracefs", async () => {
    const debugfs = "24 22 0:7 / /sys/kernel/debug rw - debugfs debugfs rw";
    const tracefs = "23 22 0:11 / /sys/kernel/tracing rw - tracefs tracefs rw";
    for (
      const host of [
        { mounts: [PROC, SYS, tracefs], at: ["/sys/kernel/tracing"] },
        { mounts: [PROC, SYS, debugfs], at: ["/sys/kernel/debug/tracing"] },
        { mounts: null, at: ["/sys/kernel/tracing"] },
      ]
    ) {
      const backend = tracefsBackend(
        makeHost(host).spawn({ pid: 10, comm: "sonde", uid: 1000 }),
      );
      const { usable, list } = await backend.inspect();
      assert.equal(usable, false);
      const missing = list.find(({ available }) => !available);
      assert.equal(missing?.name, "access", JSON.stringify(host.mounts));
      assert.match(missing!.detail, /uid 1000/);
      assert.match(missing!.remedy!, /as root/);
    }
  });

  it("is found where only root may look", () => {
    const debugfs = "24 22 0:7 / /sys/kernel/debug rw - debugfs debugfs rw";
    const kernel = makeHost({ mounts: [PROC, SYS, debugfs] });
    const tracing = tracefsDirectory(kernel);
    place(kernel, "/sys/kernel/debug", fixedDirectory({ tracing }, 0o700));
    assert.deepEqual(findTracefs(kernel.spawn({ pid: 10, comm: "sonde" })), {
      root: "/sys/kernel/debug/tracing",
    });
    assert.deepEqual(findTracefs(kernel.spawn({ pid: 11, comm: "sonde", uid: 1000 })), {
      root: "/sys/kernel/debug/tracing",
    });
  });
});
