import * as z from "zod";
import { SINK_TYPE } from "../names.ts";
import { named } from "./values.ts";

/** A sink has options of its own; the schema of its plugin checks them. */
export const sink = z.looseObject({
  type: named(SINK_TYPE).describe("text, jsonl, or the name of a plugin"),
  path: z.string().min(1).optional().describe("File to write to; standard output without"),
});

/** What takes the events of a config that declares no sinks. */
export const DEFAULT_SINKS = { screen: { type: "text" } };
