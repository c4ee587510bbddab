import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusyError, discardDeadLocks, lockHolder, takeLock } from "../../../core/plan/lock.ts";
import { ensureStateDirectory } from "../../../core/plan/state.ts";
import { atEveryCall } from "../../support/faults.ts";
import { hostState, makeKernel, readHostFile, writeHostFile } from "../../support/host.ts";

const LOCK = "/run/sonde/edge.lock";

function setUp() {
  const kernel = makeKernel();
  const process = (pid: number) => kernel.spawn({ pid, comm: "sonde" });
  return { kernel, process, files: () => hostState(kernel).files };
}

describe("takeLock", () => {
  it("keeps a second sonde out until it is released", () => {
    const { process, files } = setUp();
    const [first, second] = [process(10), process(11)];
    const lock = takeLock(first, "edge");
    assert.throws(
      () => takeLock(second, "edge"),
      (error) => error instanceof BusyError && error.message.includes("process 10"),
    );
    assert.equal(lockHolder(second, "edge")?.pid, 10);
    assert.deepEqual(files(), ["edge.lock"]);
    lock.release();
    assert.equal(lockHolder(second, "edge"), undefined);
    takeLock(second, "edge").release();
    assert.deepEqual(files(), []);
  });

  it("keeps the same process out, too", () => {
    const { process } = setUp();
    const sonde = process(10);
    takeLock(sonde, "edge");
    assert.throws(() => takeLock(sonde, "edge"), BusyError);
  });

  it("goes by the name", () => {
    const { process } = setUp();
    takeLock(process(10), "edge");
    takeLock(process(11), "edge-two").release();
  });

  it("takes over from a dead sonde", () => {
    const { process, files } = setUp();
    const first = process(10);
    takeLock(first, "edge");
    first.kill();
    const second = process(11);
    assert.equal(lockHolder(second, "edge"), undefined);
    takeLock(second, "edge");
    assert.equal(lockHolder(second, "edge")?.pid, 11);
    assert.deepEqual(files(), ["edge.lock"]);
  });

  it("takes over from a dead sonde whose pid is another process's now", () => {
    const { kernel, process } = setUp();
    const first = process(10);
    takeLock(first, "edge");
    first.kill();
    kernel.scheduler.advance(50_000_000n);
    kernel.spawn({ pid: 10, comm: "something) S 1 (else" });
    takeLock(process(11), "edge");
  });

  it("leaves a lock alone whose holder lives in another PID namespace", () => {
    const { kernel, process } = setUp();
    const sonde = process(11);
    ensureStateDirectory(sonde);
    const holder = { pid: 10, start: "5", namespace: "pid:[4026530000]" };
    writeHostFile(kernel, LOCK, `${JSON.stringify(holder)}\n`);
    assert.throws(() => takeLock(sonde, "edge"), BusyError);
    discardDeadLocks(sonde);
    assert.deepEqual(JSON.parse(readHostFile(kernel, LOCK)), holder);
  });

  it("leaves a lock alone where nobody can be seen, without /proc", () => {
    const { kernel, process } = setUp();
    takeLock(process(10), "edge");
    kernel.root.unlink!("proc");
    assert.throws(() => takeLock(process(11), "edge"), BusyError);
  });

  it("takes over what is no lock", () => {
    for (const text of ["", "\n", "null\n", "5\n", "{}\n", '{"pid":"x"}\n', '{"pid":1', "\0\0"]) {
      const { kernel, process, files } = setUp();
      const sonde = process(11);
      ensureStateDirectory(sonde);
      writeHostFile(kernel, LOCK, text);
      takeLock(sonde, "edge").release();
      assert.deepEqual(files(), []);
    }
  });

  it("is never taken from a running sonde by a failing system call", async () => {
    for (const error of ["EMFILE", "EINTR", "ENOMEM", "EIO", "EACCES"] as const) {
      const attempts = atEveryCall(error, () => {
        const { kernel, process } = setUp();
        takeLock(process(10), "edge");
        const second = process(11);
        const run = () => Promise.resolve().then(() => takeLock(second, "edge"));
        return Promise.resolve({ kernel, run });
      }, ({ kernel }, { error }) => {
        assert.notEqual(error, undefined);
        assert.equal(JSON.parse(readHostFile(kernel, LOCK)).pid, 10);
        return Promise.resolve();
      });
      // The last one, undisturbed, is told that the first one works.
      await assert.rejects(attempts, BusyError);
    }
  });

  it("leaves no draft behind when it fails", async () => {
    await atEveryCall("ENOSPC", () => {
      const { kernel, process } = setUp();
      const sonde = process(11);
      const run = () => Promise.resolve().then(() => takeLock(sonde, "edge").release());
      return Promise.resolve({ kernel, run });
    }, ({ kernel }, { error, call }) => {
      if (error !== undefined && !call.startsWith("unlink")) {
        assert.deepEqual(hostState(kernel).files, []);
      }
      return Promise.resolve();
    });
  });

  it("is root's alone", () => {
    const { kernel, process } = setUp();
    takeLock(process(10), "edge");
    assert.equal(process(11).stat("/run/sonde").mode & 0o77, 0);
    const other = kernel.spawn({ pid: 12, comm: "sonde", uid: 1000 });
    assert.throws(() => takeLock(other, "edge"), /EACCES/);
  });
});

describe("discardDeadLocks", () => {
  it("removes locks and drafts of the dead, and nothing else", () => {
    const { kernel, process, files } = setUp();
    const [dead, alive, sonde] = [process(10), process(11), process(12)];
    takeLock(dead, "dead");
    takeLock(alive, "alive");
    dead.kill();
    const place = (file: string, text: string) => writeHostFile(kernel, `/run/sonde/${file}`, text);
    place("a.lock.10", "");
    place("b.lock.11", "");
    place("c.lock.stale.10", '{"pid":9}\n');
    place("empty.lock", "");
    place("edge.ledger", "{}\n");
    place("notes.txt", "mine");
    discardDeadLocks(sonde);
    assert.deepEqual(files().toSorted(), ["alive.lock", "b.lock.11", "edge.ledger", "notes.txt"]);
  });

  it("does nothing where there is no state", () => {
    const { process, files } = setUp();
    discardDeadLocks(process(10));
    assert.deepEqual(files(), []);
  });
});
