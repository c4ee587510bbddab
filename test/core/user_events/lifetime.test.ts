import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isKernelError } from "../../../core/kernel/error.ts";
import { appendText, readText } from "../../../core/kernel/files.ts";
import { RegistrationError, type Unavailable } from "../../../core/user_events/data_file.ts";
import { FieldError } from "../../../core/user_events/encode.ts";
import { openProviderOn } from "../../../core/user_events/provider.ts";
import { TRACEFS } from "../../support/host.ts";
import { ERAS, makeEra, record, startProgram, startProvider } from "./fixture.ts";
import { hostProfile } from "../../../plugins/simulated/host_profile.ts";
import { SimulatedKernel } from "../../../plugins/simulated/kernel/simulated_kernel.ts";

function status(kernel: SimulatedKernel): string {
  return readText(startProgram(kernel), `${TRACEFS}/user_events_status`);
}

/** Lets the kernel do what it leaves to its work queues. */
function settle(kernel: SimulatedKernel): void {
  kernel.scheduler.advance(10_000_000n);
}

function refusal(code: string, reason: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof RegistrationError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, reason);
    return true;
  };
}

describe("the life of a provider's events", () => {
  it("ends with close, which unregisters every word before its memory goes", () => {
    const kernel = makeEra("6.12");
    const { process, provider } = startProvider(kernel);
    const event = provider.event("beat", { n: "u32" });
    appendText(process, `${TRACEFS}/events/user_events/beat/enable`, "1");
    assert.equal(event.enabled, true);
    provider.close();
    assert.equal(event.enabled, false);
    assert.equal(event.write({ n: 1 }), false);
    provider.close();
    settle(kernel);
    // The kernel complains of words that are gone when it next writes to them.
    appendText(process, `${TRACEFS}/events/user_events/beat/enable`, "0");
    settle(kernel);
    assert.deepEqual(kernel.messages, []);
    assert.doesNotMatch(status(kernel), /^beat/m);
    assert.throws(() => provider.event("other", {}), /closed/);
  });

  it("keeps the memory of words that the kernel will not forget", () => {
    const kernel = makeEra("6.12");
    const { process, provider } = startProvider(kernel);
    const event = provider.event("beat", { n: "u32" });
    kernel.faults.add({ call: "ioctl", nth: 1, times: 1, error: "ENOENT" });
    provider.close();
    appendText(process, `${TRACEFS}/events/user_events/beat/enable`, "1");
    settle(kernel);
    assert.deepEqual(kernel.messages, []);
    assert.equal(event.enabled, false);
  });

  it("ends with the process", () => {
    const kernel = makeEra("6.12");
    const { process, provider } = startProvider(kernel);
    provider.event("beat", { n: "u32" });
    assert.match(status(kernel), /^beat$/m);
    process.kill();
    settle(kernel);
    assert.doesNotMatch(status(kernel), /^beat/m);
  });

  it("goes on after the process where persist is asked for", () => {
    const kernel = makeEra("6.12");
    const { process, provider } = startProvider(kernel);
    provider.event("beat", { n: "u32" }, { persist: true });
    process.kill();
    settle(kernel);
    assert.match(status(kernel), /^beat$/m);
  });

  it("has room for more words than a page holds", () => {
    const kernel = makeEra("6.12");
    const { process, provider } = startProvider(kernel);
    const events = Array.from({ length: 1100 }, (_, i) => provider.event(`e${i}`, { n: "u32" }));
    for (const name of ["e0", "e1099"]) {
      appendText(process, `${TRACEFS}/events/user_events/${name}/enable`, "1");
    }
    const enabled = events.flatMap((event, i) => event.enabled ? [i] : []);
    assert.deepEqual(enabled, [0, 1099]);
  });
});

describe("a registration that the kernel refuses", () => {
  it("says that the name is taken with other fields", () => {
    const kernel = makeEra("6.12");
    startProvider(kernel).provider.event("beat", { n: "u32" });
    const { provider } = startProvider(kernel);
    assert.throws(
      () => provider.event("beat", { n: "u64" }),
      refusal("EADDRINUSE", /registered this name with other fields/),
    );
    assert.equal(provider.event("other", { n: "u64" }).enabled, false);
  });

  it("says that there are as many as are allowed", () => {
    const kernel = makeEra("6.12");
    kernel.tracing.userEvents!.maxEvents = 1;
    const { provider } = startProvider(kernel);
    provider.event("beat", {});
    assert.throws(() => provider.event("other", {}), refusal("EMFILE", /as many events/));
  });

  it("says that a namespace is full where the kernel has namespaces", () => {
    const kernel = makeEra("rfc2022");
    const { process, provider } = startProvider(kernel, { namespace: "shop" });
    appendText(process, `${TRACEFS}/namespaces/shop/options`, "user_events_limit=1");
    provider.event("beat", { n: "u32" });
    assert.throws(() => provider.event("other", { n: "u32" }), refusal("EMFILE", /as many/));
    startProvider(kernel, { namespace: "other" }).provider.event("beat", { n: "u32" });
  });

  it("says that events that stay need a capability", () => {
    const kernel = makeEra("6.12");
    const { provider } = startProvider(kernel);
    kernel.faults.add({ call: "ioctl", nth: 1, times: 1, error: "EPERM" });
    assert.throws(
      () => provider.event("beat", { n: "u32" }, { persist: true }),
      refusal("EPERM", /CAP_PERFMON/),
    );
    assert.equal(provider.event("beat", { n: "u32" }).enabled, false);
  });

  it("tells of an event that was made although its word cannot be written", () => {
    const kernel = makeEra("6.12");
    const { process, provider } = startProvider(kernel);
    const native = process.native as { mmap: unknown };
    const { mmap } = native;
    native.mmap = (options: object) =>
      (mmap as (options: object) => unknown)({ ...options, writable: false });
    assert.throws(() => provider.event("beat", { n: "u32" }), refusal("ENOMEM", /enable word/));
    assert.match(status(kernel), /^beat$/m);
    provider.close();
    settle(kernel);
    assert.doesNotMatch(status(kernel), /^beat/m);
  });
});

describe("names and fields that user_events cannot have", () => {
  const { provider } = startProvider(makeEra("6.12"));
  for (const name of ["", "a b", "a;b", "a\nb", "a/b", "ä", "x".repeat(201), "a\0b", ".."]) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 10))}`, () => {
      assert.throws(() => provider.event(name, {}), TypeError);
      assert.throws(
        () => openProviderOn(startProgram(makeEra("6.12")), { namespace: name }),
        TypeError,
      );
    });
  }
  for (const field of ["", "a b", "a;u32 b", "a\nb", "common_pid", "1a", "a\0"]) {
    it(`refuses the field ${JSON.stringify(field)}`, () => {
      assert.throws(() => provider.event("fields", { [field]: "u32" }), TypeError);
    });
  }

  it("refuses types that the kernel lacks, and registrations over 511 characters", () => {
    assert.throws(() => provider.event("odd", { a: "u128" as "u64" }), /Unknown field type/);
    assert.throws(() => provider.event("odd", { a: "char[0]" }), /Array of 0/);
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`field_number_${i}`, "u32" as const]),
    );
    assert.throws(() => provider.event("many", many), /characters/);
  });

  it("refuses fields that fill more than a buffer's page", () => {
    const large = { a: "char[1024]", b: "char[1024]", c: "char[1024]", d: "char[1024]" } as const;
    assert.throws(() => provider.event("large", large), FieldError);
  });
});

describe("the payload", () => {
  it("may have 4064 bytes, which arrive, and no more", async () => {
    const kernel = makeEra("6.12");
    const event = startProvider(kernel).provider.event("blob", { data: "bytes" });
    const records = await record(kernel, ["blob"], () => {
      assert.equal(event.write({ data: new Uint8Array(4060).fill(7) }), true);
      assert.throws(() => event.write({ data: new Uint8Array(4061) }), FieldError);
    });
    assert.deepEqual(records.map(({ args }) => (args.data as number[]).length), [4060]);
  });
});

describe("writing where nobody listens any more", () => {
  for (const era of ["6.12", "6.1"] as const) {
    it(`is no error on ${era}`, () => {
      const kernel = makeEra(era);
      const { process, provider } = startProvider(kernel);
      const event = provider.event("beat", { n: "u32" });
      appendText(process, `${TRACEFS}/events/user_events/beat/enable`, "1");
      kernel.faults.add({
        call: "write",
        path: "user_events_data",
        nth: 1,
        times: 1,
        error: "EBADF",
      });
      assert.equal(event.write({ n: 1 }), false);
      assert.equal(event.write({ n: 1 }), true);
      kernel.faults.add({
        call: "write",
        path: "user_events_data",
        nth: 1,
        times: 1,
        error: "EIO",
      });
      assert.throws(() => event.write({ n: 1 }), (error) => isKernelError(error, "EIO"));
    });
  }
});

describe("a program that has no user_events", () => {
  for (
    const [uid, era, reason] of [
      [1000, "6.12", "no_permission"],
      [0, null, "no_user_events"],
    ] as const
  ) {
    it(`has events that are always disabled, and is told once why: ${reason}`, () => {
      const kernel = new SimulatedKernel({ era, profile: hostProfile(undefined) });
      const told: Unavailable[] = [];
      const process = startProgram(kernel, uid);
      const provider = openProviderOn(process, { onUnavailable: (reason) => told.push(reason) });
      const event = provider.event("beat", { n: "u32" });
      assert.equal(event.name, "user_events/beat");
      assert.equal(event.enabled, false);
      assert.equal(event.write({ n: 1 }), false);
      assert.throws(() => provider.event("a b", {}), TypeError);
      provider.close();
      assert.deepEqual(told.map(({ reason }) => reason), [reason]);
      assert.equal(provider.unavailable, told[0]);
    });
  }

  it("writes on 6.1 with the data file alone, where no status can be read", async () => {
    const kernel = makeEra("6.1");
    const process = startProgram(kernel);
    kernel.faults.add({
      call: "open",
      path: "user_events_status",
      nth: 1,
      times: 1,
      error: "ENOENT",
    });
    const event = openProviderOn(process).event("beat", { n: "u32" });
    assert.equal(event.enabled, true);
    assert.equal(event.write({ n: 1 }), false);
    const records = await record(kernel, ["beat"], () => {
      assert.equal(event.write({ n: 2 }), true);
    });
    assert.deepEqual(records.map(({ args }) => args), [{ n: 2 }]);
  });

  it("is refused with a reason where the namespace may not be made", () => {
    for (const era of ERAS) {
      const { provider } = startProvider(makeEra(era), {
        namespace: "shop",
        uid: 1000,
        onUnavailable: () => {},
      });
      assert.ok(provider.unavailable, era);
      assert.ok(provider.unavailable.message.length > 20);
    }
  });
});
