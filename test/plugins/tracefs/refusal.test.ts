import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Backend, OperationError } from "../../../core/backend.ts";
import { RolledBackError } from "../../../core/plan/execute.ts";
import { applyTrace } from "../../../core/session/apply.ts";
import { charactersBefore, parseErrorLog } from "../../../plugins/tracefs/error_log.ts";
import {
  FOUR_PROBES,
  hostState,
  makeKernel,
  makeRequest,
  startOtherTool,
  startSonde,
} from "../../support/host.ts";

/** A host with things that no validation can know about. */
function simulate(version: "6.1" | "6.12" = "6.12"): string {
  return `
simulate:
  kernel: "${version}"
  functions:
    good: { args: [s32] }
    notrace: { probeable: false }
`;
}

/** What the kernel answers to the probes in `body`; nothing may be left of them. */
async function refusalOf(body: string, version?: "6.1" | "6.12"): Promise<OperationError> {
  const kernel = makeKernel(simulate(version));
  const before = hostState(kernel);
  const backend = startSonde(kernel);
  const error = await failureOf(backend, body);
  assert.deepEqual(hostState(kernel), before);
  return error;
}

async function failureOf(backend: Backend, body: string): Promise<OperationError> {
  const error = await applyTrace(backend, await makeRequest(backend, body)).then(
    () => assert.fail("the kernel took it"),
    (error) => error,
  );
  assert.ok(error instanceof RolledBackError, String(error));
  assert.deepEqual(error.leftovers, []);
  assert.ok(error.cause instanceof OperationError, String(error.cause));
  return error.cause;
}

/** The text that the kernel was given, from the place that it points at. */
function pointedAt({ operation, position }: OperationError): string | undefined {
  const { step } = operation;
  assert.ok("text" in step);
  return position === undefined ? undefined : step.text.slice(position);
}

describe("parseErrorLog", () => {
  it("reads entries with their caret, oldest first", () => {
    const log = "[   12.345678] trace_kprobe: error: Invalid probed address or symbol\n" +
      "  Command: p:g/e nosuch a=$arg1\n" + "                 ^\n" +
      "[100000.000001] event filter parse error: error: Field not found\n" +
      "  Command: a: b == 1\n" + "           ^\n" +
      "[    0.500000] event filter parse error: error: Missing operand\n" +
      "  Command: a == 1 &&\n  b ==\n" + "                      ^\n" +
      "[    1.000000] hist:sched:sched_switch: error: Couldn't find field\n" +
      "  Command: keys=x\n" + "                ^\n";
    assert.deepEqual(parseErrorLog(log), [
      {
        subsystem: "trace_kprobe",
        text: "Invalid probed address or symbol",
        command: "p:g/e nosuch a=$arg1",
        caret: 6,
      },
      {
        subsystem: "event filter parse error",
        text: "Field not found",
        command: "a: b == 1",
        caret: 0,
      },
      {
        subsystem: "event filter parse error",
        text: "Missing operand",
        command: "a == 1 &&\n  b ==",
        caret: 11,
      },
      {
        subsystem: "hist:sched:sched_switch",
        text: "Couldn't find field",
        command: "keys=x",
        caret: 5,
      },
    ]);
  });

  it("reads nothing out of what is no log", () => {
    for (const text of ["", "\n", "# nothing\n", "[ 1.000000] x: error: y\n  Command: z\n"]) {
      assert.deepEqual(parseErrorLog(text), []);
    }
  });
});

describe("charactersBefore", () => {
  it("counts characters where the kernel counts bytes", () => {
    const text = 'a == "zoë€😀" && b';
    for (const [bytes, before] of [[0, ""], [6, 'a == "'], [10, 'a == "zoë'], [13, 'a == "zoë€']]) {
      assert.equal(charactersBefore(text, bytes as number), (before as string).length);
    }
    assert.equal(charactersBefore(text, 1000), text.length);
  });
});

describe("a refused operation", () => {
  it("names the probe and the place of a function that cannot be probed", async () => {
    for (const version of ["6.1", "6.12"] as const) {
      const error = await refusalOf("probes: { x: { kprobe: { symbol: notrace } } }", version);
      assert.deepEqual([error.operation.probe, error.code], ["x", "EINVAL"]);
      assert.equal(error.reason, "Failed to register probe event");
      assert.equal(pointedAt(error), "notrace");
      assert.match(error.hint!, /blacklist/);
    }
  });

  it("names the fetch argument that the kernel does not take", async () => {
    const error = await refusalOf(`
probes:
  first: { kprobe: { symbol: good } }
  x:
    kprobe: { symbol: good }
    capture: { a: "$arg1:s32", b: "no_such_parameter:s32", c: "$arg2:s32" }
  last: { kprobe: { symbol: good } }
`);
    assert.equal(error.operation.probe, "x");
    assert.match(pointedAt(error)!, /^b=|^no_such_parameter/);
    assert.ok(error.reason);
  });

  it("names a symbol that an argument reads and the kernel does not have", async () => {
    for (const version of ["6.1", "6.12"] as const) {
      const body =
        'probes: { x: { kprobe: { symbol: good }, capture: { v: "@no_such_symbol:u64" } } }';
      const error = await refusalOf(body, version);
      assert.equal(error.operation.probe, "x");
      assert.equal(error.reason, "Invalid probed address or symbol");
    }
  });

  it("names the field of a filter that the tracepoint does not have", async () => {
    const error = await refusalOf(
      "probes: { x: { tracepoint: sched/sched_switch, filter: 'prev_prio < 3 && no_such == 1' } }",
    );
    assert.deepEqual([error.operation.kind, error.operation.probe], ["filter", "x"]);
    assert.equal(error.reason, "Field not found");
    assert.match(pointedAt(error)!, /^no_such == 1|^ ?== 1|^1$/);
  });

  it("names it in a filter with blanks around it, or with letters of several bytes", async () => {
    for (
      const filter of [
        "'  no_such == 1'",
        "'no_such == 1  '",
        "|\n      no_such == 1\n",
        "|\n      prev_prio > 1 &&\n      no_such == 1\n",
      ]
    ) {
      const body = `
probes:
  x:
    tracepoint: sched/sched_switch
    filter: ${filter}
`;
      const error = await refusalOf(body);
      assert.equal(error.reason, "Field not found", filter);
      assert.notEqual(error.position, undefined);
    }
    const error = await refusalOf(
      `probes: { x: { tracepoint: sched/sched_switch, filter: 'prev_comm == "zoë" && nope > 1' } }`,
    );
    assert.match(pointedAt(error)!, /^nope > 1|^ ?> 1|^1$/);
  });

  it("is not explained by an older error of the same kernel", async () => {
    const kernel = makeKernel(simulate());
    const backend = startSonde(kernel);
    const body = "probes: { x: { kprobe: { symbol: notrace } } }";
    await failureOf(backend, body);
    kernel.faults.add({ call: "write", path: "kprobe_events", nth: 1, times: 1, error: "ENOMEM" });
    const other = "probes: { y: { kprobe: { symbol: good } } }";
    const error = await failureOf(backend, other);
    assert.deepEqual([error.code, error.operation.probe], ["ENOMEM", "y"]);
    assert.equal(error.reason, "The kernel is out of memory for it");
    assert.equal(error.position, undefined);
  });

  it("is told without error_log, too", async () => {
    const kernel = makeKernel(simulate());
    const backend = startSonde(kernel);
    kernel.faults.add({ path: "error_log", nth: 1, times: 1, error: "ENOENT" });
    const error = await failureOf(backend, "probes: { x: { kprobe: { symbol: notrace } } }");
    assert.deepEqual([error.code, error.operation.probe], ["EINVAL", "x"]);
    assert.notEqual(error.message, "");
  });

  it("keeps the lines before it in the kernel's batch, and rolls them back", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}`);
    for (const bad of [0, 1, 150, 299]) {
      const functions = names.map((name, i) => `${name}: { probeable: ${i !== bad} }`);
      const kernel = makeKernel(`simulate:\n  functions: { ${functions.join(", ")} }\n`);
      const before = hostState(kernel);
      const probes = names.map((name) => `  ${name}: { kprobe: { symbol: ${name} } }\n`).join("");
      const error = await failureOf(startSonde(kernel), `probes:\n${probes}`);
      assert.equal(error.operation.probe, `f${bad}`);
      assert.deepEqual(hostState(kernel), before);
    }
  });

  it("leaves another tool's event of the same name in another group alone", async () => {
    const kernel = makeKernel();
    startOtherTool(kernel);
    const before = hostState(kernel);
    kernel.faults.add({ call: "write", path: "total/enable", nth: 1, times: 1, error: "EBUSY" });
    await failureOf(startSonde(kernel), FOUR_PROBES);
    assert.deepEqual(hostState(kernel), before);
  });
});
