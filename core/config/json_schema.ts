/**
 * The JSON Schema of a config, for editors. Load it when it is asked for: nothing else needs it.
 * @module
 */

import * as z from "zod";
import { configSchema } from "./schema/config.ts";

/** A JSON Schema of draft 2020-12, as plain data. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema (draft 2020-12) that describes config files, with a description of each key. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // Notes of the writer's own (`x-…`) may stand in every map with fixed keys.
      if (jsonSchema.type === "object" && jsonSchema.additionalProperties === false) {
        jsonSchema.patternProperties = { "^x-": {} };
      }
    },
  });
  return { ...schema, title: "sonde config" };
}
