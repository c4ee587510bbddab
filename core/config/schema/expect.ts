import * as z from "zod";
import { calls, writes } from "./simulate.ts";
import { scalar, section, whole } from "./values.ts";

const values = z.record(z.string(), scalar());

const amount = z.union([
  whole(0, 1_000_000_000),
  section({
    min: whole(0, 1_000_000_000).optional().describe("The least, from 0"),
    max: whole(0, 1_000_000_000).optional().describe("The most"),
  }),
], { error: "Expected a whole number, or a map with min and max" });

const expectation = section({
  count: amount.optional().describe("How many records"),
  args: values.optional().describe("Values that each of its records has"),
  records: z.array(values).optional().describe("Values of its records, one after the other"),
});

/** What a test expects: of each probe its records, and how many events are lost. */
const expected = z.object({
  lost: whole(0, Number.MAX_SAFE_INTEGER).optional().describe("Events lost, on all CPUs"),
}).catchall(expectation);

export const test = section({
  calls: calls.describe("What is called, in place of simulate.calls"),
  writes: writes.describe("user_events that are written, in place of simulate.writes"),
  expect: expected.describe("What is recorded then, by the id of the probe"),
});
