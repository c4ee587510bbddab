import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestKernel } from "./kernel.ts";

const SWITCH = "sched/sched_switch";

describe("event probe events", () => {
  it("take the event's name and its fields", () => {
    const kernel = new TestKernel();
    assert.equal(
      kernel.dynamic(
        `e ${SWITCH} $prev_pid a=$prev_comm:string\ne:b sched.sched_switch $comm:string`,
      ),
      "ok",
    );
    assert.deepEqual(kernel.lines(), [
      "e:eprobes/sched_switch sched.sched_switch arg1=$prev_pid a=$prev_comm:string",
      "e:eprobes/b sched.sched_switch arg1=$comm:string",
    ]);
    const event = kernel.event("eprobes/sched_switch");
    assert.equal(event.printFmt, '" arg1=0x%Lx a=\\"%s\\"", REC->arg1, __get_str(a)');
    assert.deepEqual(event.fields.map((field) => field.offset), [8, 16]);
  });

  it("are refused with a caret", () => {
    const kernel = new TestKernel();
    const refused: [text: string, answer: string][] = [
      ["e:x", "EINVAL"],
      ["e:x sched", "EINVAL; This requires both group and event name to attach @4"],
      [
        "e:x /x",
        "EINVAL; Group name is not specified @4; " +
        "This requires both group and event name to attach @4",
      ],
      ["e:x sched/nope", "ENODEV; Attached event does not exist @4"],
      ["e:x ftrace/function", "ENODEV; Attached event does not exist @4"],
      [`e:x ${SWITCH} $nope`, "EINVAL; Invalid $-variable specified @23"],
      [`e:x ${SWITCH} $common_pid`, "EINVAL; Invalid $-variable specified @23"],
      [`e:x ${SWITCH} prev_pid`, "EINVAL; BTF is not available or not supported @23"],
      [`e:x ${SWITCH} @nosuch`, "ENOENT"],
      [`e:x ${SWITCH} if`, "EINVAL; No filter rule after 'if' @26"],
      [`e:x ${SWITCH} if nope`, "EINVAL"],
      [
        `e:sched/sched_switch ${SWITCH}`,
        "EEXIST; Given group/event name is already used by another event @0",
      ],
    ];
    for (const [text, answer] of refused) assert.equal(kernel.dynamic(text), answer, text);
  });

  it("say otherwise on 6.1 that a field is missing", () => {
    const kernel = new TestKernel("6.1");
    assert.equal(
      kernel.dynamic(`e:x ${SWITCH} a=$nope`),
      "ENOENT; Attached event does not have this field @23",
    );
    assert.equal(kernel.dynamic(`e:x ${SWITCH} $comm:string +0($comm)`), "ok");
  });

  it("have filters, which listings do not show", () => {
    const kernel = new TestKernel();
    assert.equal(kernel.dynamic(`e:x ${SWITCH} $prev_pid if prev_pid == 1`), "ok");
    assert.deepEqual(kernel.lines(), ["e:eprobes/x sched.sched_switch arg1=$prev_pid"]);
    const event = kernel.event("eprobes/x");
    assert.ok(event.kind === "eprobe" && event.probes[0]?.place.kind === "eprobe");
    assert.equal(event.probes[0].place.filter, "prev_pid == 1");
  });

  it("take no second probe", () => {
    const kernel = new TestKernel();
    const line = `e:x ${SWITCH}`;
    assert.equal(kernel.dynamic(line), "ok");
    assert.match(kernel.dynamic(line), /^EEXIST; Given group\/event name/);
  });

  it("keep a dynamic event that they are on", () => {
    const kernel = new TestKernel();
    kernel.dynamic("f:f vfs_read file\ns:s u64 lat\np:k vfs_read");
    assert.equal(kernel.dynamic("e:a fprobes/f $file\ne:b synthetic.s $lat"), "ok");
    assert.match(kernel.dynamic("e:c kprobes/k"), /^ENODEV/);
    assert.equal(kernel.dynamic("-:fprobes/f"), "EBUSY");
    assert.equal(kernel.dynamic("-:s"), "EBUSY");
    assert.equal(kernel.dynamic("-:a sched/x"), "ENOENT");
    assert.equal(kernel.dynamic("-:a fprobes/f $file"), "ENOENT");
    assert.equal(kernel.dynamic("-:a fprobes/f arg1=$file\n-:fprobes/f"), "ok");
    // Deleting everything goes in order: the synthetic event comes before what holds it.
    assert.equal(kernel.truncate("dynamic_events"), "EBUSY");
    assert.deepEqual(kernel.lines(), [
      "s:synthetic/s\tu64 lat",
      "p:kprobes/k vfs_read",
      "e:eprobes/b synthetic.s arg1=$lat",
    ]);
  });
});
