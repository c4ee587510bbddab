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
    override: ({ jsonSchema, path }) => {
      // Notes of the writer's own (`x-…`) may stand in every map with fixed keys.
      if (jsonSchema.type === "object" && jsonSchema.additionalProperties === false) {
        jsonSchema.patternProperties = { "^x-": {} };
      }
      if (path.at(-1) !== "propertyNames" && isNarrow(jsonSchema)) allowVariable(jsonSchema);
    },
  });
  return { ...schema, title: "sonde config" };
}

/** Whether a scalar takes less than any text, and so no variable. */
function isNarrow({ type, enum: values, pattern, maxLength }: JsonSchema): boolean {
  return type === "integer" || type === "boolean" ||
    [values, pattern, maxLength].some((limit) => limit !== undefined);
}

/** Lets a text with `${…}` stand where `schema` would refuse it: its value is not known yet. */
function allowVariable(schema: JsonSchema): void {
  const narrow: JsonSchema = {};
  for (const key of Object.keys(schema).filter((key) => key !== "description")) {
    narrow[key] = schema[key];
    delete schema[key];
  }
  schema.anyOf = [narrow, { type: "string", pattern: "\\$\\{(env|var):" }];
}
