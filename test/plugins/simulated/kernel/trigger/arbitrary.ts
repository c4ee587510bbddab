/** Generated trigger commands and scenarios. */
import fc from "fast-check";
import { payloadOf, USER_EVENTS, values } from "./payload.ts";
import type { Scenario, Step } from "./scenario.ts";

const EVENTS = Object.keys(USER_EVENTS);
const event = fc.constantFrom(...EVENTS);
const number = fc.constantFrom("a", "b", "c", "d", "e");
const text = fc.constantFrom("s", "r");
const variable = fc.constantFrom("x", "y", "z");

const modified = fc.tuple(
  number,
  fc.constantFrom(".hex", ".log2", ".buckets=2", ".bucket=10", ".sym", ".syscall", ".usecs"),
).map((parts) => parts.join(""));

const key = fc.oneof(
  { arbitrary: number, weight: 6 },
  { arbitrary: text, weight: 2 },
  { arbitrary: modified, weight: 3 },
  {
    arbitrary: fc.constantFrom(
      "common_pid",
      "common_cpu",
      "cpu",
      "common_pid.execname",
      "comm",
      "common_type",
      "hitcount",
      "nosuch",
      "5",
      "a.sym-offset",
      "a.nosuch",
      "a.buckets=0",
      "c.log2",
    ),
    weight: 1,
  },
);

const operand = fc.oneof(
  { arbitrary: number, weight: 4 },
  { arbitrary: variable.map((name) => `$${name}`), weight: 3 },
  { arbitrary: fc.constantFrom("1", "2", "3", "10", "1000", "0", "0x10", "common_cpu"), weight: 3 },
  {
    arbitrary: fc.constantFrom("s", "nosuch", "user_events.first.$x", "user_events.second.c"),
    weight: 1,
  },
);

const expression = fc.oneof(
  { arbitrary: operand, weight: 4 },
  {
    arbitrary: fc.array(fc.tuple(operand, fc.constantFrom("+", "-", "*", "/")), {
      minLength: 1,
      maxLength: 4,
    })
      .chain((parts) => operand.map((last) => parts.flat().join("") + last)),
    weight: 4,
  },
  { arbitrary: operand.map((inner) => `-(${inner})`), weight: 1 },
);

const value = fc.oneof(
  { arbitrary: number, weight: 4 },
  { arbitrary: number.map((name) => `${name}.hex`), weight: 1 },
  { arbitrary: fc.constantFrom("a.percent", "c.graph", "hitcount", "e.percent"), weight: 2 },
  { arbitrary: expression, weight: 1 },
  { arbitrary: fc.constantFrom("a.log2", "nosuch"), weight: 1 },
);

const sort = fc.tuple(
  fc.constantFrom("hitcount", "a", "b", "c", "s", "r", "nosuch"),
  fc.constantFrom("", "", ".descending", ".ascending", ".nosuch"),
).map((parts) => parts.join(""));

const parameter = fc.oneof(
  fc.oneof(number, number, text),
  variable.map((name) => `$${name}`),
  fc.constantFrom("common_pid", "user_events.first.c", "user_events.second.$x", "x", "nosuch"),
);

const action = fc.tuple(
  fc.oneof(
    event.map((path) => `onmatch(${path.replace("/", ".")})`),
    variable.map((name) => `onmax($${name})`),
    variable.map((name) => `onchange($${name})`),
    fc.constantFrom("onmatch(nosuch.nosuch)", "onmatch(nosuch)", "onmax(a)"),
  ),
  fc.constantFrom("trace", "one", "two", "task", "text", "dynamic", "save", "snapshot", "nosuch"),
  fc.array(parameter, { minLength: 0, maxLength: 3 }),
).map(([handler, name, parameters]) => {
  const list = name === "trace" ? ["one", ...parameters] : parameters;
  return `${handler}.${name}(${name === "snapshot" ? "" : list.join(",")})`;
});

const filter = fc.constantFrom(
  "",
  "",
  "",
  " if a == 1",
  " if b > 0 && c < 5",
  " if nosuch == 1",
  " if a = 1",
);

/** The text of a `hist` trigger behind `hist:`. */
export const histText: fc.Arbitrary<string> = fc.tuple(
  fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => [`keys=${keys.join(",")}`]),
  optional(fc.array(value, { minLength: 1, maxLength: 3 }).map((list) => `vals=${list.join(",")}`)),
  fc.array(fc.tuple(variable, expression).map(([name, text]) => `${name}=${text}`), {
    maxLength: 2,
  }),
  optional(fc.array(sort, { minLength: 1, maxLength: 2 }).map((list) => `sort=${list.join(",")}`)),
  optional(
    fc.constantFrom(
      "size=128",
      "size=200",
      "size=1",
      "nohitcount",
      "pause",
      "cont",
      "clear",
      "name=n",
      "clock=mono",
      "clock=nosuch",
    ),
    8,
  ),
  optional(action, 3),
  filter,
).map(([keys, vals, definitions, order, option, actions, condition]) => {
  const parts = [...keys, ...vals, ...definitions, ...order, ...option, ...actions];
  return parts.join(":") + condition;
});

function optional(part: fc.Arbitrary<string>, rarity = 2): fc.Arbitrary<string[]> {
  return fc.nat(rarity).chain((n) => n === 0 ? part.map((text) => [text]) : fc.constant([]));
}

/** Commands that are mostly refused. */
const damaged = histText.chain((text) =>
  fc.tuple(
    fc.nat(text.length),
    fc.nat(2),
    fc.constantFrom("", ":", ",", "=", "$", "-", "(", ")", ".", " ", "if", "é"),
  )
    .map(([at, count, put]) => `hist:${text.slice(0, at)}${put}${text.slice(at + count)}`)
);

const switches = fc.tuple(
  fc.constantFrom("", "", "!"),
  fc.constantFrom(
    "traceon",
    "traceoff",
    "snapshot",
    "stacktrace",
    "traceon:3",
    "stacktrace:0",
    "traceoff:x",
    "enable_event:user_events:first",
    "disable_event:user_events:first:2",
    "enable_hist:user_events:second",
    "disable_hist:user_events:second",
    "enable_event:nosuch:nosuch",
    "enable_event",
    "nosuch",
  ),
  filter,
).map((parts) => parts.join(""));

const command = fc.oneof(
  { arbitrary: histText.map((text) => `hist:${text}`), weight: 8 },
  { arbitrary: damaged, weight: 2 },
  { arbitrary: switches, weight: 2 },
);

const write: fc.Arbitrary<Step> = fc.record({
  op: fc.constant("trigger" as const),
  event,
  input: command,
});

const fires: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ op: fc.constant("fire" as const), event, payload: values.map(payloadOf) }),
  { minLength: 1, maxLength: 12 },
);

/** Triggers are set up, repeated and removed, with events and readings in between. */
export const scenario: fc.Arbitrary<Scenario> = fc.tuple(
  fc.array(write, { minLength: 1, maxLength: 6 }),
  fires,
  fc.array(fc.nat(5), { maxLength: 2 }),
  fires,
).map(([writes, first, again, second]) => {
  const repeated = again.flatMap((n): Step[] => {
    const step = writes[n % writes.length];
    if (step.op !== "trigger") return [];
    return [step, { ...step, input: `!${step.input}` }];
  });
  const readings: Step[] = [...EVENTS.map((event) => ({ op: "hist", event } as const)), {
    op: "written",
  }];
  const steps = [...writes, ...first, ...readings, ...repeated, ...second, ...readings];
  return { name: "generated", steps };
});
