import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KernelError } from "../../../core/kernel/error.ts";
import type { Kernel } from "../../../core/kernel/port.ts";
import {
  checkDescriptors,
  checkMemory,
  LimitError,
  ringPages,
} from "../../../plugins/mmap/limits.ts";

/** A kernel that has these files and nothing else. */
function kernelWith(files: Readonly<Record<string, string>>, uid = 0): Kernel {
  const unread = new Map<number, Uint8Array>();
  let lastFd = 2;
  const machine = { kind: "simulated", release: "6.12.0", arch: "x86_64", pid: 1, uid } as const;
  const fake: Partial<Kernel> = {
    machine,
    open: (path) => {
      const text = files[path];
      if (text === undefined) throw new KernelError("ENOENT", "open", path);
      unread.set(++lastFd, new TextEncoder().encode(text));
      return lastFd;
    },
    read: (fd, into) => {
      const bytes = unread.get(fd)!;
      into.set(bytes);
      unread.set(fd, new Uint8Array());
      return bytes.length;
    },
    close: () => {},
    list: () => ["0", "1", "2"],
  };
  return fake as Kernel;
}

const MLOCK = "/proc/sys/kernel/perf_event_mlock_kb";
const STATUS = "/proc/self/status";

describe("ringPages", () => {
  it("takes what every user may lock, less the control page", () => {
    assert.equal(ringPages(kernelWith({ [MLOCK]: "516\n" }), undefined), 128);
    assert.equal(ringPages(kernelWith({ [MLOCK]: "515\n" }), undefined), 64);
    assert.equal(ringPages(kernelWith({ [MLOCK]: "8\n" }), undefined), 1);
    assert.equal(ringPages(kernelWith({}), undefined), 128);
  });

  it("takes the next power of 2 of what is asked for", () => {
    assert.deepEqual(
      [1, 4, 5, 64, 1408].map((kib) => ringPages(kernelWith({}), kib)),
      [1, 1, 2, 16, 512],
    );
  });
});

describe("checkMemory", () => {
  it("refuses rings beyond the limit, unless this process may lock memory", () => {
    const limited = { [MLOCK]: "516\n", [STATUS]: "CapEff:\t0000000000000000\n" };
    checkMemory(kernelWith(limited), 128);
    assert.throws(() => checkMemory(kernelWith(limited), 256), LimitError);
    checkMemory(kernelWith({ ...limited, [STATUS]: "CapEff:\t0000000000004000\n" }), 256);
    assert.throws(() => checkMemory(kernelWith({}, 1000), 256), LimitError);
  });
});

describe("checkDescriptors", () => {
  it("counts those that are open, and says how many are needed", () => {
    const kernel = kernelWith({
      "/proc/self/limits":
        "Limit  Soft  Hard  Units\nMax open files            64     128    files\n",
    });
    checkDescriptors(kernel, 45);
    assert.throws(() => checkDescriptors(kernel, 46), ({ message, hint }) => {
      assert.match(message, /^46 perf events are needed, .* only 64 files may be open$/);
      assert.equal(hint, "Raise the limit: ulimit -n 65");
      return true;
    });
    checkDescriptors(kernelWith({}), 1_000_000);
  });
});
