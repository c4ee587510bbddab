/**
 * The shape of a config. Fields carry the descriptions that the JSON Schema and `explain` show;
 * what fields mean to each other is checked in `check.ts`.
 * @module
 */

import * as z from "zod";
import {
  NAMESPACE,
  PROBE_ID,
  SINK_ID,
  TEST_ID,
  TRACE_NAME,
  USER_EVENT_ID,
  VARIABLE_NAME,
} from "../names.ts";
import { onMissing, probe } from "./probe.ts";
import { simulate } from "./simulate.ts";
import { DEFAULT_SINKS, sink } from "./sink.ts";
import { test } from "./expect.ts";
import { namespace, userEvent } from "./user_event.ts";
import { duration, mapOf, named, scalar, section, size } from "./values.ts";

export const configSchema = section({
  apiVersion: z.literal("sonde/v1").describe("Version of the format"),
  kind: z.literal("Trace").describe("What the file declares"),
  metadata: section({
    name: named(TRACE_NAME).describe("Name of the trace; what it installs carries it"),
    labels: z.record(z.string(), scalar()).default({}).describe("Notes of your own"),
  }).describe("What the trace is called"),
  vars: mapOf(VARIABLE_NAME, scalar()).default({})
    .describe("Texts to be used as ${var:name} in any value"),
  defaults: section({
    on_missing: onMissing.default("error"),
    lease: duration().optional()
      .describe("Time after which an applied trace is taken out unless it is renewed"),
  }).prefault({}).describe("What holds for every probe that does not say otherwise"),
  namespaces: mapOf(NAMESPACE, namespace).default({})
    .describe("Groups of user_events, by name"),
  user_events: mapOf(USER_EVENT_ID, userEvent).default({})
    .describe("user_events to register, by name"),
  probes: mapOf(PROBE_ID, probe).default({}).describe("Points of instrumentation, by id"),
  sinks: mapOf(SINK_ID, sink).default(DEFAULT_SINKS)
    .describe("Where events are written to, by id; text on standard output without"),
  buffer: section({
    size: size(4096, 2 ** 30).optional().describe("Ring buffer of each CPU, such as 4MiB"),
  }).prefault({}).describe("Buffers that events wait in"),
  simulate: simulate.prefault({}).describe("What the simulated kernel is and does"),
  tests: mapOf(TEST_ID, test).default({})
    .describe("Tests that run on the simulated kernel, by id"),
}).describe("A trace: what to probe, and where to write its events");
